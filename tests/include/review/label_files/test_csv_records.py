import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.review.label_files.csv_records import read_records, write_records


def test_a_table_is_read_by_its_first_line_and_blank_cells_are_left_out():
    table = b"\xef\xbb\xbfitem_id;label;note\r\nm1;junk;\r\n;;\r\nm2;wanted;fine\r\n"
    assert list(read_records(table)) == [
        (2, {"item_id": "m1", "label": "junk"}),
        (4, {"item_id": "m2", "label": "wanted", "note": "fine"}),
    ]


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (b"a,b\n1,2\n1,2,3\n4,5\n", "it has more fields than the first line names"),
        (b"a,a\n1,2\n", "a field stands in it twice"),
        (b"a,b\n\xff,2\n", "not UTF-8"),
        (b'a,b\n1,2\n"3,4\n', "not a line of a table: a quote is not closed, or not doubled inside a text"),
    ],
)
def test_what_is_no_table_is_said_and_good_lines_are_kept(table, reason):
    found = list(read_records(table))
    assert reason in [str(record) for _, record in found if isinstance(record, ValueError)]


def test_an_empty_file_has_no_records():
    assert list(read_records(b"")) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_every_text_written_comes_back(texts):
    table = write_records([{"item": "x", "text": text} for text in texts], ["item", "text"])
    back = [record["text"] for _, record in read_records(table.encode()) if "text" in record]
    assert back == [text for text in texts if text.strip()]


def test_a_line_with_a_bad_quote_is_refused_alone_and_its_neighbours_are_kept():
    table = b'item_id,label,note\na,junk,fine\nb,junk,"he said "hi""\nc,wanted,"two\nlines"\n'
    found = list(read_records(table))
    assert [number for number, record in found if isinstance(record, ValueError)] == [3]
    kept = [record for _, record in found if isinstance(record, dict)]
    assert kept == [
        {"item_id": "a", "label": "junk", "note": "fine"},
        {"item_id": "c", "label": "wanted", "note": "two\nlines"},
    ]


@pytest.mark.parametrize(
    "table",
    [
        b'item_id,label\na,junk\nb,"junk\nc,wanted\nd,wanted\n',  # it never ends
        b'item_id,label\na,junk\nb,"junk\nc,"wanted"\nd,wanted\n',  # it ends at the next one
        b'item_id,label\na,junk\n"he said "no" and\nwent",junk,x\nd,wanted\n',  # what follows is no row
    ],
)
def test_where_a_quote_swallows_lines_the_file_is_refused_whole_and_each_line_counted(table):
    found = list(read_records(table))
    assert [number for number, _ in found] == [2, 3, 4, 5]
    assert all("a quote in line 3 " in str(record) for _, record in found)


def test_a_blank_line_after_a_bad_one_does_not_vouch_for_what_follows():
    table = b'item_id,label,note\n1,yes,"he said "hi""\n\n17,no\n and went"\n2,no,fine\n'
    found = list(read_records(table))
    assert [number for number, _ in found] == [2, 4, 5, 6]
    assert all("a quote in line 2 " in str(record) for _, record in found)
