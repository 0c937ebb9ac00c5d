"""From landing to predictions on a cluster of a master and two workers: what DuckDB publishes, row by row.

End to end but for Airflow: the steps that its tasks run, one after another, in a process whose engine is the cluster,
with landing and lake in an object store, as deployments have them. Flawed rows are the matter of lake/test_engines.py.
"""

import gzip
from datetime import UTC, datetime

import pytest
import yaml
from sqlalchemy import or_, select

from include.lake.catalog import load_table
from include.lake.reading import open_rows, planned_files
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.learning.registry import versions
from include.learning.steps import fit_candidates, plan_training, score_partition
from include.names import events_table, predictions_table, quarantine_table
from include.quality.steps import audit_partition
from include.settings import REPOSITORY
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.learning import CALIBRATION_GAIN
from include.warehouse.tables.quality import PARTITION_AUDIT, QUALITY_RESULT, REJECTED_RECORD
from scripts.drop_logs import DATA, make_objects
from tests.spark_cluster import run_cluster

pytestmark = [pytest.mark.slow, pytest.mark.thorough, pytest.mark.xdist_group("spark")]

PROBLEM = "flight_delay"
MONTHS = ["2013-04", "2013-05", "2013-06", "2013-07"]
AGAIN = MONTHS[-2:]  # what the cluster publishes a second time; four would teach no more, and take twice as long
# In these days flies the one whose 17 miles an expectation sets apart; none of their evenings is the next month in UTC.
DAYS = range(22, 29)
LAKE = (events_table(PROBLEM), quarantine_table(PROBLEM), predictions_table(PROBLEM))
WAREHOUSE = (LANDING_OBJECT, LANDING_PARTITION, PARTITION_AUDIT, QUALITY_RESULT, REJECTED_RECORD, CALIBRATION_GAIN)
# What differs by right: moments, snapshots, and names of files, which hold a hash of bytes that engines lay out in
# their own ways.
BY_RIGHT = {"snapshot_id", "files", "files_sha256"}


def drop_and_define(bucket, folder):
    """Drop a week of each month, and write the problem as it ships, but that three months are enough to learn from."""
    days = {f"{month.replace('-', '/')}/flights-{month}-{day}.jsonl.gz" for month in MONTHS for day in DAYS}
    for key, lines, _ in make_objects(PROBLEM, DATA):
        if key in days:
            content = gzip.compress(lines.encode(), compresslevel=1, mtime=0)
            bucket.put_object(Bucket="bucket", Key=f"landing/{PROBLEM}/{key}", Body=content)
    problem = yaml.safe_load((REPOSITORY / "include" / "problems" / f"{PROBLEM}.yaml").read_text())
    problem["training"]["first"] = len(MONTHS) - 1
    (folder / f"{PROBLEM}.yaml").write_text(yaml.safe_dump(problem))


def ingest():
    """Run every step of land and ingest; return what each partition came to."""
    outcomes = {}
    for key in find_new_partitions(problem=PROBLEM)["partitions"]:
        where = {"problem": PROBLEM, "partition_key": key}
        staged = stage_partition(**where)
        outcome = publish_partition(staged=staged, audit=audit_partition(staged=staged, **where), **where)
        outcomes[key] = {name: outcome[name] for name in ("verdict", "n_published", "n_quarantined", "n_duplicate")}
    return outcomes


def train(house):
    """Train on the first months, and let the model serve from the last one on."""
    where = {"problem": PROBLEM, "partition_key": MONTHS[-2]}
    version = fit_candidates(plan=plan_training(**where), **where)["model_version"]
    # The gate rightly refuses what three weeks of flights have taught; what is asked here is what scoring makes of it.
    event = {"event": versions.PROMOTED, "actor": "test", "reason": "to be scored by", "serves_from": MONTHS[-1]}
    with house.engine.begin() as connection:
        added = event | {"problem": PROBLEM, "model_version": version}
        versions.add_event(connection, added, now=datetime(2013, 7, 1, tzinfo=UTC))


def score():
    """Run the step that scores the last month."""
    return score_partition(problem=PROBLEM, partition_key=MONTHS[-1])


def ingest_and_score():
    """Do what a model's deployment does with months that land: all of it on the engine that the settings name."""
    return [ingest(), score()]


def read_lake():
    """Read every row of the lake's tables, in an order of its own, and name the files that the cluster replaces."""
    rows = {table: sorted(open_rows(table).to_pyarrow().to_pylist(), key=repr) for table in LAKE}
    return rows, {table: set(planned_files(load_table(table), AGAIN)) for table in LAKE}


def read_warehouse(house):
    """Read the warehouse's tables without what differs by right."""
    found = {}
    for table in WAREHOUSE:
        with house.engine.connect() as connection:
            rows = connection.execute(select(table)).mappings().all()
        kept = [{k: v for k, v in row.items() if k not in BY_RIGHT and not k.endswith("_at_utc")} for row in rows]
        found[table.name] = sorted(kept, key=repr)
    return found


def test_a_cluster_publishes_and_scores_the_flights_as_duckdb_does(house, bucket, tmp_path, monkeypatch, require_java):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    monkeypatch.setenv("MULGIL_LANDING_URL", "s3://bucket/landing")
    drop_and_define(bucket, tmp_path)
    outcomes = ingest()
    train(house)
    scored = score()
    (rows, files), counts = read_lake(), read_warehouse(house)
    assert [outcome["n_quarantined"] for outcome in outcomes.values()] == [0, 0, 0, 1]

    is_again = or_(*(LANDING_OBJECT.c.object_key.contains(month.replace("-", "/")) for month in AGAIN))
    with house.engine.begin() as connection:
        connection.execute(LANDING_OBJECT.delete().where(is_again))  # their objects are new once more
    with run_cluster(tmp_path) as cluster:
        found = cluster.call("tests.include.test_on_a_cluster:ingest_and_score")
        assert all(cluster.n_executors())
    assert found == [{key: outcomes[key] for key in AGAIN}, scored]
    (rows_of_spark, files_of_spark), counts_of_spark = read_lake(), read_warehouse(house)
    assert [table for table in LAKE if files[table] & files_of_spark[table]] == []  # the cluster wrote them anew
    assert rows_of_spark == rows
    assert counts_of_spark == counts
