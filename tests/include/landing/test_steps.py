import os
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from sqlalchemy import select, update

from include.errors import BadLanding
from include.landing.steps import find_new_partitions
from include.names import Coverage, Stage
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.runs import COVERAGE


def find_all():
    return find_new_partitions(problem="flights")


def find():
    found = find_all()
    return {name: found[name] for name in ("partitions", "n_objects", "n_rows")}


def settle(landing, *keys, status=Coverage.DONE):
    with landing.house.engine.begin() as connection:
        for key in keys:
            mark(connection, "flights", Stage.INGEST, key, status)


def fed_by(landing):
    with landing.house.engine.begin() as connection:
        query = select(LANDING_PARTITION.c.partition_key, LANDING_PARTITION.c.object_key, LANDING_PARTITION.c.n_rows)
        return sorted(tuple(row) for row in connection.execute(query))


def test_records_are_counted_where_their_own_time_puts_them(landing, flight):
    key = landing.drop(
        "jan.jsonl.gz", flight("a"), flight("b", "2013-02-01T00:00:00Z"), flight("c", "2013-01-31T23:59:59Z")
    )
    assert find() == {"partitions": ["2013-01", "2013-02"], "n_objects": 1, "n_rows": 3}
    assert fed_by(landing) == [("2013-01", key, 2), ("2013-02", key, 1)]


def test_a_zone_moves_a_record_to_its_utc_month(landing, flight):
    landing.drop("a.jsonl", flight("a", "2013-02-01T00:30:00+09:00"))
    assert find()["partitions"] == ["2013-01"]


@pytest.mark.parametrize("bad", ["0102-09-01T10:00:00Z", "2028-01-01T00:00:00Z", "yesterday", "", None])
def test_one_record_without_a_usable_time_among_good_ones_goes_home(landing, flight, bad):
    key = landing.drop("a.jsonl", flight("a", "2013-02-05T00:00:00Z"), flight("b", bad))
    find()
    assert fed_by(landing) == [("2013-02", key, 2)]


def test_the_bounds_belong_to_the_range(landing, flight):
    landing.drop("a.jsonl", flight("a", "2013-01-01T00:00:00Z"), flight("b", "2014-01-01T00:00:00Z"))
    landing.drop("b.jsonl", flight("c", "2014-01-01T00:00:01Z"))
    find()
    assert [(key, n) for key, _, n in fed_by(landing)] == [("2013-01", 1), ("2013-01", 1), ("2014-01", 1)]


def test_malformed_lines_are_counted_and_blank_ones_are_not(landing, flight):
    landing.drop("a.jsonl", flight("a"), '{"flight_id": "b", ', "", "[1]")
    assert find()["n_rows"] == 3


