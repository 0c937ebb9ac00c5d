import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine, text

from include.errors import AuditFailed
from include.quality.gx_validation import ask, open_staged
from include.quality.suite import build_suite

pytestmark = pytest.mark.slow

NOT_NULL = {"expect": "ExpectColumnValuesToNotBeNull", "column": "origin", "severity": "stop"}


def query(staged, sql):
    engine = create_engine(staged.url)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()


def test_the_view_has_the_declared_columns_of_all_files_and_no_others(make_problem, stage):
    problem = make_problem(NOT_NULL)
    with open_staged(problem, [stage(3, name="a.parquet"), stage(2, name="b.parquet")]) as staged:
        assert (staged.n_rows, list(staged.missing)) == (5, [])
        columns = [row[0] for row in query(staged, "DESCRIBE staged")]
    assert columns == list(problem.source.columns)


def test_columns_of_ingest_are_seen_by_who_asks_for_them(make_problem, stage):
    with open_staged(make_problem(NOT_NULL), [stage(2)], ["_line_number"]) as staged:
        assert query(staged, "SELECT _line_number FROM staged ORDER BY 1") == [(1,), (2,)]


def test_columns_that_files_lack_are_all_named_and_rows_still_counted(make_problem, stage, tmp_path):
    path = tmp_path / "narrow.parquet"
    pq.write_table(pq.read_table(stage(4)).drop_columns(["seats", "email"]), path)
    with open_staged(make_problem(NOT_NULL), [path]) as staged:
        assert (staged.missing, staged.n_rows) == (["email", "seats"], 4)


def test_files_without_rows_are_a_view_without_rows(make_problem, stage):
    with open_staged(make_problem(NOT_NULL), [stage(0)]) as staged:
        assert (staged.n_rows, query(staged, "SELECT * FROM staged")) == (0, [])


def test_one_broken_file_among_good_ones_says_what_to_clear(make_problem, stage, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and no more")
    problem, message = make_problem(NOT_NULL), r"2 staged file\(s\) cannot be read .* Clear the task stage_partition"
    with pytest.raises(AuditFailed, match=message), open_staged(problem, [stage(2), broken]):
        pytest.fail("it was opened")


def test_two_audits_at_once_see_their_own_rows_and_end_with_their_block(make_problem, stage):
    problem = make_problem(NOT_NULL)
    with open_staged(problem, [stage(2, name="a.parquet")]) as first:
        with open_staged(problem, [stage(3, name="b.parquet")]) as second:
            counts = [query(staged, "SELECT count(*) FROM staged") for staged in (first, second)]
        assert counts == [[(2,)], [(3,)]]
    with pytest.raises(Exception, match="staged"):
        query(first, "SELECT count(*) FROM staged")


def test_moments_are_told_in_utc(make_problem, stage):
    with open_staged(make_problem(NOT_NULL), [stage(1)]) as staged:
        assert query(staged, "SELECT started_at::VARCHAR FROM staged") == [("2013-01-01 00:00:00+00",)]


def test_a_suite_is_answered_from_the_view_each_time_it_is_asked(make_problem, stage):
    problem = make_problem(NOT_NULL)
    files = [stage(3, origin=["EWR", None, "JFK"])]
    counts = {"result_format": "BASIC", "partial_unexpected_count": 0}
    with open_staged(problem, files) as staged:
        for _ in range(2):  # asked again, it is a suite and a context of its own
            (answer,) = ask(build_suite(problem), staged.url, counts).results
            assert (answer.success, answer.result["unexpected_count"]) == (False, 1)
            assert answer.result["partial_unexpected_list"] == []
