"""Reads the fields of raw records as text, all at once, in the engine's own JSON functions.

One bad field never loses a row: everything stays text here, and typing says later what does not fit.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

import ibis

from include.engine.duckdb_sql import quote_text, select
from include.engine.formats.fields import Field, Step, group_by_field
from include.engine.formats.record_batches import DOCUMENT, FLAW, N_KEYS, NOT_JSON

NOT_FINITE = r"\s*[+-]?(?i:nan|inf|infinity)\s*"

NOT_AN_OBJECT = "record is not a JSON object"
HALF_CHARACTER = "record holds half of a character: one of two surrogates without the other"
DOUBLED = "record has a field twice"
# A list of {name, value}, both text: the fields that nobody declared; null where there are none.
UNKNOWN = "_unknown"
_FOUND = "array<struct<name: string, value: string>>"
# The keys of a record as they stand, doubled ones twice; null where it surely has no others than the declared ones.
KEYS = "_keys"
_HALF = r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_ENGINE_DOUBLE = r"-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)"
_JSON_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
# Of a field that nobody declared; any other may be a person's.
_PLAIN_NAME = "[A-Za-z_][A-Za-z0-9_]{0,47}"
_PLAIN_FIELD = re.compile(_PLAIN_NAME)
_BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
_REPLACEMENT = "\ufffd"


def extract_fields(records: ibis.Table, fields: Sequence[Field]) -> ibis.Table:
    """Read the fields of each record as text.

    Args:
        records: with the columns of `records.SCHEMA`.
        fields: where the columns stand.

    Returns:
        a row for each record, in the same order: what `records` has but the document, and each column as text, one
        that is kept whole as JSON text; it is null where the record does not have it, has null there or what stands
        for none, or has no document.
    """
    places = [(field, path) for field in fields if not field.is_json for path in field.paths]
    paths = ", ".join(_json_path(path) for _, path in places) or "'$'"
    held: dict[str, list[str]] = {field.column: [] for field in fields}
    for place, (field, _) in enumerate(places, 1):
        held[field.column].append(f"fields[{place}]")
    for field in fields:
        if field.is_json:
            held[field.column].append(_as_document(field))
    columns = ", ".join(f'{_first(values)} AS "{name}"' for name, values in held.items())
    spelled = ", ".join(f'{_as_spelled(field)} AS "{field.column}"' for field in fields if field.is_text)
    coded = ", ".join(f'{_without_codes(field)} AS "{field.column}"' for field in fields if field.codes)
    query = f"""
        SELECT * {f"REPLACE ({spelled})" if spelled else ""}
        FROM (
            SELECT * EXCLUDE (fields), {columns}
            FROM (SELECT *, TRY(json_extract_string({DOCUMENT}, [{paths}])) AS fields FROM {{rows}})
        )
    """
    if coded:
        query = f"SELECT * REPLACE ({coded}) FROM ({query})"
    return select(records, query, {field.column: "string" for field in fields})


def _first(values: Sequence[str]) -> str:
    """Take the first value that is there."""
    return values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"


def _json_path(path: Sequence[Step]) -> str:
    """Write where something stands, in SQL; a step that is a number is a place in a list, or a field of that name."""
    if len(path) == 1 and _PLAIN_FIELD.fullmatch(str(path[0])):
        return f"'$.\"{path[0]}\"'"
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
    return quote_text("/" + "/".join(escaped))


def _as_document(field: Field) -> str:
    """Write a field that is kept whole as JSON text without blanks; text that is an object or a list is taken for it.

    JSON's null is nothing.
    """
    held = _first([f"nullif(TRY(json_extract({DOCUMENT}, {_json_path(path)})), 'null'::JSON)" for path in field.paths])
    text = f"json_extract_string({held}, '$')"
    is_packed = f"regexp_matches({text}, '^\\s*[\\[{{]') AND json_valid({text})"
    opened = f"CASE WHEN json_type({held}) = 'VARCHAR' AND {is_packed} THEN json({text}) ELSE {held} END"
    return f"CAST({opened} AS VARCHAR)"


def _without_codes(field: Field) -> str:
    """Leave out what stands for no value."""
    name = f'"{field.column}"'
    asked = f"trim({name}, {_BLANKS}) IN ({', '.join(quote_text(code) for code in field.codes)})"
    if field.numbers:
        numbers = ", ".join(repr(number) for number in field.numbers)
        asked += f" OR TRY_CAST({name} AS DOUBLE) IN ({numbers})"
    return f"CASE WHEN {asked} THEN NULL ELSE {name} END"


def _as_spelled(field: Field) -> str:
    """Write a field as it is spelled: the engine writes a number as it would itself, 1.10 as 1.1.

    Only what looks like such a number, and is one, is looked for in the text; where it stands there in two spellings
    (in an inner object, say) nobody can tell which it is, and the engine's is taken.
    """
    name, steps = f'"{field.column}"', {str(path[-1]) for path in field.paths}
    key = "|".join(re.escape(step) for step in sorted(steps))
    pattern = (
        quote_text(f'"(?:{key})"\\s*:\\s*({_JSON_NUMBER})')
        if len(steps) > 1 or not field.is_plain
        else (f"'\"{field.column}\"\\s*:\\s*({_JSON_NUMBER})'")
    )
    kind = _first([f"json_type({DOCUMENT}, {_json_path(path)})" for path in field.paths])
    found = f"regexp_extract_all({DOCUMENT}, {pattern}, 1)"
    alike = f"list_distinct(list_filter({found}, lambda t: TRY_CAST(t AS DOUBLE) = TRY_CAST({name} AS DOUBLE)))"
    return f"""
        CASE WHEN {name} < ':' AND (contains({name}, '.') OR contains({name}, 'e'))
                  AND regexp_full_match({name}, '{_ENGINE_DOUBLE}')
             THEN CASE WHEN {kind} = 'DOUBLE' AND len({alike}) = 1
                       THEN {alike}[1] ELSE {name} END
             ELSE {name} END"""


def list_keys(records: ibis.Table, fields: Sequence[Field]) -> ibis.Table:
    """Add the keys of each record, in `_keys`; null where it surely has no others than `fields`, and none twice.

    Args:
        records: from `extract_fields` with these fields, with the document.
    """
    # A record with no more keys than fields that hold something has no others. Most are done with after looking at what
    # was counted when they were cut; only of the others the keys themselves are read.
    query = f"""
        SELECT *, CASE WHEN coalesce({N_KEYS} <= {_n_held(fields)}, false) THEN NULL
                       ELSE TRY(json_keys({DOCUMENT})) END AS {KEYS}
        FROM {{rows}}
    """
    return select(records, query, {KEYS: "array<string>"})


def _n_held(fields: Sequence[Field]) -> str:
    """Count the fields that hold something; two columns of one field are one field."""
    groups = group_by_field(fields)
    asked = [" OR ".join(f'"{column}" IS NOT NULL' for column in group) for group in groups]
    counted = " + ".join(f"CAST(({held}) AS BIGINT)" for held in asked)
    all_held = " AND ".join(f"({held})" if " OR " in held else held for held in asked)
    return f"CASE WHEN {all_held} THEN {len(groups)} ELSE {counted} END"


def explain_flaws(records: ibis.Table, fields: Sequence[Field], required: Sequence[str]) -> ibis.Table:
    """Say why a record is no JSON object, or cannot be told from another, in `_flaw`; null where it is sound.

    Args:
        records: from `list_keys`; of two values of one field nobody can say which is meant.
        fields: where the columns stand; a path that leads through a list without a place in it leads nowhere.
        required: those that name and place a row. Only records that lack one are looked at closely: whatever has them
            is an object; where none is required, those that hold nothing are. A text with U+0000 in it names nothing:
            no database takes it.
    """
    is_suspect = " OR ".join(f'"{name}" IS NULL' for name in required)
    is_suspect = is_suspect or " AND ".join(f'"{field.column}" IS NULL' for field in fields)
    through_list = " ".join(f"WHEN {asked} THEN {quote_text(said)}" for asked, said in _lists_on_the_way(fields))
    ordered = f"list_sort({KEYS})"
    doubled = f"list_filter(list_zip({ordered}, {ordered}[2:]), lambda pair: pair[1] = pair[2])[1][1]"
    with_zero = " ".join(
        f"WHEN contains(\"{name}\", chr(0)) THEN '{name} holds the character U+0000'" for name in required
    )
    without_halves = f"regexp_replace({DOCUMENT}, '{_HALF}', '{_REPLACEMENT}', 'g')"
    query = f"""
        SELECT
            * REPLACE (
                CASE
                    WHEN {FLAW} IS NOT NULL THEN {FLAW}
                    WHEN {KEYS} IS NOT NULL AND len({KEYS}) > len(list_distinct({KEYS}))
                    THEN CASE WHEN regexp_full_match({doubled}, '{_PLAIN_NAME}')
                              THEN 'record has the field ' || {doubled} || ' twice' ELSE '{DOUBLED}' END
                    {with_zero}
                    {through_list}
                    WHEN NOT ({is_suspect}) THEN NULL
                    WHEN NOT json_valid({DOCUMENT})
                    THEN CASE WHEN json_valid({without_halves}) THEN '{HALF_CHARACTER}' ELSE '{NOT_JSON}' END
                    WHEN json_type({DOCUMENT}) <> 'OBJECT' THEN '{NOT_AN_OBJECT}'
                END AS {FLAW}
            )
        FROM {{rows}}
    """
    return select(records, query, {})


def _lists_on_the_way(fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    """Give, for each path that names a field of something, how to ask whether that is a list, and what to say then."""
    for field in fields:
        for path in field.paths:
            for n in range(1, len(path)):
                if isinstance(path[n], str):
                    is_list = f"TRY(json_type({DOCUMENT}, {_json_path(path[:n])})) = 'ARRAY'"
                    mended = ", ".join(str(step) for step in (*path[:n], 0, *path[n:]))
                    rule = f"{field.column} is read through {path[n - 1]}, which is a list"
                    yield (
                        f'"{field.column}" IS NULL AND {is_list}',
                        f"{rule}: say which of its items, such as path: [{mended}]",
                    )


def find_unknown(records: ibis.Table, fields: Sequence[Field]) -> ibis.Table:
    """Add the fields that hold no column as a list of {name, value} in `_unknown`; null where there are none.

    A field of which a part is read counts as declared whole.

    Args:
        records: from `list_keys` with these fields.
    """
    known = ", ".join(quote_text(name) for name in dict.fromkeys(name for field in fields for name in field.names))
    # All at once, so that a record with thousands of fields is read once and not thousands of times.
    held = f"map_entries(TRY(CAST(CAST({DOCUMENT} AS JSON) AS MAP(VARCHAR, VARCHAR))))"
    named = f"{{'name': replace(e.key, chr(0), '{_REPLACEMENT}'), 'value': e.value}}"
    others = f"list_sort(list_transform(list_filter({held}, lambda e: e.key NOT IN ({known})), lambda e: {named}))"
    query = f"""
        SELECT * REPLACE (CASE WHEN len({UNKNOWN}) > 0 THEN {UNKNOWN} END AS {UNKNOWN})
        FROM (
            SELECT *, CASE WHEN len({KEYS}) > {_n_held(fields)} THEN {others} END AS {UNKNOWN}
            FROM {{rows}}
        )
    """
    return select(records, query, {UNKNOWN: _FOUND})


def keep_not_finite(rows: ibis.Table, typed: Mapping[str, str]) -> ibis.Table:
    """Add to `_unknown` what stands in a column of numbers and is none: NaN, or an infinity.

    The column holds nothing then, and what stood there is kept, and counted, with the fields that nobody declared.

    Args:
        rows: from `find_unknown`.
        typed: the columns of numbers, each with the one that holds what was read of it as a number.
    """
    if not typed:
        return rows
    holds = {
        name: f"""("{number}" IS NULL AND "{name}" IS NOT NULL AND regexp_full_match("{name}", '{NOT_FINITE}'))"""
        for name, number in typed.items()
    }
    entries = ", ".join(
        f"CASE WHEN {asked} THEN {{'name': '{name}', 'value': \"{name}\"}} END" for name, asked in holds.items()
    )
    added = f"list_filter([{entries}], lambda e: e IS NOT NULL)"
    query = f"""
        SELECT * REPLACE (
            CASE WHEN {" OR ".join(holds.values())} THEN list_concat(coalesce({UNKNOWN}, []), {added})
                 ELSE {UNKNOWN} END AS {UNKNOWN}
        )
        FROM {{rows}}
    """
    return select(rows, query, {})


def write_unknown(rows: ibis.Table, name: str) -> ibis.Table:
    """Add the fields in `_unknown` as one JSON text, all values as text; null where there are none.

    Args:
        name: of the new column.
    """
    pair = "CAST(to_json(f.name) AS VARCHAR) || ':' || coalesce(CAST(to_json(f.value) AS VARCHAR), 'null')"
    text = f"'{{' || array_to_string(list_transform({UNKNOWN}, lambda f: {pair}), ',') || '}}'"
    query = f'SELECT *, CASE WHEN {UNKNOWN} IS NOT NULL THEN {text} END AS "{name}" FROM {{rows}}'
    return select(rows, query, {name: "string"})


def count_fields(rows: ibis.Table, name: str, within: str) -> dict[str, dict[str, int]]:
    """Count in how many rows of each group each field stands, by the group and the field's name.

    Args:
        name: a column of JSON objects as text.
        within: the column that names a row's group; groups without a field are left out.
    """
    query = f"""
        SELECT "{within}" AS part, unnest(list_distinct(json_keys("{name}"))) AS field
        FROM {{rows}} WHERE "{name}" IS NOT NULL
    """
    columns = {"part": "string", "field": "string"}
    found = select(rows.select(name, within), query, columns, is_adding=False)
    counted = found.group_by("part", "field").aggregate(n_rows=found.count()).order_by("part", "field").to_pyarrow()
    groups: dict[str, dict[str, int]] = {}
    for row in counted.to_pylist():
        groups.setdefault(row["part"], {})[row["field"]] = row["n_rows"]
    return groups


def pack_json(rows: ibis.Table, fields: Mapping[str, str], name: str) -> ibis.Table:
    """Add a column that holds others as one JSON text.

    Args:
        fields: column to the field's name in the text.
        name: of the new column.
    """
    packed = ", ".join(f'"{field}" := "{column}"' for column, field in fields.items())
    query = f'SELECT *, CAST(to_json(struct_pack({packed})) AS VARCHAR) AS "{name}" FROM {{rows}}'
    return select(rows, query, {name: "string"})
