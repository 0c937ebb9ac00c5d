"""Whatever ends an ingest in the middle, running it again leaves the lake as if nothing had happened."""

import json
import os
from itertools import cycle

import pytest
import yaml
from sqlalchemy import select, text

from include.errors import WarehouseAway
from include.lake import files
from include.lake.catalog import find_table, open_catalog
from include.lake.reading import open_rows, planned_files
from include.lake.steps import publish_partition
from include.landing.steps import find_new_partitions
from include.names import Stage
from include.warehouse.coverage import read_statuses
from include.warehouse.database import open_warehouse
from include.warehouse.tables import METADATA
from include.warehouse.tables.quality import PARTITION_AUDIT, QUALITY_RESULT
from scripts.stack.postgres import EmbeddedPostgres
from tests.include.lake import dying
from tests.include.lake.conftest import PROBLEM

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

KEY = {"problem": "flights", "partition_key": "2013-01"}
TABLES = ("lake.flights", "lake.flights__quarantine")
STEPS = ("stage_partition", "audit_partition", "publish_partition")
# Fifty and two in all, and a quarter of them where it should be quick.
N_POINTS = {"stage_partition": 20, "audit_partition": 8, "publish_partition": 24}
SHARES = pytest.mark.parametrize("share", [4, pytest.param(1, marks=pytest.mark.thorough)], ids=["quarter", "all"])
QUALITY = {
    "expectations": [
        {"expect": "ExpectColumnValuesToBeUnique", "column": "flight_id", "severity": "stop"},
        {"expect": "ExpectColumnValuesToNotBeNull", "column": "delay", "severity": "warn"},
    ]
}


def arguments_of(step, outcomes):
    """Hand on what XCom would: the outcomes of earlier steps, as JSON."""
    wanted = {"audit_partition": ["staged"], "publish_partition": ["staged", "audit"]}.get(step, [])
    named = {"staged": "stage_partition", "audit": "audit_partition"}
    return KEY | {"run_id": "r1"} | {name: json.loads(json.dumps(outcomes[named[name]])) for name in wanted}


def walk(steps=STEPS):
    outcomes = {}
    for step in steps:
        outcomes[step] = dying.find_step(step)(**arguments_of(step, outcomes))
    return outcomes


def content(landing):
    """Say everything that a reader of the partition can see, but for clocks and snapshot ids."""
    rows = [sorted(map(repr, open_rows(name).to_pyarrow().to_pylist())) for name in TABLES]
    with landing.house.engine.begin() as connection:
        audit = connection.execute(select(PARTITION_AUDIT)).mappings().one()
        results = connection.execute(select(QUALITY_RESULT).order_by(QUALITY_RESULT.c.check_index)).mappings().all()
    assert audit["n_in"] == audit["n_published"] + audit["n_quarantined"] + audit["n_duplicate"]
    kept = {name: value for name, value in audit.items() if name not in {"finished_at_utc", "snapshot_id"}}
    return rows, kept, [dict(result) for result in results]


def orphans():
    """Name the data files that no snapshot knows."""
    found = []
    for name in TABLES:
        table = find_table(name)
        known = {
            path for snapshot in table.snapshots() for path in planned_files(table, None, str(snapshot.snapshot_id))
        }
        found += sorted(set(files.list_folder(files.partition_folder(name, KEY["partition_key"]))) - known)
    return found


def drop_tables():
    for name in TABLES:
        if find_table(name) is not None:
            open_catalog().drop_table(name)


@pytest.fixture
def two_versions(landing, flight):
    """Give a function that lands one of two versions of the same objects; most rows of the two differ."""
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": QUALITY}))

    def land(version):
        rows = [flight(f"{version}{i}", delay=i) for i in range(40)]
        landing.drop("a.jsonl", *rows, flight(f"{version}3"), flight("bad", gate="x"))
        landing.drop("b.jsonl.gz", flight(f"{version}7"), flight("b"), '{"flight_id": "e')
        find_new_partitions(problem="flights")

    return land


def points(step, n_wanted, outcomes):
    """Choose the things before which a step is to die: spread evenly over all that it does."""
    n_things = dying.run(step, arguments_of(step, outcomes), os.environ)
    n_points = min(n_wanted, n_things)
    return sorted({1 + round(i * (n_things - 1) / (n_points - 1)) for i in range(n_points)})


def run_again(step, outcomes):
    """Run a killed task again, and what follows it; Great Expectations is asked again only where it was killed."""
    again = STEPS if step == "audit_partition" else (step, "publish_partition")
    outcomes = dict(outcomes)
    for name in STEPS[STEPS.index(step) :]:
        if name in again:
            outcomes[name] = dying.find_step(name)(**arguments_of(name, outcomes))
    return outcomes


