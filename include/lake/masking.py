"""Hides what would identify a person, before anything is written. Pure text expressions, the same on every engine.

Masking is by pattern: it errs on the side of hiding. A name in a running text stays; that is what access rules are for.
"""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from include.engine.duckdb_sql import quote_name, quote_text, select
from include.row_key import HASH_DIGITS, derived_keys

HIDDEN = "***"

# What stands in JSON text for a letter, or for a line's end: it goes whole or stays whole, so that JSON stays JSON.
_ESCAPE = r"\\(?:u[0-9A-Fa-f]{4}|[\"\\/bfnrt])"
# Letters of every script: an address of which only the part in ASCII is hidden still tells.
_LOCAL_PART = r"""(?:(?:[\p{L}\p{N}._%+'\-]|\\u[0-9A-Fa-f]{4}\x{E000}?)+|"[^"@\n\\]{1,64}")"""
_DOMAIN = r"(?:[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)*|\[[0-9A-Fa-f.:]+\])"
_AT = r"[@\x{FF20}]"  # also as wide as a Chinese character
ADDRESS = _LOCAL_PART + _AT + _DOMAIN
_IPV4 = r"\b(?:\d{1,3}\.){3}\d{1,3}\b"
_IPV6 = r"\b(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}\b|\b(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}\b"
_CARD = r"\b\d(?:[ \-]?\d){12,18}\b"  # 13 to 19 digits, as ISO/IEC 7812 has them
# A number may touch a letter, which stays: 703-555-0118W, tel703-555-0118; the digits of an extension go, too.
_BEFORE = r"(\b|[A-Za-z_])"
_AFTER = r"(?:[ ,]{0,2}(?:[xX]|[eE][xX][tT]\.?|extension)[ .:]?\d{1,6})?(\b|[A-Za-z_])"
_PHONE = (
    r"(?:"
    r"(?:\+\d{1,3}[ .\-]?\(?\d{2,4}\)?[ .\-]?"  # country and area code
    rf"|(?:{_BEFORE}\d{{1,3}}[ .\-]{{1,2}})?\(\d{{2,4}}\)[ .\-]{{0,2}}"
    rf"|{_BEFORE}(?:\d{{1,3}}[ .\-])?\d{{2,4}}[ .\-])"
    r"\d{3,4}[ .\-]?\d{3,4}"
    r"|\+\d(?:[ .\-/()]{0,2}\d){6,14}"  # international, however it is grouped
    rf"|{_BEFORE}0\d{{1,4}}/\d{{4,9}}"  # national, with a stroke behind the area code
    rf"|{_BEFORE}\d{{3}}[.\-]\d{{4}}"  # local
    rf"){_AFTER}"
)
# Of a link, who it leads to stays; what may say to whom it was sent goes: a query, a fragment, and of the path what is
# no word: five digits on end, letters and digits mixed, or twenty characters without a break.
_LINK = r"(?i)((?:(?:https?|ftp):(?:\\?/){2}|www\.)[^\s/?#<>\"'\\]+"
_SEGMENT = r"[^\s/?#<>\"'\\]"
_NO_WORD = r"(?:\d{5,}|[a-z]\d+[a-z][a-z0-9]*\d|\d[a-z]+\d[a-z0-9]*[a-z]|[a-z0-9_]{20,})"
_PATH = rf"{_LINK}(?:\\?/{_SEGMENT}*?)*?\\?/){_SEGMENT}*?{_NO_WORD}[^\s<>\"'\\]*"
_QUERY = rf"{_LINK}(?:\\?/{_SEGMENT}*)*)[?#][^\s<>\"'\\]+"
# Order matters: a link may hold anything, a card number what looks like a phone number, an address an IP address.
_REPLACEMENTS = (
    (_PATH, r"\1[token]"),
    (_QUERY, r"\1?[token]"),
    (rf"((?:{_ESCAPE})*){ADDRESS}", r"\1[email]"),
    (_IPV6, "[ip]"),
    (_IPV4, "[ip]"),
    (_CARD, "[card]"),
    (_PHONE, r"\1\2\3\4[phone]\5"),
)
# Shown as it is in a column of that type: there a number, as JSON and logs write it, is no card, and a time in
# milliseconds no telephone.
_PLAIN_NUMBER = r"^\s*[+-]?\d+(\.\d*)?([eE][+-]?\d+)?\s*$"
_PLAIN = {"integer": _PLAIN_NUMBER, "number": _PLAIN_NUMBER, "timestamp": r"^\d{1,13}$"}
# What JSON text is made of: texts in quotes, and all that stands between them.
_JSON_PARTS = r'"(?:[^"\\]|\\.)*"|[^"]+'