def test_a_settled_landing_is_silent_until_an_object_comes(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    find()
    settle(landing, "2013-01")
    assert find() == {"partitions": [], "n_objects": 0, "n_rows": 0}
    landing.drop("b.jsonl", flight("b", "2013-03-01T00:00:00Z"))
    assert find() == {"partitions": ["2013-03"], "n_objects": 1, "n_rows": 1}


def test_a_refused_partition_is_settled(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    find()
    settle(landing, "2013-01", status=Coverage.REFUSED)
    assert find()["partitions"] == []


def test_a_run_that_is_repeated_announces_again_what_it_announced(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    assert find()["partitions"] == ["2013-01"]
    again = find()
    assert (again["partitions"], again["n_objects"]) == (["2013-01"], 0)


def test_what_another_run_announced_is_left_alone_until_it_must_be_lost(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    find()
    other = {"problem": "flights", "run_id": "scheduled-next"}
    assert find_new_partitions(**other)["partitions"] == []
    with landing.house.engine.begin() as connection:
        long_ago = datetime.now(UTC) - timedelta(minutes=16)
        connection.execute(update(COVERAGE).where(COVERAGE.c.stage == "ingest").values(updated_at_utc=long_ago))
    assert find_new_partitions(**other)["partitions"] == ["2013-01"]
    assert find_new_partitions(problem="flights", run_id="the-one-after")["partitions"] == []


def test_a_running_partition_is_left_alone_until_it_must_be_lost(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    find()
    settle(landing, "2013-01", status=Coverage.RUNNING)
    assert find()["partitions"] == []
    with landing.house.engine.begin() as connection:
        long_ago = datetime.now(UTC) - timedelta(minutes=16)
        connection.execute(update(COVERAGE).where(COVERAGE.c.stage == "ingest").values(updated_at_utc=long_ago))
    assert find()["partitions"] == ["2013-01"]


def test_a_changed_object_wakes_the_partitions_it_feeds_and_those_it_fed(landing, flight):
    key = landing.drop("a.jsonl", flight("a"), flight("b", "2013-02-01T00:00:00Z"))
    find()
    settle(landing, "2013-01", "2013-02")
    landing.drop("a.jsonl", flight("a"), flight("b", "2013-03-01T00:00:00Z"))
    assert find()["partitions"] == ["2013-01", "2013-02", "2013-03"]
    assert fed_by(landing) == [("2013-01", key, 1), ("2013-03", key, 1)]
    with landing.house.engine.begin() as connection:
        assert set(read_statuses(connection, "flights", Stage.INGEST).values()) == {Coverage.WAITING}


def test_a_touched_object_with_the_same_bytes_wakes_nobody(landing, flight):
    key = landing.drop("a.jsonl", flight("a"))
    find()
    settle(landing, "2013-01")
    os.utime(landing.folder / key, ns=(1, 1))
    assert find() == {"partitions": [], "n_objects": 1, "n_rows": 1}
    assert find()["n_objects"] == 0


def test_hidden_and_unfinished_objects_are_not_read(landing, flight):
    for name in (".part.jsonl", "_tmp/a.jsonl", ".unfinished/a.jsonl"):
        landing.drop(name, flight("a"))
    assert find()["n_objects"] == 0


@pytest.mark.parametrize("name", ["empty.jsonl", "empty.jsonl.gz"])
def test_an_empty_object_is_reported_once_and_feeds_nobody(landing, flight, name):
    key = landing.drop(name)
    landing.drop("a.jsonl", flight("a"))
    found = find_all()
    assert (found["flaws"], found["n_objects"], found["n_rows"]) == ({key: "object is empty"}, 2, 1)
    with landing.house.engine.begin() as connection:
        query = select(LANDING_OBJECT.c.flaw, LANDING_OBJECT.c.n_rows).where(LANDING_OBJECT.c.object_key == key)
        assert tuple(connection.execute(query).one()) == ("object is empty", 0)
    assert find_all()["flaws"] == {}


def test_no_landing_folder_yet_is_nothing_new(landing):
    assert find() == {"partitions": [], "n_objects": 0, "n_rows": 0}


def test_coverage_says_that_each_partition_landed(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", "2013-02-01T00:00:00Z"))
    find()
    with landing.house.engine.begin() as connection:
        assert read_statuses(connection, "flights", Stage.LAND) == {"2013-01": "done", "2013-02": "done"}
        home, n_rows = connection.execute(select(LANDING_OBJECT.c.home_partition, LANDING_OBJECT.c.n_rows)).one()
    assert (home, n_rows) == ("2013-01", 2)


@pytest.mark.parametrize(("grain", "key"), [("hour", "2013-01-05T10"), ("day", "2013-01-05"), ("month", "2013-01")])
def test_the_grain_names_the_partition(landing, flight, grain, key):
    landing.write_problem(grain=grain)
    landing.drop("a.jsonl", flight("a"))
    assert find()["partitions"] == [key]


@pytest.fixture
def bucket(landing, s3_server, monkeypatch):
    host, port = s3_server
    for name, value in {
        "MULGIL_LANDING_URL": "s3://logs/raw",
        "MULGIL_S3_ENDPOINT": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="logs")
    yield client
    client.close()


def test_a_bucket_is_read_like_a_folder(landing, bucket, flight, monkeypatch):
    for number in range(5):
        content = (landing.folder / landing.drop(f"{number}.jsonl", flight(str(number)))).read_bytes()
        bucket.put_object(Bucket="logs", Key=f"raw/flights/{number}.jsonl", Body=content)
    bucket.put_object(Bucket="logs", Key="raw/flights_of_others/a.jsonl", Body=b"{}\n")
    assert find() == {"partitions": ["2013-01"], "n_objects": 5, "n_rows": 5}
    assert fed_by(landing)[0] == ("2013-01", "flights/0.jsonl", 1)
    assert find()["n_objects"] == 0


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_slash_at_the_end_of_a_prefix_changes_nothing(landing, bucket, slash):
    landing.write_problem(landing=f"team/rides{slash}")
    bucket.put_object(Bucket="logs", Key="raw/team/rides/a.jsonl", Body=b"{}\n")
    assert find()["n_objects"] == 1


def test_a_bucket_that_does_not_exist_says_what_to_check(landing, bucket, monkeypatch):
    monkeypatch.setenv("MULGIL_LANDING_URL", "s3://nowhere")
    with pytest.raises(BadLanding, match="MULGIL_LANDING_URL"):
        find()


@pytest.mark.slow
def test_more_objects_than_one_page_of_a_listing_are_all_seen(landing, bucket):
    for number in range(1001):
        bucket.put_object(Bucket="logs", Key=f"raw/flights/{number}.jsonl", Body=b"{}\n")
    assert find()["n_objects"] == 1001


def test_a_later_end_of_the_range_moves_only_the_rows_beyond_it(landing, flight):
    landing.drop("a.jsonl", flight("a"), flight("b", "2014-03-01T00:00:00Z"))
    landing.drop("b.jsonl", flight("c", "2013-02-01T00:00:00Z"))
    find()
    settle(landing, "2013-01", "2013-02")
    landing.write_problem(latest="2015-01-01T00:00:00Z")
    assert find() == {"partitions": ["2013-01", "2014-03"], "n_objects": 1, "n_rows": 2}
    assert [(key, n) for key, _, n in fed_by(landing)] == [("2013-01", 1), ("2013-02", 1), ("2014-03", 1)]
    settle(landing, "2013-01", "2014-03")
    assert find() == {"partitions": [], "n_objects": 0, "n_rows": 0}


def test_another_event_time_moves_every_record(landing, flight):
    landing.drop("a.jsonl", flight("a", seen="2013-05-01T00:00:00Z"))
    find()
    settle(landing, "2013-01")
    columns = {"flight_id": {"type": "string"}, "at": {"type": "timestamp"}, "seen": {"type": "timestamp"}}
    landing.write_problem(event_time="seen", columns=columns)
    assert find()["partitions"] == ["2013-01", "2013-05"]


def test_a_failing_partition_waits_twice_as_long_each_time_at_most_a_day(landing, flight):
    landing.drop("a.jsonl", flight("a"))
    find()
    other = {"problem": "flights", "run_id": "scheduled-next"}
    for n_failures, minutes in ((1, 15), (3, 60), (6, 480), (40, 1440)):
        for waited, is_announced in ((minutes - 1, False), (minutes + 1, True)):
            with landing.house.engine.begin() as connection:
                long_ago = datetime.now(UTC) - timedelta(minutes=waited)
                failed = {"status": "failed", "n_failures": n_failures, "run_id": "r", "updated_at_utc": long_ago}
                connection.execute(update(COVERAGE).where(COVERAGE.c.stage == "ingest").values(failed))
            assert bool(find_new_partitions(**other)["partitions"]) == is_announced, (n_failures, waited)
