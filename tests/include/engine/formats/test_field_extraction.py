import io
import json

import ibis
import pyarrow as pa
import pytest

from include.engine.formats.field_extraction import (
    count_fields,
    explain_flaws,
    extract_fields,
    find_unknown,
    keep_not_finite,
    list_keys,
    pack_json,
    write_unknown,
)
from include.engine.formats.fields import Field, plain_fields
from include.engine.formats.read_records import read_records
from include.engine.formats.record_batches import SCHEMA
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

pytestmark = pytest.mark.usefixtures("each_engine")

A = plain_fields(["a"])


def records_of(*lines):
    batches = read_records("k", io.BytesIO("\n".join(lines).encode()), "jsonl")
    return relation_of_arrow(open_engine(), pa.Table.from_batches(list(batches), SCHEMA))


def fields_of(*lines, columns=("a", "b")):
    fields = plain_fields(columns)
    rows = explain_flaws(list_keys(extract_fields(records_of(*lines), fields), fields), fields, columns[:1])
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


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ('{"a":1,"a":2}', "record has the field a twice"),
        ('{"a":1,"z":1,"b":2,"z":1}', "record has the field z twice"),
        ('{"a":1,"a":null}', "record has the field a twice"),
        ('{"a":1,"jane@example.org":1,"jane@example.org":2}', "record has a field twice"),
        ('{"a":"x\\u0000y"}', "a holds the character U+0000"),
        ('{"b":"\\ud83d"}', "record holds half of a character: one of two surrogates without the other"),
        ('{"b":"\\ud83d",}', "record is not JSON"),
        ('{"a":1,"b":{"a":1}}', None),
        ('{"a":"\\ud83d\\ude00","b":"x\\u0000y"}', None),
    ],
)
def test_what_cannot_be_told_or_stored_is_named_for_what_it_is(line, flaw):
    rows = fields_of('{"a":0}', line, '{"a":9}')
    assert [row["_flaw"] for row in rows] == [None, flaw, None]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("1.10", "1.10"),
        ("1e5", "1e5"),
        ("1E+5", "1E+5"),
        ("12345678901234567890.5", "12345678901234567890.5"),
        ("-0.0", "-0.0"),
        ('"1.10"', "1.10"),
        ('"1.1e3 apples"', "1.1e3 apples"),
        ("7", "7"),
    ],
)
def test_a_number_in_a_text_keeps_its_spelling(written, text):
    lines = [f'{{"z":{{"b":2.50}},"a":{written}}}', f'{{"a" : {written} , "b":"a\\":9.90"}}']
    rows = extract_fields(records_of(*lines), plain_fields(["a"], ["a"])).to_pyarrow()
    assert rows["a"].to_pylist() == [text, text]


def test_what_stands_for_no_number_is_kept_beside_what_nobody_declared():
    lines = ['{"a":NaN,"z":1}', '{"a":"-inf"}', '{"a":1.5}', '{"a":"nano"}', "{}"]
    keyed = list_keys(extract_fields(records_of(*lines), A), A)
    typed = find_unknown(keyed, A).mutate(number=ibis.null("float64"))
    rows = write_unknown(keep_not_finite(typed, {"a": "number"}), "more").order_by("_line_number")
    assert rows.to_pyarrow()["more"].to_pylist() == ['{"z":"1","a":"NaN"}', '{"a":"-inf"}', None, None, None]


def test_five_thousand_undeclared_fields_are_all_kept():
    line = json.dumps({"a": 1} | {f"f{i:04}": str(i) for i in range(5_000)})
    (found,) = unknown_of(line)
    assert json.loads(found) == {f"f{i:04}": str(i) for i in range(5_000)}


def test_a_name_with_a_zero_character_is_cleaned():
    assert unknown_of('{"a":1,"x\\u0000y":2}') == ['{"x\ufffdy":"2"}']


def unknown_of(*lines, columns=("a",)):
    fields = plain_fields(columns)
    keyed = list_keys(extract_fields(records_of(*lines), fields), fields)
    rows = write_unknown(find_unknown(keyed, fields), "more")
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
    keyed = list_keys(extract_fields(rows, A), A)
    found = write_unknown(find_unknown(keyed, A), "more").order_by("_line_number")
    assert found.to_pyarrow()["more"].to_pylist() == ['{"z":"2"}', '{"z":null}']