def mask(text: ir.StringValue, pii: str, pii_key: str) -> ir.StringValue:
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


def mask_contact(text: ir.StringValue) -> ir.StringValue:
    """Keep the first letter and the domain of the first address, j***@example.org; *** where there is no address."""
    address = text.re_extract(ADDRESS, 0)
    domain = address.re_extract(_AT + "(.*)$", 1).lower()
    masked = address.substr(0, 1).lower() + ibis.literal(f"{HIDDEN}@") + domain
    return ibis.ifelse(text.re_search(ADDRESS), masked, ibis.ifelse(text.notnull(), HIDDEN, ibis.null("string")))


def mask_free_text(text: ir.StringValue) -> ir.StringValue:
    """Replace addresses, card and phone numbers, and what links say of a person, inside a text by what they are."""
    for pattern, replacement in _REPLACEMENTS:
        text = text.re_replace(pattern, replacement)
    return text


def mask_value(text: ir.StringValue, kind: str) -> ir.StringValue:
    """Mask what a column without a privacy class holds; a plain number in a column of numbers or times is no card.

    Args:
        kind: the column's declared type.
    """
    masked = mask_free_text(text)
    return ibis.ifelse(text.re_search(_PLAIN[kind]), text, masked) if kind in _PLAIN else masked


def mask_texts(rows: ibis.Table, columns: Mapping[str, str]) -> ibis.Table:
    """Add columns that hold texts without what identifies a person; JSON in them stays JSON.

    Of a text that is a JSON object or a list, each text in it is masked by itself, names of fields too: a pattern that
    ran across quotes would take them along. Its numbers are data of the log, and no cards.

    Args:
        columns: column of texts to the name of the new one.
    """
    if not columns:
        return rows
    added = ", ".join(f"{_any_text(quote_name(text))} AS {quote_name(name)}" for text, name in columns.items())
    return select(rows, f"SELECT *, {added} FROM {{rows}}", dict.fromkeys(columns.values(), "string"))


def mask_found(rows: ibis.Table, name: str) -> ibis.Table:
    """Mask a list of {name, value}, as `mask_texts` does, in its place."""
    each = f"lambda e: {{'name': {_plain_text('e.name')}, 'value': {_any_text('e.value')}}}"
    held = quote_name(name)
    query = f"SELECT * REPLACE (CASE WHEN {held} IS NOT NULL THEN list_transform({held}, {each}) END AS {held})"
    return select(rows, f"{query} FROM {{rows}}", {})


def _any_text(text: str) -> str:
    """Mask an SQL expression of a text, which may be JSON."""
    parts = f"regexp_extract_all({text}, {quote_text(_JSON_PARTS)})"
    read = "lambda p: {'part': p, 'held': CASE WHEN p[1] = '\"' THEN json_extract_string(p, '$') END}"
    masked = f"lambda p: {{'part': p.part, 'held': p.held, 'masked': {_plain_text('p.held')}}}"
    # What holds nothing to hide stays as it is spelled.
    written = """lambda p: CASE WHEN p.masked IS DISTINCT FROM p.held
                           THEN CAST(to_json(p.masked) AS VARCHAR) ELSE p.part END"""
    by_value = f"list_transform(list_transform(list_transform({parts}, {read}), {masked}), {written})"
    is_json = f"regexp_matches({text}, '^\\s*[\\[{{]') AND json_valid({text})"
    return f"CASE WHEN {is_json} THEN array_to_string({by_value}, '') ELSE {_plain_text(text)} END"


def _plain_text(text: str) -> str:
    """Mask an SQL expression of a text as `mask_free_text` does one of Ibis."""
    for pattern, replacement in _REPLACEMENTS:
        text = f"regexp_replace({text}, {quote_text(pattern)}, {quote_text(replacement)}, 'g')"
    return text


def hash_identifier(text: ir.StringValue, pii_key: str) -> ir.StringValue:
    """Replace an identifier by its keyed hash, as `include/row_key.py` does.

    Raises:
        BadSettings: the key is empty.
    """
    inner, outer = derived_keys(pii_key)
    digest = (ibis.literal(inner) + text).hexdigest("sha256")
    return (ibis.literal(outer) + digest).hexdigest("sha256").substr(0, HASH_DIGITS)
