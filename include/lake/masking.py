"""Hides what would tell on a person, before anything is written. Pure text expressions, the same on every engine.

Masking is by pattern: it errs on the side of hiding. A name in a running text stays; that is what access rules are for.
"""

import hashlib
from typing import Any

import ibis

from include.errors import BadSettings

HIDDEN = "***"

# Letters of every script: an address of which only the part in ASCII is hidden still tells.
_LOCAL_PART = r"""(?:[\p{L}\p{N}._%+'\-]+|"[^"@\n]{1,64}")"""
_DOMAIN = r"(?:[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)*|\[[0-9A-Fa-f.:]+\])"
_AT = r"[@\x{FF20}]"  # also as wide as a Chinese character
ADDRESS = _LOCAL_PART + _AT + _DOMAIN
_IPV4 = r"\b(?:\d{1,3}\.){3}\d{1,3}\b"
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}\b"
_CARD = r"\b\d(?:[ \-]?\d){12,18}\b"  # 13 to 19 digits, as ISO/IEC 7812 has them
_PHONE = (
    r"(?:\+\d{1,3}[ .\-]?|\b\d{1,3}[ .\-])?"  # country code
    r"(?:\(\d{2,4}\)[ .\-]?|\b\d{2,4}[ .\-])\d{3,4}[ .\-]?\d{3,4}\b"  # area code and number
    r"|\+\d(?:[ .\-/()]{0,2}\d){6,14}\b"  # international, however it is grouped
    r"|\b0\d{1,4}/\d{4,9}\b"  # national, with a stroke behind the area code
    r"|\b\d{3}[.\-]\d{4}\b"  # local
)
# Order matters: a card number holds what looks like a phone number, and an address may hold an IP address.
_REPLACEMENTS = (
    (ADDRESS, "[email]"),
    (_IPV6, "[ip]"),
    (_IPV4, "[ip]"),
    (_CARD, "[card]"),
    (_PHONE, "[phone]"),
)


def mask(text: Any, pii: str, pii_key: str) -> Any:
    """Mask a text expression by its privacy class.

    Args:
        pii: none, identifier, contact or free_text.
        pii_key: secret of the keyed hash.

    Raises:
        BadSettings: an identifier is to be hashed, and the key is empty.
    """
    if pii == "identifier":
        return hash_identifier(text, pii_key)
    if pii == "contact":
        return mask_contact(text)
    return mask_free_text(text) if pii == "free_text" else text


def mask_contact(text: Any) -> Any:
    """Keep the first letter and the domain of the first address, j***@example.org; *** where there is no address."""
    address = text.re_extract(ADDRESS, 0)
    domain = address.re_extract(_AT + "(.*)$", 1).lower()
    masked = address.substr(0, 1).lower() + ibis.literal(f"{HIDDEN}@") + domain
    return ibis.ifelse(text.re_search(ADDRESS), masked, ibis.ifelse(text.notnull(), HIDDEN, ibis.null("string")))


def mask_free_text(text: Any) -> Any:
    """Replace e-mail addresses, IP addresses, card numbers and phone numbers inside a text by what they are."""
    for pattern, replacement in _REPLACEMENTS:
        text = text.re_replace(pattern, replacement)
    return text


def hash_identifier(text: Any, pii_key: str) -> Any:
    """Replace an identifier by its keyed hash: the same person stays the same, and nobody without the key knows who.

    Raises:
        BadSettings: the key is empty, so that anybody could hash all identifiers and look them up.

    Source: the nested construction of Bellare, Canetti and Krawczyk 1996, with SHA-256; 128 bits are kept.
    """
    if not pii_key:
        raise BadSettings(
            "MULGIL_PII_KEY is empty, and this problem has columns of class identifier, which are hashed with it. "
            "Set it, or the password of the Airflow connection mulgil_pii, to a long random text and keep it: another "
            "key gives the same person another hash."
        )
    # Keys derived from the secret, not the secret: they stand in the text of the query.
    inner, outer = (hashlib.sha256(f"{use}\x1f{pii_key}".encode()).hexdigest() for use in ("inner", "outer"))
    digest = (ibis.literal(inner) + text).hexdigest("sha256")
    return (ibis.literal(outer) + digest).hexdigest("sha256").substr(0, 32)
