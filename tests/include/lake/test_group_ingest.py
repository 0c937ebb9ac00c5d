import json

import pytest
import yaml
from sqlalchemy import select

from include.errors import BadLanding, PartitionRefused, WarehouseAway
from include.lake import group_ingest
from include.lake.catalog import find_table
from include.lake.reading import open_rows
from include.lake.steps import announce_settled, publish_group, stage_group
from include.landing.steps import find_new_partitions
from include.names import Stage
from include.quality.steps import audit_group
from include.warehouse.coverage import read_statuses
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.runs import RUN_STEP
from tests.include.lake.conftest import PROBLEM

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]
ABOUT = {"problem": "flights", "partition_key": MONTHS[0], "run_id": "r1"}
QUALITY = {"expectations": [{"expect": "ExpectColumnMaxToBeBetween", "column": "delay", "severity": "stop"}]}
QUALITY["expectations"][0]["arguments"] = {"max_value": 100}
pytestmark = pytest.mark.slow


@pytest.fixture
def months(landing, flight):
    """Land four months in four objects; what a test says of a month is added to its rows."""
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": QUALITY}))

    def land(**more):
        for number, key in enumerate(MONTHS, 1):
            rows = [flight(f"{key}-{i}", f"{key}-05T10:00:00Z", delay=i) for i in range(number)]
            landing.drop(f"{key}.jsonl", *rows, *more.get(f"m{number}", ()))
        return find_new_partitions(problem="flights")

    return land


def hand_on(outcome):
    return json.loads(json.dumps(outcome))


def ingest():
    staged = hand_on(stage_group(**ABOUT))
    return publish_group(**ABOUT, staged=staged, audit=hand_on(audit_group(**ABOUT, staged=staged)))


def statuses(landing):
    with landing.house.engine.begin() as connection:
        return read_statuses(connection, "flights", Stage.INGEST)


def published():
    rows = open_rows("lake.flights").to_pyarrow()
    return sorted(set(rows["_partition_key"].to_pylist())), rows.num_rows


def test_a_history_is_one_run_and_one_commit_with_counts_of_each_partition(landing, months, flight):
    assert months(m2=["{"], m3=[flight("2013-03-0", "2013-03-05T10:00:00Z")])["announced"] == [MONTHS[0]]
    done = ingest()
    assert {key: one["n_published"] for key, one in done["partitions"].items()} == dict(
        zip(MONTHS, range(1, 5), strict=True)
    )
    assert published() == (MONTHS, 10)
    (snapshot,) = find_table("lake.flights").snapshots()
    assert snapshot.summary["mulgil.partition_key"] == ",".join(MONTHS)
    with landing.house.engine.begin() as connection:
        audits = connection.execute(select(PARTITION_AUDIT).order_by(PARTITION_AUDIT.c.partition_key)).mappings().all()
        steps = connection.execute(select(RUN_STEP.c.step, RUN_STEP.c.partition_key)).all()
    assert [(row["n_in"], row["n_quarantined"], row["n_duplicate"]) for row in audits] == [
        (1, 0, 0),
        (3, 1, 0),
        (4, 0, 1),
        (4, 0, 0),
    ]
    assert {row["snapshot_id"] for row in audits} == {str(snapshot.snapshot_id)}
    assert {(step, key) for step, key in steps if key} == {
        (step, key) for step in ("stage_partition", "audit_partition", "publish_partition") for key in MONTHS
    }
    assert set(statuses(landing).values()) == {"done"}


def test_a_refused_partition_stops_no_neighbour_and_is_counted_in_the_error(landing, months, flight):
    months(m3=[flight("late", "2013-03-05T10:00:00Z", delay=900)])
    with pytest.raises(PartitionRefused, match=r"1 of 4 partitions .* the first is 2013-03: delay: max is 900"):
        ingest()
    assert published() == (["2013-01", "2013-02", "2013-04"], 7)
    assert statuses(landing) == dict.fromkeys(MONTHS, "done") | {"2013-03": "refused"}
    assert announce_settled(**ABOUT)["keys"] == MONTHS
    assert announce_settled(**ABOUT | {"run_id": "another"})["keys"] == []


def test_a_cleared_run_takes_up_its_own_partition_and_what_is_left(landing, months, flight):
    months(m3=[flight("late", "2013-03-05T10:00:00Z", delay=900)])
    with pytest.raises(PartitionRefused):
        ingest()
    lenient = {"expectations": [QUALITY["expectations"][0] | {"arguments": {"max_value": 1_000}}]}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": lenient}))
    assert sorted(ingest()["partitions"]) == ["2013-01", "2013-03"]
    assert published() == (MONTHS, 11)


def test_an_object_that_is_gone_stops_its_own_partition_alone(landing, months):
    months()
    (landing.folder / "flights" / "2013-02.jsonl").unlink()
    with pytest.raises(PartitionRefused, match=r"1 of 4 partitions .* 2013-02: BadLanding: "):
        ingest()
    assert published() == (["2013-01", "2013-03", "2013-04"], 8)
    assert statuses(landing)["2013-02"] == "failed"


def test_where_no_partition_of_a_group_can_be_read_the_error_is_its_own(landing, months):
    months()
    for key in MONTHS:
        (landing.folder / "flights" / f"{key}.jsonl").unlink()
    with pytest.raises(BadLanding):
        stage_group(**ABOUT)


def test_a_staged_file_that_was_changed_stops_its_own_partition_alone(landing, months):
    months()
    staged = hand_on(stage_group(**ABOUT))
    audit = hand_on(audit_group(**ABOUT, staged=staged))
    audit["done"]["2013-04"]["files_sha256"] = "0" * 64
    with pytest.raises(PartitionRefused, match=r"1 of 4 partitions .* 2013-04: AuditFailed: "):
        publish_group(**ABOUT, staged=staged, audit=audit)
    assert published() == (["2013-01", "2013-02", "2013-03"], 6)


def test_a_partition_that_another_run_published_meanwhile_is_left_and_the_others_go_on(landing, months, flight):
    months()
    staged = hand_on(stage_group(**ABOUT))
    audit = hand_on(audit_group(**ABOUT, staged=staged))
    landing.drop("more.jsonl", flight("more", "2013-02-06T10:00:00Z"))
    (key,) = find_new_partitions(problem="flights")["announced"]
    later = {"problem": "flights", "partition_key": key, "run_id": "r2"}
    again = stage_group(**later)
    publish_group(**later, staged=again, audit=audit_group(**later, staged=again))
    done = publish_group(**ABOUT, staged=staged, audit=audit)["partitions"]
    assert [one["verdict"] for one in done.values()] == ["published", "outdated", "published", "published"]
    assert published() == (MONTHS, 11)


def test_publishing_a_group_again_changes_nothing(landing, months):
    months()
    staged = hand_on(stage_group(**ABOUT))
    audit = hand_on(audit_group(**ABOUT, staged=staged))
    first = publish_group(**ABOUT, staged=staged, audit=audit)
    assert publish_group(**ABOUT, staged=staged, audit=audit) == first
    assert len(find_table("lake.flights").snapshots()) == 1


def test_a_fault_of_the_machine_is_raised_at_once_and_blamed_on_no_partition(landing, months, monkeypatch):
    months()
    asked = []

    def away(_problem, keys, _run_id):
        asked.append(list(keys))
        raise WarehouseAway("as the test says")

    monkeypatch.setattr(group_ingest, "stage_together", away)
    with pytest.raises(WarehouseAway):
        stage_group(**ABOUT)
    assert asked == [MONTHS]
    assert set(statuses(landing).values()) == {"waiting"}
