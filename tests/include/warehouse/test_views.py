import pytest
from sqlalchemy import text

from include.warehouse.views import create_views, drop_views, read_views, select_rows

ONE = "-- Grain: one row.\n-- Columns:\n--   one: a number\nSELECT 1 AS one"
ODD = """-- Grain: it's one row.
-- Unit: %.
-- Columns:
--   odd: text
--   colon: it's what a driver might take,
--     100 % of it
SELECT 'a%(x)s%' AS odd, ':y' AS colon;
"""


def write(folder, **views):
    for name, body in views.items():
        (folder / f"{name}.sql").write_text(body)


def test_a_view_that_reads_another_is_made_after_it(tmp_path):
    write(tmp_path, a="-- Grain: b.\nSELECT one\nFROM bi.b", b="-- Grain: one row.\nSELECT 1 AS one")
    assert [view.name for view in read_views(tmp_path)] == ["b", "a"]


def test_two_views_that_read_each_other_are_refused_by_name(tmp_path):
    write(tmp_path, a="-- Grain: b.\nSELECT one\nFROM bi.b", b="-- Grain: a.\nSELECT one\nFROM bi.a")
    with pytest.raises(ValueError, match=r"circle: (a -> b -> a|b -> a -> b)"):
        read_views(tmp_path)


def test_one_view_without_a_header_among_good_ones_is_refused(tmp_path):
    write(tmp_path, a="-- Grain: one row.\nSELECT 1 AS one", b="SELECT 1 AS one")
    with pytest.raises(ValueError, match=r"b\.sql does not start with a comment"):
        read_views(tmp_path)


def test_a_view_that_reads_one_without_a_file_is_refused(tmp_path):
    write(tmp_path, a="-- Grain: b.\nSELECT one\nFROM bi.b")
    with pytest.raises(ValueError, match=r"a\.sql reads bi\.b"):
        read_views(tmp_path)


def test_the_header_becomes_the_comment_and_percent_and_quotes_survive(warehouse, tmp_path):
    write(tmp_path, a=ODD)
    with warehouse.begin() as connection:
        assert create_views(connection, tmp_path) == ["a"]
        assert connection.execute(text("SELECT odd, colon FROM bi.a")).all() == [("a%(x)s%", ":y")]
        comments = [
            connection.scalar(text(query))
            for query in ("SELECT obj_description('bi.a'::regclass)", "SELECT col_description('bi.a'::regclass, 2)")
        ]
    assert comments == ["Grain: it's one row.\nUnit: %.", "it's what a driver might take, 100 % of it"]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("", r"1 of 2 columns of views have no comment \(a\.one\), and 0 of 1 comments"),
        ("-- Columns:\n--   one: a number\n--   two: a number\n", r"1 of 3 comments have no column \(a\.two\)"),
    ],
)
def test_a_column_without_comment_is_refused_and_a_comment_without_column(warehouse, tmp_path, columns, said):
    write(tmp_path, a=f"-- Grain: one row.\n{columns}SELECT 1 AS one", b=ONE)
    with warehouse.begin() as connection, pytest.raises(ValueError, match=said):
        create_views(connection, tmp_path)


def test_a_view_whose_file_is_gone_goes_too(warehouse, tmp_path):
    write(tmp_path, a=ONE, b="-- Grain: a.\n-- Columns:\n--   one: a number\nSELECT one\nFROM bi.a")
    with warehouse.begin() as connection:
        create_views(connection, tmp_path)
        (tmp_path / "b.sql").unlink()
        create_views(connection, tmp_path)
        left = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")).all()
        drop_views(connection)
        after = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")).all()
    assert (left, after) == (["a"], [])


def test_a_view_answers_for_one_problem_without_being_there(warehouse, tmp_path):
    select = "SELECT 'p' AS problem, 'said: %' AS cause, 1::INTEGER AS n\nUNION\nSELECT 'q', 'other', 2"
    write(tmp_path, a=f"-- Grain: one row.\n{select}")
    with warehouse.begin() as connection:
        found = select_rows(connection, "a", "p", tmp_path)
    assert found == [{"problem": "p", "cause": "said: %", "n": 1}]
