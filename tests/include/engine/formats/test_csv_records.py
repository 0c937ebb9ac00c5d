import gzip
import io
import json

import pytest

from include.engine.formats import csv_records
from include.engine.formats.csv_records import cut_csv, find_doubled
from include.engine.formats.decompression import CUT_SHORT, Content
from include.engine.formats.fields import NO_COLUMN, Field, Wanted, plain_fields
from include.engine.formats.record_batches import BROKEN_OFF

READ_BY_AUTO = "with format: auto it is read"


def cut(content, wanted=None, **more):
    wanted = Wanted(plain_fields(wanted)) if isinstance(wanted, list | tuple | set) else wanted
    pieces = Content(io.BytesIO(content), **more)
    rows = [row for batch in cut_csv("k", pieces, wanted) for row in batch.to_pylist()]
    return [(row["_line_number"], row["_document"], row["_flaw"]) for row in rows], pieces.flaw


def test_blank_lines_inside_of_quotes_are_kept_and_others_are_not():
    rows, _ = cut(b'a,b\n\n1,"x\n\ny"\n   \n\n2,z\n')
    assert [(n, document) for n, document, flaw in rows if flaw is None] == [
        (3, '{"a": "1", "b": "x\\n\\ny"}'),
        (8, '{"a": "2", "b": "z"}'),
    ]


def test_a_record_longer_than_is_held_ends_where_its_quote_does(monkeypatch):
    monkeypatch.setattr(csv_records, "MAX_RECORD_BYTES", 40)
    inside = b'1,2\n"",3\n' * 20
    rows, flaw = cut(b'a,b\n0,0\n9,"' + inside.replace(b'""', b'"" ') + b'"\n5,6\n')
    assert [document for _, document, _ in rows] == ['{"a": "0", "b": "0"}', None, '{"a": "5", "b": "6"}']
    assert (rows[1][2], flaw) == (csv_records.TOO_LONG, None)


def test_the_first_header_again_makes_the_records_below_it_readable_again():
    rows, flaw = cut(b"a,b,c\n1,2,3\nb,a,c\n4,5,6\na,b,c\n7,8,9\n")
    assert [document is not None for _, document, _ in rows] == [True, False, False, False, True]
    assert flaw == csv_records.OTHER_HEADER


def test_a_row_that_holds_one_name_of_a_column_is_no_header():
    rows, flaw = cut(b"a,b,c\na,2,3\nx,c,3\n")
    assert ([found for *_, found in rows], flaw) == ([None, None], None)


@pytest.mark.parametrize(
    ("names", "flaw"),
    [
        (["a", "b"], None),
        (["a", "b", "a"], "object has two columns 'a'"),
        (["j@x.org", "j@x.org"], "object has two columns of one name, 1 and 2"),
    ],
)
def test_a_doubled_column_is_named_unless_its_name_may_be_a_persons(names, flaw):
    assert find_doubled(names) == flaw


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b'[{"key": 1}]\n', NO_COLUMN),
        (b"<html>403; Forbidden</html>\n", NO_COLUMN),
        (b"x1,2013,first\nx2,2013,second\n", NO_COLUMN),
        (
            b'"key";"at"\n"x";"a,b"\n',
            f"object has semicolons between its fields, not commas; {READ_BY_AUTO}",
        ),
        (b"key|at|a,b\nx|y|z,z\n", f"object has '|' between its fields, not commas; {READ_BY_AUTO}"),
        (b"sep=;\nkey;at\nx;y\n", f"object has semicolons between its fields, not commas; {READ_BY_AUTO}"),
    ],
)
def test_a_header_without_any_declared_column_is_named_for_what_it_is(content, flaw):
    assert cut(content, ["key", "at"]) == ([], flaw)


def test_a_line_that_tells_excel_of_commas_is_no_header():
    assert cut(b"sep=,\r\nkey,at\r\nx,y\r\n", ["key"]) == ([(3, '{"key": "x", "at": "y"}', None)], None)


def test_the_last_value_of_a_cut_object_is_not_taken_for_whole():
    packed = gzip.compress(b"key,n\na,1234\nb,1234\n", 0)
    rows, flaw = cut(packed[:-11])
    assert ([(row[1], row[2]) for row in rows], flaw) == (
        [('{"key": "a", "n": "1234"}', None), (None, BROKEN_OFF)],
        CUT_SHORT,
    )
    whole, _ = cut(packed[:-8])
    assert [row[2] for row in whole] == [None, None]


CARDS = Wanted(plain_fields(["id", "limit_bal", "default_payment_next_month"]), frozenset({"id"}))


def test_a_header_that_differs_by_case_and_punctuation_gets_the_lines_to_write():
    _, flaw = cut(b"ID,LIMIT_BAL,default.payment.next.month\n1,2,3\n", CARDS)
    assert flaw == (
        "object has none of the columns of the problem's file; it has 3 of them otherwise written: below "
        "source.columns, write id: {from: ID}, limit_bal: {from: LIMIT_BAL}, "
        "default_payment_next_month: {from: default.payment.next.month}"
    )


def test_a_header_without_a_required_column_is_told_once():
    rows, flaw = cut(b"Id,limit_bal\n1,2\n3,4\n", CARDS)
    assert (rows, flaw) == (
        [],
        "object lacks the column id, without which no row can be used; it has 1 of them otherwise written: below "
        "source.columns, write id: {from: Id}",
    )


def test_json_in_a_cell_can_be_read_into_and_anything_else_stays_text():
    wanted = Wanted((Field("login", (("actor", "login"),)), Field("body", (("body",),), is_json=True)))
    rows, _ = cut(b'actor,body,more\n"{""login"": ""x""}","[1.10,",{}\nplain,"{""a"": NaN}",\n', wanted)
    assert [json.loads(document) for _, document, _ in rows] == [
        {"actor": {"login": "x"}, "body": "[1.10,", "more": "{}"},
        {"actor": "plain", "body": '{"a": NaN}', "more": None},
    ]
