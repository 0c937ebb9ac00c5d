"""Reads the fields of raw records as text, all at once, in the engine's own JSON functions.

One bad field never loses a row: everything stays text here, and typing says later what does not fit.
"""

from collections.abc import Mapping, Sequence

import ibis

from include.engine.embedded_sql import select
from include.engine.records import DOCUMENT, FLAW, N_KEYS

NOT_JSON = "record is not JSON"
NOT_AN_OBJECT = "record is not a JSON object"
# A list of {name, value}, both text: the fields that nobody declared; null where there are none.
UNKNOWN = "_unknown"
_FOUND = "array<struct<name: string, value: string>>"


def extract_fields(records: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Read the named fields of each record as text.

    Args:
        records: with the columns of `records.SCHEMA`.
        columns: names of fields.

    Returns:
        a row for each record, in the same order: what `records` has but the document, and each field as text; a field
        is null where the record does not have it, has null there, or has a flaw.
    """
    paths = ", ".join(f"'$.\"{name}\"'" for name in columns)
    fields = ", ".join(f'fields[{place}] AS "{name}"' for place, name in enumerate(columns, 1))
    query = f"""
        SELECT * EXCLUDE (fields), {fields}
        FROM (SELECT *, TRY(json_extract_string({DOCUMENT}, [{paths}])) AS fields FROM {{rows}})
    """
    return select(records, query, dict.fromkeys(columns, "string"))


def explain_flaws(records: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Say why a record is no JSON object, in `_flaw`; null where it is one.

    Only records that lack one of `columns` are looked at: whatever has them is an object.
    """
    is_suspect = " OR ".join(f'"{name}" IS NULL' for name in columns)
    query = f"""
        SELECT
            * REPLACE (
                CASE
                    WHEN NOT ({is_suspect}) OR {FLAW} IS NOT NULL THEN {FLAW}
                    WHEN NOT json_valid({DOCUMENT}) THEN '{NOT_JSON}'
                    WHEN json_type({DOCUMENT}) <> 'OBJECT' THEN '{NOT_AN_OBJECT}'
                END AS {FLAW}
            )
        FROM {{rows}}
    """
    return select(records, query, {})


def find_unknown(records: ibis.Table, columns: Sequence[str]) -> ibis.Table:
    """Add the fields that are none of `columns` as a list of {name, value} in `_unknown`; null where there are none.

    Args:
        records: from `extract_fields` with these columns, with the document.
    """
    # A record with no more keys than fields that hold something has no others. Most are done with after looking at what
    # was counted when they were cut; only of the others the keys themselves are counted.
    counted = " + ".join(f'CAST("{name}" IS NOT NULL AS BIGINT)' for name in columns)
    all_held = " AND ".join(f'"{name}" IS NOT NULL' for name in columns)
    n_held = f"CASE WHEN {all_held} THEN {len(columns)} ELSE {counted} END"
    known = ", ".join(f"'{name}'" for name in columns)
    pointer = "'/' || replace(replace(k, '~', '~0'), '/', '~1')"
    others = f"list_filter(list_sort(list_distinct(TRY(json_keys({DOCUMENT})))), lambda k: k NOT IN ({known}))"
    entries = f"list_transform({others}, lambda k: {{'name': k, 'value': {DOCUMENT} ->> ({pointer})}})"
    query = f"""
        SELECT
            *,
            CASE
                WHEN coalesce({N_KEYS} <= {n_held}, false) THEN NULL
                WHEN coalesce(len(TRY(json_keys({DOCUMENT}))), 0) > {n_held}
                THEN CASE WHEN len({others}) > 0 THEN {entries} END
            END AS {UNKNOWN}
        FROM {{rows}}
    """
    return select(records, query, {UNKNOWN: _FOUND})


def write_unknown(rows: ibis.Table, name: str) -> ibis.Table:
    """Add the fields in `_unknown` as one JSON text, all values as text; null where there are none.

    Args:
        name: of the new column.
    """
    pair = "CAST(to_json(f.name) AS VARCHAR) || ':' || coalesce(CAST(to_json(f.value) AS VARCHAR), 'null')"
    text = f"'{{' || array_to_string(list_transform({UNKNOWN}, lambda f: {pair}), ',') || '}}'"
    query = f'SELECT *, CASE WHEN {UNKNOWN} IS NOT NULL THEN {text} END AS "{name}" FROM {{rows}}'
    return select(rows, query, {name: "string"})


def count_fields(rows: ibis.Table, name: str) -> dict[str, int]:
    """Count in how many rows each field stands, by the field's name.

    Args:
        name: a column of JSON objects as text.
    """
    query = f'SELECT unnest(list_distinct(json_keys("{name}"))) AS field FROM {{rows}} WHERE "{name}" IS NOT NULL'
    found = select(rows.select(name), query, {"field": "string"}, is_adding=False)
    counted = found.group_by("field").aggregate(n_rows=found.count()).order_by("field").to_pyarrow()
    return dict(zip(counted["field"].to_pylist(), counted["n_rows"].to_pylist(), strict=True))


def pack_json(rows: ibis.Table, fields: Mapping[str, str], name: str) -> ibis.Table:
    """Add a column that holds others as one JSON text.

    Args:
        fields: column to the field's name in the text.
        name: of the new column.
    """
    packed = ", ".join(f'"{field}" := "{column}"' for column, field in fields.items())
    query = f'SELECT *, CAST(to_json(struct_pack({packed})) AS VARCHAR) AS "{name}" FROM {{rows}}'
    return select(rows, query, {name: "string"})
