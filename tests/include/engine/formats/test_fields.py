import pytest

from include.engine.formats.fields import (
    NO_COLUMN,
    Field,
    Wanted,
    fields_of,
    group_by_field,
    plain_fields,
    wanted_of,
)
from include.problems.sections.source import Source


def make_source(**more):
    columns = {
        "id": {"type": "string", "from": "ID"},
        "at": {"type": "timestamp", "from": "meta.at"},
        "login": {"type": "string", "path": ["actor", "login"]},
        "score": {"type": "number", "missing": [-9, "?"]},
        "payload": {"type": "json", "pii": "free_text"},
    }
    settled = {"landing": "x", "grain": "day", "key": ["id"], "event_time": "at", "missing": ["NA"], "columns": columns}
    return Source(**(settled | more))


def test_each_column_knows_where_it_stands_and_what_stands_for_none():
    ident, at, login, score, payload = fields_of(make_source())
    assert ident == Field("id", (("ID",),), is_text=True, codes=("NA",))
    assert (at.paths, at.names) == ((("meta.at",), ("meta", "at")), ("meta.at", "meta"))
    assert (login.paths, login.names, login.is_plain) == ((("actor", "login"),), ("actor",), False)
    assert (score.codes, score.numbers, score.is_plain) == (("NA", "-9", "?"), (-9.0,), True)
    assert payload.is_json


def test_only_columns_that_name_or_place_a_row_are_required():
    assert wanted_of(make_source()).required == {"id", "at"}
    placed = make_source(key=["_object", "_line"], event_time={"from": "object"})
    assert wanted_of(placed).required == frozenset()


def test_only_fields_that_something_is_taken_out_of_are_opened():
    assert wanted_of(make_source()).opened == {"meta", "actor", "payload"}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (["a", "b"], None),
        (["a", "other"], None),
        (["b"], "object lacks the column a, without which no row can be used"),
        (["x"], NO_COLUMN),
        (["A", "B"], f"{NO_COLUMN}; it has 2 of them otherwise written: below source.columns, write a: {{from: A}}, "),
        (["A", "a."], NO_COLUMN),
        (["B", "a"], None),
    ],
)
def test_a_header_is_told_what_it_lacks_and_how_to_read_it(found, said):
    complaint = Wanted(plain_fields(["a", "b"]), frozenset({"a"})).explain_header(found)
    assert complaint == said or complaint.startswith(f"{said}")
    assert said != NO_COLUMN or complaint == NO_COLUMN


@pytest.mark.parametrize(("name", "written"), [("A b", "A b"), ("a:", '"a:"'), ("A{}", '"A{}"')])
def test_a_proposed_line_is_one_that_yaml_reads_as_the_name(name, written):
    column = "a_b" if "b" in name else "a"
    assert Wanted(plain_fields([column])).propose([name]).endswith(f"write {column}: {{from: {written}}}")


def test_of_many_columns_alike_a_handful_of_lines_is_shown():
    wanted = Wanted(plain_fields([f"c{i}" for i in range(500)]))
    assert wanted.propose([f"C{i}" for i in range(500)]).endswith("c39: {from: C39}, and 460 more alike")


def test_columns_that_may_share_a_field_are_one_group():
    fields = [Field("x", (("a.b",), ("a", "b"))), Field("y", (("a.b",),)), Field("z", (("c",),)), Field("w", (("a",),))]
    assert sorted(map(sorted, group_by_field(fields))) == [["w", "x", "y"], ["z"]]
