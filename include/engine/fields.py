"""Reads the fields of raw records as text, all at once, in the engine's own JSON functions.

One bad field never loses a row: everything stays text here, and typing says later what does not fit.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import pyarrow as pa

from include.engine.records import DOCUMENT, FLAW, RECORD
from include.engine.relations import relation_of_arrow
from include.names import LINE_NUMBER, OBJECT_KEY

NOT_JSON = "record is not JSON"
NOT_AN_OBJECT = "record is not a JSON object"


def extract_fields(engine: Any, records: pa.Table, columns: Sequence[str]) -> ibis.Table:
    """Read the named fields of each record as text.

    Args:
        records: as `records.read_records` gives them.
        columns: names of fields.

    Returns:
        a row for each record, in no order: object key, line number, `_record`, `_flaw` (null when it is an object) and
        each field as text; a field is null where the record does not have it, has null there, or has a flaw.
    """
    alias = ibis.util.gen_name("raw_records")
    shape = json.dumps(dict.fromkeys(columns, "VARCHAR")).replace("'", "''")
    fields = ", ".join(f'fields."{name}" AS "{name}"' for name in columns)
    query = f"""
        SELECT {OBJECT_KEY}, {LINE_NUMBER}, {RECORD}, {FLAW}, {fields}
        FROM (
            SELECT
                {OBJECT_KEY},
                {LINE_NUMBER},
                {RECORD},
                CASE
                    WHEN {FLAW} IS NOT NULL THEN {FLAW}
                    WHEN kind IS NULL THEN '{NOT_JSON}'
                    WHEN kind <> 'OBJECT' THEN '{NOT_AN_OBJECT}'
                END AS {FLAW},
                json_transform(CASE WHEN kind = 'OBJECT' THEN {DOCUMENT} ELSE '{{}}' END, '{shape}') AS fields
            FROM (
                SELECT *, CASE WHEN json_valid({DOCUMENT}) THEN json_type({DOCUMENT}) END AS kind FROM {alias}
            )
        )
    """
    return relation_of_arrow(engine, records).alias(alias).sql(query)


def pack_json(rows: ibis.Table, fields: Mapping[str, str], name: str) -> ibis.Table:
    """Add a column that holds others as one JSON text.

    Args:
        fields: column to the field's name in the text.
        name: of the new column.
    """
    alias = ibis.util.gen_name("rows")
    packed = ", ".join(f'"{field}" := "{column}"' for column, field in fields.items())
    return rows.alias(alias).sql(f'SELECT *, CAST(to_json(struct_pack({packed})) AS VARCHAR) AS "{name}" FROM {alias}')
