import io

import pyarrow as pa
import pytest

from include.engine.fields import (
    count_fields,
    explain_flaws,
    extract_fields,
    find_unknown,
    pack_json,
    write_unknown,
)
from include.engine.formats import read_records
from include.engine.records import SCHEMA
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

pytestmark = pytest.mark.usefixtures("each_engine")


def records_of(*lines):
    batches = read_records("k", io.BytesIO("\n".join(lines).encode()), "jsonl")
    return relation_of_arrow(open_engine(), pa.Table.from_batches(list(batches), SCHEMA))


def fields_of(*lines, columns=("a", "b")):
    rows = explain_flaws(extract_fields(records_of(*lines), columns), columns[:1])
    return rows.order_by("_line_number").to_pyarrow().to_pylist()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"x"', "x"),
        ("1", "1"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("null", None),
        ('{"c":[1]}', '{"c":[1]}'),
        ('"caf\\u00e9\\n"', "café\n"),
        ("12345678901234567890", "12345678901234567890"),
        ("-1.50", "-1.5"),
        ('"1.50"', "1.50"),
        ('""', ""),
    ],
)
def test_every_kind_of_value_is_read_as_text(value, text):
    (row,) = fields_of(f'{{"a":{value}}}')
    assert (row["a"], row["b"], row["_flaw"]) == (text, None, None)


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ('{"a": ', "record is not JSON"),
        ("hello", "record is not JSON"),
        ("[1]", "record is not a JSON object"),
        ("null", "record is not a JSON object"),
    ],
)
def test_one_broken_record_among_good_ones_is_named_and_kept_as_it_stands(line, flaw):
    rows = fields_of('{"a":1}', line, '{"a":2}')
    assert [row["a"] for row in rows] == ["1", None, "2"]
    assert [row["_flaw"] for row in rows] == [None, flaw, None]
    assert rows[1]["_record"].removesuffix("\n") == line


def unknown_of(*lines, columns=("a",)):
    rows = write_unknown(find_unknown(extract_fields(records_of(*lines), columns), columns), "more")
    return rows.order_by("_line_number").to_pyarrow()["more"].to_pylist()


def test_fields_that_nobody_declared_are_kept_as_text_under_their_own_names():
    assert unknown_of('{"a":1,"z":2}', '{"z":"caf\\u00e9","y":{"b":[1]},"a":null}', '{"q/r~s":true,"n":null}') == [
        '{"z":"2"}',
        '{"y":"{\\"b\\":[1]}","z":"café"}',
        '{"n":null,"q/r~s":"true"}',
    ]


@pytest.mark.parametrize(
    "line", ['{"a":"x","z" : 2}', '{"z"\t:2,"a":"x"}', '{ "a":"x" , "z":2 }', '{"a":"x","z":2}', '{"a":"\\":","z":2}']
)
def test_one_field_more_is_found_however_it_is_written(line):
    assert unknown_of('{"a":"x"}', line, '{"a":"x"}') == [None, '{"z":"2"}', None]


def test_a_field_is_found_where_nobody_counted_the_keys():
    (batch,) = read_records("k", io.BytesIO(b"a,z\nx,2\ny,\n"), "csv")
    rows = relation_of_arrow(open_engine(), pa.Table.from_batches([batch]))
    found = write_unknown(find_unknown(extract_fields(rows, ["a"]), ["a"]), "more").order_by("_line_number")
    assert found.to_pyarrow()["more"].to_pylist() == ['{"z":"2"}', '{"z":null}']


@pytest.mark.parametrize("line", ['{"a":1}', '{"a":null}', "{}", '{"a":1,"a":2}', "broken", "[1]"])
def test_a_record_without_others_has_none(line):
    assert unknown_of(line) == [None]


def test_undeclared_fields_are_counted_by_rows():
    rows = relation_of_arrow(open_engine(), pa.table({"more": ['{"z":"1","y":"2"}', None, '{"z":"3","z":"4"}']}))
    assert count_fields(rows, "more") == {"y": 1, "z": 2}


def test_columns_are_packed_into_one_text_under_other_names():
    rows = extract_fields(records_of('{"a":"x","b":null}'), ["a", "b"])
    packed = pack_json(rows, {"a": "first", "b": "second"}, "packed").to_pyarrow()
    assert packed["packed"].to_pylist() == ['{"first":"x","second":null}']
