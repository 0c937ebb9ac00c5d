import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from include.errors import BadLanding
from scripts import drop_logs as module
from scripts.drop_logs import DATA, DropReport, drop_logs, landing_folder, make_objects, write_object


def read_lines(path):
    # Not splitlines(): it also cuts at U+0085 and its like, which mails hold and JSON leaves as they are.
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().removesuffix("\n").split("\n")]


def stamps(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.gz")}


def test_every_mail_reaches_landing_unchanged_in_the_object_of_its_arrival_month(tmp_path):
    assert drop_logs("ad_review", tmp_path) == DropReport(n_objects=16, n_written=16, n_rows=6_046)
    landed = {}
    for path in (tmp_path / "ad_review").glob("arrived=*/mail.jsonl.gz"):
        rows = read_lines(path)
        landed |= {row["mail_id"]: row for row in rows}
        assert {(row["arrived_at"] or "unknown")[:7] for row in rows} == {path.parent.name.removeprefix("arrived=")}
    shipped = pq.read_table(DATA / "ad_review" / "mail.parquet").to_pylist()
    assert landed == {row["mail_id"]: row for row in shipped}


def test_no_answer_reaches_landing(tmp_path):
    drop_logs("ad_review", tmp_path)
    names = {name for path in tmp_path.rglob("*.gz") for name in read_lines(path)[0]}
    assert "label" not in names
    assert not [path for path in tmp_path.rglob("*") if "truth" in path.name]


def test_flights_are_dropped_by_local_day_and_a_second_drop_writes_nothing(tmp_path):
    assert drop_logs("flight_delay", tmp_path) == DropReport(n_objects=365, n_written=365, n_rows=336_776)
    evening = read_lines(tmp_path / "flight_delay/2013/01/flights-2013-01-31.jsonl.gz")
    assert {row["scheduled_at"][:10] for row in evening} == {"2013-01-31", "2013-02-01"}
    assert {row["month_local"] for row in evening} == {1}
    before = stamps(tmp_path)
    assert drop_logs("flight_delay", tmp_path) == DropReport(n_objects=365, n_written=0, n_rows=336_776)
    assert stamps(tmp_path) == before


def test_the_campaign_has_an_object_for_each_of_its_twelve_days(tmp_path):
    assert drop_logs("campaign", tmp_path) == DropReport(n_objects=12, n_written=12, n_rows=4_790)
    rows = read_lines(tmp_path / "campaign/2004/11/events-2004-11-04.jsonl.gz")
    assert {row["event_at"][:10] for row in rows} == {"2004-11-04"}
    assert [row["event_at"] for row in rows] == sorted(row["event_at"] for row in rows)


def test_a_field_book_has_an_object_for_each_season(tmp_path):
    assert drop_logs("penguins", tmp_path) == DropReport(n_objects=3, n_written=3, n_rows=344)
    birds = read_lines(tmp_path / "penguins/season=PAL0910/birds.jsonl.gz")
    assert {bird["Date Egg"][:4] for bird in birds} == {"2009"}
    assert "Culmen Length (mm)" in birds[0]


def test_hours_that_count_days_are_dropped_by_day(tmp_path):
    assert drop_logs("bikes", tmp_path) == DropReport(n_objects=365, n_written=365, n_rows=8_645)
    hours = read_lines(tmp_path / "bikes/2011/03/hours-2011-03-13.jsonl.gz")
    assert {(hour["day"], hour["mnth"]) for hour in hours} == {(72, "March")}
    assert [hour["hr"] for hour in hours] == [0, 1, *range(3, 24)]


def test_a_record_leaves_out_what_only_says_where_it_lies(tmp_path):
    assert drop_logs("credit_scoring", tmp_path) == DropReport(n_objects=2, n_written=2, n_rows=1_000)
    rows = read_lines(tmp_path / "credit_scoring/applications_1994-11.jsonl.gz")
    shipped = pq.read_table(DATA / "credit_scoring" / "applications.parquet").drop_columns(["delivery"])
    assert rows == shipped.to_pylist()[800:]


def test_a_half_written_object_is_replaced_and_its_neighbours_are_left_alone(tmp_path):
    drop_logs("campaign", tmp_path)
    target = tmp_path / "campaign/2004/11/events-2004-11-04.jsonl.gz"
    whole, before = target.read_bytes(), stamps(tmp_path)
    target.write_bytes(whole[: len(whole) // 2])
    assert drop_logs("campaign", tmp_path).n_written == 1
    assert target.read_bytes() == whole
    after = stamps(tmp_path)
    assert [path for path in before if after[path] != before[path]] == [target]


def test_a_write_that_dies_before_its_end_leaves_no_object_and_no_rest(tmp_path, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module.Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        write_object(tmp_path, "p/x.jsonl.gz", b"content")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_unfinished_file_never_lies_in_a_problem_s_folder(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module.Path, "replace", lambda self, target: seen.append((self, target)))
    write_object(tmp_path, "p/x.jsonl.gz", b"content")
    [(unfinished, target)] = seen
    assert target == tmp_path / "p" / "x.jsonl.gz"
    assert unfinished.parent == tmp_path / ".unfinished"


def test_an_object_can_be_read_by_everybody(tmp_path):
    write_object(tmp_path, "p/x.jsonl.gz", b"content")
    assert (tmp_path / "p" / "x.jsonl.gz").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("scheduled_at", "hour", "day"),
    [
        ("2013-01-31T23:59:00Z", 18, "2013-01-31"),
        ("2013-02-01T00:00:00Z", 19, "2013-01-31"),
        ("2013-02-01T04:59:00Z", 23, "2013-01-31"),
        ("2013-02-01T05:00:00Z", 0, "2013-02-01"),
        ("2013-07-01T03:59:00Z", 23, "2013-06-30"),
        ("2014-01-01T04:59:00Z", 23, "2013-12-31"),
    ],
)
def test_a_flight_belongs_to_the_day_that_new_york_has(tmp_path, scheduled_at, hour, day):
    (tmp_path / "flight_delay").mkdir()
    row = pa.table({"scheduled_at": [scheduled_at], "scheduled_hour_local": pa.array([hour], pa.int32())})
    pq.write_table(row, tmp_path / "flight_delay" / "flights.parquet")
    [(key, lines, n_lines)] = make_objects("flight_delay", tmp_path)
    assert key == f"{day[:4]}/{day[5:7]}/flights-{day}.jsonl.gz"
    assert (json.loads(lines), n_lines) == ({"scheduled_at": scheduled_at, "scheduled_hour_local": hour}, 1)


def test_a_problem_without_data_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(BadLanding, match=r"'penguin'; ad_review, flight_delay, campaign, .*penguins can be replayed"):
        drop_logs("penguin", tmp_path)
    with pytest.raises(BadLanding, match=r"mail\.parquet is missing"):
        list(make_objects("ad_review", tmp_path))


def test_a_place_is_a_folder_or_the_url_of_one():
    assert str(landing_folder("file:///a/b")) == "/a/b"
    assert str(landing_folder("a/b")) == "a/b"
    with pytest.raises(BadLanding, match="s3://bucket/x is no folder"):
        landing_folder("s3://bucket/x")
