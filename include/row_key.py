r"""How a row is named: by the stored values of its key columns, joined by '|'.

Ingest names millions of rows by an expression of the engine (`lake/row_keys.py`); who meets a record elsewhere (a file
of labels, recorded truth, gold) names it here, and gets the same name.

A name is made of each key column's value as the lake stores it: an identifier as its keyed hash, everything else typed,
then written as text. With several columns, a '|' or '\' inside of a value is written as '\|' or '\\', so that two rows
never share a name by accident.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from include.errors import BadSettings

SEPARATOR, ESCAPE = "|", "\\"
HASH_DIGITS = 32  # hexadecimal: 128 of the 256 bits

# Which texts the types of a problem file take, once blanks around them are gone; the engine casts the same ones.
WHOLE_NUMBER = r"^[+-]?\d+(\.0*)?$"
NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
YES_OR_NO = {"true": True, "false": False, "1": True, "0": False}
BLANKS = " \t\n\r\v\f"
_LARGEST_INTEGER = 2**63  # is one more than 64 bits hold
_LONGEST_INTEGER = 20  # digits and sign


class KeyColumn(Protocol):
    """What a name depends on of a column's declaration."""

    @property
    def type(self) -> str:
        """One of string, integer, number, boolean and timestamp."""

    @property
    def pii(self) -> str:
        """The privacy class, `none` or `identifier`: a problem file allows no other in a key."""


def row_key(
    record: Mapping[str, object], key: Sequence[str], columns: Mapping[str, KeyColumn], pii_key: str
) -> str | None:
    """Name the row that a record from outside is about.

    Args:
        record: values by column, as they stand in a raw log: text, or what JSON or Parquet made of it. From JSON, read
            numbers as text (`parse_float=str`): of `1.10` in a column of text nothing else remembers the zero.
        key: the problem's key columns, in their order.
        columns: the problem's columns.
        pii_key: secret of the keyed hash; may be empty where no key column is an identifier.

    Returns:
        the name; None where a part is missing, blank, or not of its column's type: ingest quarantines such a row, so
        that there is none of this name.

    Raises:
        BadSettings: a key column is an identifier, and `pii_key` is empty.
    """
    parts = []
    for name in key:
        text = _raw_text(record.get(name))
        if text is None or not text.strip(BLANKS):
            return None
        typed = _stored_text(text, columns[name].type)
        if typed is None:
            return None
        parts.append(hash_identifier(text, pii_key) if columns[name].pii == "identifier" else typed)
    return join_parts(parts)


def join_parts(parts: Sequence[str]) -> str:
    """Join the parts of a name; one part alone stands as it is."""
    if len(parts) == 1:
        return parts[0]
    escaped = (part.replace(ESCAPE, ESCAPE * 2).replace(SEPARATOR, ESCAPE + SEPARATOR) for part in parts)
    return SEPARATOR.join(escaped)


def hash_identifier(text: str, pii_key: str) -> str:
    """Replace an identifier by its keyed hash: the same person stays the same, and nobody without the key knows who.

    Raises:
        BadSettings: the key is empty.

    Source: the nested construction of Bellare, Canetti and Krawczyk 1996, with SHA-256; 128 bits are kept.
    """
    inner, outer = derived_keys(pii_key)
    digest = hashlib.sha256((inner + text).encode()).hexdigest()
    return hashlib.sha256((outer + digest).encode()).hexdigest()[:HASH_DIGITS]


def derived_keys(pii_key: str) -> tuple[str, str]:
    """Derive the two keys of the hash from the secret: they, and not the secret, may stand in the text of a query.

    Raises:
        BadSettings: the secret is empty, so that anybody could hash all identifiers and look them up.
    """
    if not pii_key:
        raise BadSettings(
            "MULGIL_PII_KEY is empty, and this problem has columns of class identifier, which are hashed with it. "
            "Set it, or the password of the Airflow connection mulgil_pii, to a long random text and keep it: another "
            "key gives the same person another hash."
        )
    inner, outer = (hashlib.sha256(f"{use}\x1f{pii_key}".encode()).hexdigest() for use in ("inner", "outer"))
    return inner, outer


def _raw_text(value: object) -> str | None:
    """Write a value as a raw log does; None for what is missing."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def _stored_text(text: str, kind: str) -> str | None:
    """Type a text and write it as the engine writes what it stored; None where it is not of its type."""
    stripped = text.strip(BLANKS)
    if kind == "integer":
        digits = re.sub(r"^([+-]?)0*(?=\d)|\.0*$", r"\1", stripped)
        is_small = re.match(WHOLE_NUMBER, stripped, re.ASCII) and len(digits) <= _LONGEST_INTEGER
        whole = int(digits) if is_small else _LARGEST_INTEGER
        return str(whole) if -_LARGEST_INTEGER <= whole < _LARGEST_INTEGER else None
    if kind == "number":
        number = float(stripped) if re.match(NUMBER, stripped, re.ASCII) else math.inf
        return repr(number) if math.isfinite(number) else None
    if kind == "boolean":
        known = YES_OR_NO.get(stripped.lower())
        return None if known is None else str(known).lower()
    return _stored_time(stripped) if kind == "timestamp" else text


def _stored_time(text: str) -> str | None:
    """Write a time in UTC, with as many digits of its second as it has."""
    try:
        moment = datetime.fromisoformat(re.sub(r" (?=Z$|[+-]\d{2}:?\d{0,2}$)", "", text.upper()))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no time, or one whose year is none in UTC
        return None
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds").rstrip("0").rstrip(".") + "+00"