@pytest.mark.parametrize("line", ['{"a":1}', '{"a":null}', "{}", "broken", "[1]"])
def test_a_record_without_others_has_none(line):
    assert unknown_of(line) == [None]


def test_undeclared_fields_are_counted_by_rows():
    more = ['{"z":"1","y":"2"}', None, '{"z":"3","z":"4"}', '{"z":"5"}', None]
    rows = relation_of_arrow(open_engine(), pa.table({"more": more, "of": ["a", "a", "a", "b", "c"]}))
    assert count_fields(rows, "more", "of") == {"a": {"y": 1, "z": 2}, "b": {"z": 1}}


def test_columns_are_packed_into_one_text_under_other_names():
    rows = extract_fields(records_of('{"a":"x","b":null}'), plain_fields(["a", "b"]))
    packed = pack_json(rows, {"a": "first", "b": "second"}, "packed").to_pyarrow()
    assert packed["packed"].to_pylist() == ['{"first":"x","second":null}']


def read_one(line, *fields):
    rows = explain_flaws(list_keys(extract_fields(records_of(line), fields), fields), fields, [])
    (row,) = find_unknown(rows, fields).to_pyarrow().to_pylist()
    return row


@pytest.mark.parametrize(
    ("line", "paths", "text"),
    [
        ('{"LIMIT":1}', [("LIMIT",)], "1"),
        ('{"a.b":"name","a":{"b":"path"}}', [("a.b",), ("a", "b")], "name"),
        ('{"a":{"b":"path"}}', [("a.b",), ("a", "b")], "path"),
        ('{"a":[{"b":"x"},{"b":1.10}]}', [("a", 1, "b")], "1.10"),
        ('{"a":{"0":"key"}}', [("a.0",), ("a", 0)], "key"),
        ('{"it\'s (a/b~c)":7}', [("it's (a/b~c)",)], "7"),
        ('{"{rows}":7}', [("{rows}",)], "7"),
        ('{"a":{"b":null}}', [("a", "b")], None),
        ('{"a":"no object"}', [("a", "b")], None),
        ('{"a":[]}', [("a", 0)], None),
    ],
)
def test_a_column_is_read_by_its_name_first_and_its_path_second(line, paths, text):
    row = read_one(line, Field("x", tuple(paths), is_text=True))
    assert (row["x"], row["_flaw"], row["_unknown"]) == (text, None, None)


def test_a_path_through_a_list_is_told_with_the_path_to_write():
    row = read_one('{"commits":[{"sha":"1"}]}', Field("sha", (("commits", "sha"),)))
    said = "sha is read through commits, which is a list: say which of its items, such as path: [commits, 0, sha]"
    assert row["_flaw"] == said


def test_two_columns_of_one_field_hide_no_field_that_nobody_declared():
    row = read_one('{"a":"5","b":"6"}', Field("x", (("a",),)), Field("y", (("a",),)))
    assert (row["x"], row["y"], row["_unknown"]) == ("5", "5", [{"name": "b", "value": "6"}])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('{"b" : 1.10, "a":[ 1, {"c":"\\u00e9"} ]}', '{"b":1.1,"a":[1,{"c":"é"}]}'),
        ('"{\\"a\\": 1}"', '{"a":1}'),
        ('"[deleted]"', '"[deleted]"'),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ("null", None),
    ],
)
def test_a_document_is_kept_whole_as_json_without_blanks(value, text):
    assert read_one(f'{{"a":{value}}}', Field("a", (("a",),), is_json=True))["a"] == text


@pytest.mark.parametrize("value", ['"?"', '" ? "', "-9", '"-9.0"', '"-9"'])
def test_a_code_is_nothing_however_it_is_written(value):
    field = Field("a", (("a",),), codes=("?", "-9"), numbers=(-9.0,))
    assert read_one(f'{{"a":{value},"b":1}}', field)["a"] is None


def test_a_text_that_only_holds_a_code_is_a_text():
    assert read_one('{"a":"what?"}', Field("a", (("a",),), codes=("?",)))["a"] == "what?"


@pytest.mark.parametrize("line", ["5", "nothing", "[1]"])
def test_a_record_that_is_no_object_is_told_where_nothing_is_required(line):
    assert read_one(line, *A)["_flaw"] in {"record is not a JSON object", "record is not JSON"}
