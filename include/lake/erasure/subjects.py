"""Names a person by keyed hashes: enough to find what is held of them, and nothing to read their name from.

What belongs here: what a subject's name is, and which raw records are theirs. What does not: removing anything
(`erasure/erase.py`).
"""

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from include.engine.relations import relation_of_arrow
from include.errors import BadSettings, BadSubject
from include.lake.masking import ADDRESS, hash_identifier
from include.names import SUBJECT_TOKEN
from include.problems.sections.source import Source

ERASED = "erased on request"
# Secret of a key to the hashes of those who were erased.
Erased = Mapping[str, Collection[str]]


def key_id(pii_key: str) -> str:
    """Name a key, without telling what it is."""
    return hashlib.sha256(f"id\x1f{pii_key}".encode()).hexdigest()[:8]


_NAMING = {"identifier", "contact"}


def subject_columns(source: Source) -> list[str]:
    """Name the columns whose value may name a person: identifiers, contacts, and what makes the row's key."""
    return [name for name, column in source.columns.items() if column.pii in _NAMING or name in source.key]


def subject_name(text: ir.StringValue) -> ir.StringValue:
    """Bring what names a person to one form: the first e-mail address in small letters, else the text without blanks.

    Args:
        text: a text expression, as it stands in a raw log.
    """
    address = text.re_extract(ADDRESS, 0).lower()
    return ibis.ifelse(text.re_search(ADDRESS), address, text.strip())


def subject_token(engine: ibis.BaseBackend, subject: str, pii_keys: Sequence[str]) -> str:
    """Hash who is to be erased, once with each key.

    Args:
        subject: as it stands in the raw logs.
        pii_keys: the newest first.

    Raises:
        BadSubject: there is nothing but blanks.
        BadSettings: a key is empty.
    """
    if not subject.strip():
        raise BadSubject("The subject is blank. Give the value of a column as it stands in the raw logs.")
    rows = relation_of_arrow(engine, pa.table({"subject": [subject]}))
    hashes = {key_id(key): hash_identifier(subject_name(rows.subject), key) for key in pii_keys}
    (found,) = rows.select(**hashes).to_pyarrow().to_pylist()
    return ",".join(f"{name}:{value}" for name, value in found.items())


def read_token(token: str) -> dict[str, str]:
    """Read a token as id of a key to hash.

    Raises:
        BadSubject: it is not what `subject_token` writes; the message does not repeat it, it may be a name.
    """
    if not re.fullmatch(SUBJECT_TOKEN, token):
        raise BadSubject(
            "The subject is no token, which is 8 and 32 hexadecimal digits with a colon between. "
            "`.venv/bin/python -m scripts.subject_token` asks for the value and prints its token."
        )
    return dict(part.split(":") for part in token.split(","))


def by_secret(hashes: Sequence[Mapping[str, str]], pii_keys: Sequence[str]) -> dict[str, set[str]]:
    """Sort the hashes of erased subjects by the key that made them.

    Args:
        hashes: of each subject, id of a key to hash.
        pii_keys: that this house has.

    Raises:
        BadSettings: it has none of the keys that a subject was hashed with, and would take the subject in again.
    """
    secrets = {key_id(key): key for key in pii_keys if key}
    lost = [subject for subject in hashes if not secrets.keys() & subject.keys()]
    if lost:
        raise BadSettings(
            f"{len(lost)} of {len(hashes)} erased subjects were hashed with keys that this house does not have, the "
            f"first with {', '.join(sorted(lost[0]))}: their rows would come back. Put the keys into "
            "MULGIL_PII_OLDER_KEYS, or into older_keys of the Airflow connection mulgil_pii."
        )
    found: dict[str, set[str]] = {}
    for subject in hashes:
        for name in secrets.keys() & subject.keys():
            found.setdefault(secrets[name], set()).add(subject[name])
    return found


def is_erased(rows: ibis.Table, columns: Sequence[str], erased: Erased) -> ir.BooleanValue:
    """Say which raw records name somebody who was erased.

    Args:
        rows: with the columns as text.
        columns: from `subject_columns`.
    """
    found: ir.BooleanValue = ibis.literal(False)
    for key, hashes in erased.items():
        for name in columns:
            found |= hash_identifier(subject_name(rows[name]), key).isin(sorted(hashes)).fill_null(False)
    return found
