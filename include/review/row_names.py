"""Names the rows that records from outside are about: lines of label files, recorded truth, gold.

What belongs here: which secrets a name may have been hashed with. What does not: how a row is named (`row_key.py`).
"""

from collections.abc import Mapping, Sequence

from include.problems.sections.source import Source
from include.row_key import row_key


def name_rows(source: Source, pii_keys: Sequence[str], record: Mapping[str, object]) -> list[str]:
    """Name the row that a record with key columns is about, by each secret that ingest may have hashed it with.

    Args:
        source: the problem's key and columns.
        pii_keys: secrets of the keyed hash for identifiers, the newest first; an empty one hashes nothing.
        record: values by column.

    Returns:
        the likeliest name first; none where a key column is missing or not of its type, or where it is an identifier
        and there is no secret.
    """
    is_hashed = any(column.pii == "identifier" for column in source.key_columns.values())
    secrets = [key for key in pii_keys if key] if is_hashed else [""]
    named = [row_key(record, source.key, source.key_columns, secret) for secret in secrets]
    return [name for name in named if name is not None]
