import io

import pytest

from include.engine.formats.decompression import Content
from include.engine.formats.fields import Wanted, plain_fields
from include.engine.formats.json_records import IS_ARRAY, cut_json


def cut(content, *columns):
    wanted = Wanted(plain_fields(columns)) if columns else None
    pieces = Content(io.BytesIO(content))
    rows = [row for batch in cut_json("k", pieces, wanted) for row in batch.to_pylist()]
    return [row["_document"] and row["_document"].strip() for row in rows], pieces.flaw


@pytest.mark.parametrize(
    "content", [b'[{"a":1},{"a":2}]', b'\xef\xbb\xbf[\n{"a":1},\n{"a":2}\n]\n', b'[{"a":1}\n,{"a":2}]', b'[ {\n"a":1}]']
)
def test_an_array_of_all_records_is_one_flaw(content):
    assert cut(content) == ([], IS_ARRAY)


@pytest.mark.parametrize("first", [b"[1]", b'[{"b":1}]', b'[{"b":1}'])
def test_an_array_in_one_line_costs_its_neighbours_nothing(first):
    documents, flaw = cut(first + b'\n{"a":1}\n')
    assert (documents[-1], flaw) == ('{"a":1}', None)


@pytest.mark.parametrize("broken", [b'{"a":1,}', b'{"a":1, \t}', b'{"a":[1,],"b":",}"}'])
def test_a_comma_that_nothing_follows_is_no_json(broken):
    assert cut(b'{"a":",}"}\n' + broken + b'\n{"a":" ]"}\n') == (['{"a":",}"}', None, '{"a":" ]"}'], None)


@pytest.mark.parametrize("between", [b"\n", b"", b"\r", b"\n\xef\xbb\xbf"])
def test_records_nested_deeper_than_any_stack_are_cut_like_others(between):
    deep = b'{"a":' + b"[" * 5_000 + b'"]"' + b"]" * 5_000 + b"}"
    documents, _ = cut(deep + between + b'{"b":1}' + between + deep)
    assert documents == [deep.decode(), '{"b":1}', deep.decode()]


def test_records_whose_fields_differ_by_case_get_the_lines_to_write_once():
    documents, flaw = cut(b'{"LIMIT_BAL":1}\n{"LIMIT_BAL":2}\n', "limit_bal")
    assert documents == ['{"LIMIT_BAL":1}', '{"LIMIT_BAL":2}']
    assert flaw == (
        "object begins with records that have none of the columns of the problem's file; it has 1 of them otherwise "
        "written: below source.columns, write limit_bal: {from: LIMIT_BAL}"
    )


@pytest.mark.parametrize(
    "content", [b'{"x":1}\n', b'{"A":1}\n{"a":1}\n', b'{"A":1,"a":1}\n', b"[1]\n", b"A\n", b'{"A":'], ids=repr
)
def test_records_of_which_some_have_their_fields_are_told_nothing(content):
    assert cut(content, "a")[1] is None
