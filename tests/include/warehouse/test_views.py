import pytest
from sqlalchemy import text

from include.warehouse.views import create_views, drop_views, read_views


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
    write(tmp_path, a="-- Grain: it's one row.\n-- Unit: %.\nSELECT 'a%(x)s%' AS odd, ':y' AS colon;\n")
    with warehouse.begin() as connection:
        assert create_views(connection, tmp_path) == ["a"]
        assert connection.execute(text("SELECT odd, colon FROM bi.a")).all() == [("a%(x)s%", ":y")]
        comment = connection.scalar(text("SELECT obj_description('bi.a'::regclass)"))
    assert comment == "Grain: it's one row.\nUnit: %."


def test_a_view_whose_file_is_gone_goes_too(warehouse, tmp_path):
    write(tmp_path, a="-- Grain: one row.\nSELECT 1 AS one", b="-- Grain: a.\nSELECT one\nFROM bi.a")
    with warehouse.begin() as connection:
        create_views(connection, tmp_path)
        (tmp_path / "b.sql").unlink()
        create_views(connection, tmp_path)
        left = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")).all()
        drop_views(connection)
        after = connection.scalars(text("SELECT viewname FROM pg_views WHERE schemaname = 'bi'")).all()
    assert (left, after) == (["a"], [])
