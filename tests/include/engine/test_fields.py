import pytest

from include.engine.fields import extract_fields, pack_json
from include.engine.records import read_records
from include.engine.session import open_engine


def fields_of(*lines, columns=("a", "b")):
    records = read_records("k", "\n".join(lines).encode(), "jsonl")
    return extract_fields(open_engine(), records, columns).order_by("_line_number").to_pyarrow().to_pylist()


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


def test_fields_that_nobody_asked_for_are_left_out():
    (row,) = fields_of('{"a":1,"z":2}', columns=("a",))
    assert set(row) == {"_object_key", "_line_number", "_record", "_flaw", "a"}


def test_columns_are_packed_into_one_text_under_other_names():
    records = read_records("k", b'{"a":"x","b":null}', "jsonl")
    rows = extract_fields(open_engine(), records, ["a", "b"])
    packed = pack_json(rows, {"a": "first", "b": "second"}, "packed").to_pyarrow()
    assert packed["packed"].to_pylist() == ['{"first":"x","second":null}']
