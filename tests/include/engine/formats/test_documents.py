import json

from hypothesis import given
from hypothesis import strategies as st

from include.engine.formats.documents import write_document


def test_packed_json_stands_in_the_document_as_it_is_spelled():
    fields = {"a": ' {"n": 1.10}', "b": "[1", "c": "[2]", "d": '{"x": Infinity}', "e": None}
    written = write_document(fields, {"a", "b", "d", "e", "absent"})
    assert written == '{"a":  {"n": 1.10}, "b": "[1", "c": "[2]", "d": "{\\"x\\": Infinity}", "e": null}'


def test_what_json_has_no_form_for_is_written_by_whoever_asks():
    assert write_document({"a": {1}, "b": "[]"}, {"b"}, default=sorted) == '{"a": [1], "b": []}'


def test_json_nested_too_deep_to_tell_stays_text():
    deep = "[" * 100_000
    assert json.loads(write_document({"a": deep}, {"a"})) == {"a": deep}


@given(st.dictionaries(st.text(), st.none() | st.text() | st.sampled_from(["{}", '{"a": "\\\\"}', "[1,", "{,}"])))
def test_a_document_is_json_whatever_the_fields_hold(fields):
    assert json.loads(write_document(fields, set(fields))).keys() == fields.keys()