@SHARES
@pytest.mark.parametrize("step", STEPS)
def test_a_step_killed_anywhere_and_repeated_leaves_what_one_run_leaves(landing, two_versions, step, share):
    expected, outcomes = {}, {}
    for version in "xy":
        two_versions(version)
        outcomes[version] = walk()
        expected[version] = content(landing)
    assert expected["x"] != expected["y"]
    chosen = points(step, N_POINTS[step] // share, outcomes["y"])
    for number, (point, version) in enumerate(zip(chosen, cycle("xy"), strict=False)):
        two_versions(version)
        if number % 4 == 3:
            drop_tables()  # the first commit ever dies, too
        assert dying.run(step, arguments_of(step, outcomes[version]), os.environ, die_at=point) is None, point
        run_again(step, outcomes[version])
        assert content(landing) == expected[version], f"{step}, killed at {point} of {chosen}"
        assert orphans() == [] or step != "stage_partition", f"{step}, killed at {point} of {chosen}"
    assert len(chosen) == N_POINTS[step] // share


GROUP_STEPS = {"stage_group": 16, "publish_group": 16}
MONTHS = ("2013-01", "2013-02", "2013-03")


@pytest.fixture
def history(landing, flight):
    """Give a function that lands three months in one object of either version, and forms their group."""
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": QUALITY}))

    def land(version):
        rows = [flight(f"{version}{i}", f"{month}-05T10:00:00Z") for month in MONTHS for i in range(20)]
        bad = [flight("bad", f"{MONTHS[1]}-05T10:00:00Z", gate="x"), flight(f"{version}3", f"{MONTHS[2]}-06T10:00:00Z")]
        landing.drop("a.jsonl", *rows, *bad)
        find_new_partitions(problem="flights")

    return land


def walk_group(outcomes=None, first="stage_group"):
    """Run the steps of a group from one on, handing on what XCom would."""
    outcomes = dict(outcomes or {})
    steps = ("stage_group", "audit_group", "publish_group")
    for name in steps[steps.index(first) :]:
        outcomes[name] = json.loads(json.dumps(dying.find_step(name)(**group_arguments(name, outcomes))))
    return outcomes


def group_arguments(step, outcomes):
    wanted = {"audit_group": ["staged"], "publish_group": ["staged", "audit"]}.get(step, [])
    named = {"staged": "stage_group", "audit": "audit_group"}
    return KEY | {"run_id": "r1"} | {name: outcomes[named[name]] for name in wanted}


def group_content(landing):
    """Say everything that a reader of the partitions can see, but for clocks and snapshot ids."""
    rows = [sorted(map(repr, open_rows(name).to_pyarrow().to_pylist())) for name in TABLES]
    with landing.house.engine.begin() as connection:
        audits = connection.execute(select(PARTITION_AUDIT).order_by(PARTITION_AUDIT.c.partition_key)).mappings().all()
        statuses = read_statuses(connection, "flights", Stage.INGEST)
    kept = [{n: v for n, v in row.items() if n not in {"finished_at_utc", "snapshot_id"}} for row in audits]
    return rows, kept, statuses


@SHARES
@pytest.mark.parametrize("step", list(GROUP_STEPS))
def test_a_group_killed_anywhere_and_repeated_leaves_what_one_run_leaves(landing, history, step, share):
    expected, outcomes = {}, {}
    for version in "xy":
        history(version)
        outcomes[version] = walk_group()
        expected[version] = group_content(landing)
    assert [row["n_in"] for row in expected["x"][1]] == [20, 21, 21]
    history("x")  # all wait again, so that the run takes all of them along
    n_things = dying.run(step, group_arguments(step, outcomes["x"]), os.environ)
    n_points = GROUP_STEPS[step] // share
    chosen = sorted({1 + round(i * (n_things - 1) / (n_points - 1)) for i in range(n_points)})
    for number, (point, version) in enumerate(zip(chosen, cycle("yx"), strict=False)):
        history(version)
        if number % 4 == 3:
            drop_tables()
        assert dying.run(step, group_arguments(step, outcomes[version]), os.environ, die_at=point) is None, point
        walk_group(outcomes[version], first=step)
        assert group_content(landing) == expected[version], f"{step}, killed at {point} of {chosen}"


def test_two_partitions_that_are_ingested_at_once_are_both_published(landing, flight):
    keys = ["2013-01", "2013-02", "2013-03"]
    landing.drop("a.jsonl", *(flight(f"{key}-{i}", f"{key}-05T10:00:00Z") for key in keys for i in range(20)))
    find_new_partitions(problem="flights")
    start = dying.FORKS.Barrier(len(keys))
    processes = [dying.FORKS.Process(target=dying.ingest, args=(key, dict(os.environ), start)) for key in keys]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    published = open_rows(TABLES[0]).to_pyarrow().to_pylist()
    assert sorted(row["flight_id"] for row in published) == [
        f"{key}-{i}" for key in keys for i in sorted(map(str, range(20)))
    ]
    with landing.house.engine.begin() as connection:
        assert connection.scalars(select(PARTITION_AUDIT.c.n_published)).all() == [20, 20, 20]


@pytest.fixture
def own_warehouse(landing, tmp_path, monkeypatch):
    """Let the house use a PostgreSQL that the test may stop."""
    server = EmbeddedPostgres(tmp_path / "postgres", is_durable=False)
    with server:
        server.create_role("mulgil", server.password)
        server.create_database("warehouse", "mulgil")
        monkeypatch.setenv("MULGIL_WAREHOUSE_URL", server.url("warehouse", "mulgil"))
        with open_warehouse().begin() as connection:
            connection.execute(text("CREATE SCHEMA core"))
            METADATA.create_all(connection)
        yield server
        open_warehouse().dispose()


def test_a_warehouse_that_goes_away_between_audit_and_publish_costs_nothing_but_time(
    landing, own_warehouse, flight, monkeypatch
):
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    find_new_partitions(problem="flights")
    outcomes = walk(STEPS[:2])
    own_warehouse.stop()
    with pytest.raises(WarehouseAway, match="does not answer"):
        publish_partition(**arguments_of("publish_partition", outcomes))
    own_warehouse.start()
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", own_warehouse.url("warehouse", "mulgil"))
    done = publish_partition(**arguments_of("publish_partition", outcomes))
    assert (done["n_published"], done["n_quarantined"]) == (1, 1)
    with open_warehouse().begin() as connection:
        assert read_statuses(connection, "flights", Stage.INGEST) == {"2013-01": "done"}
    assert [row["flight_id"] for row in open_rows(TABLES[0]).to_pyarrow().to_pylist()] == ["a"]
