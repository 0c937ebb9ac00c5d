"""A problem with two logs: each is ingested by the same laws, and a person is erased from all of them at once."""

import json

import pytest
import yaml
from sqlalchemy import select

from include.engine.session import open_engine
from include.errors import PartitionRefused
from include.lake.erasure.subjects import subject_token
from include.lake.reading import open_rows
from include.lake.steps import erase_subject, keep_up, prove_erased, publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.quality.steps import audit_partition
from include.settings import read_settings
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.runs import COVERAGE
from tests.include.lake.conftest import PROBLEM

REFUNDS = {
    "landing": "refunds",
    "grain": "day",
    "key": ["refund_id"],
    "event_time": "at",
    "columns": {
        "refund_id": {"type": "string"},
        "at": {"type": "timestamp"},
        "amount": {"type": "number"},
        "who": {"type": "string", "pii": "identifier"},
    },
    "quality": {
        "expectations": [
            {
                "expect": "ExpectColumnValuesToBeBetween",
                "column": "amount",
                "severity": "stop",
                "arguments": {"min_value": 0},
            }
        ]
    },
}
LOG = "flights.refunds"


@pytest.fixture
def logs(landing, monkeypatch):
    monkeypatch.setenv("MULGIL_PII_KEY", "a key")
    problem = PROBLEM | {"sources": {"refunds": REFUNDS}}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))
    (landing.folder / "refunds").mkdir(parents=True)
    return landing


def drop_refunds(logs, name, *records):
    (logs.folder / "refunds" / name).write_text("".join(json.dumps(record) + "\n" for record in records))


def refund(number, at="2013-01-07T00:00:00Z", **more):
    return {"refund_id": f"f{number}", "at": at, "amount": 9.5, "who": "ann"} | more


def ingest_all(name):
    keys = find_new_partitions(problem=name)["partitions"]
    for key in keys:
        staged = stage_partition(problem=name, partition_key=key)
        audit = audit_partition(problem=name, partition_key=key, staged=staged)
        publish_partition(problem=name, partition_key=key, staged=staged, audit=audit)
    return keys


def audits(logs):
    with logs.house.engine.begin() as connection:
        rows = connection.execute(select(PARTITION_AUDIT)).mappings()
        counts = ("n_in", "n_published", "n_quarantined", "n_duplicate")
        return {(row["problem"], row["partition_key"]): tuple(row[name] for name in counts) for row in rows}


def test_each_log_is_counted_and_published_to_a_table_of_its_own(logs, flight):
    logs.drop("a.jsonl", flight("a"), flight("b"), "{")
    drop_refunds(logs, "r.jsonl", refund(1), refund(1), refund(2, amount="much"), refund(3, "2013-01-08T00:00:00Z"))
    assert (ingest_all("flights"), ingest_all(LOG)) == (["2013-01"], ["2013-01-07", "2013-01-08"])
    assert audits(logs) == {
        ("flights", "2013-01"): (3, 2, 1, 0),
        (LOG, "2013-01-07"): (3, 1, 1, 1),
        (LOG, "2013-01-08"): (1, 1, 0, 0),
    }
    assert open_rows("lake.flights").count().to_pyarrow().as_py() == 2
    refunds = open_rows("lake.flights__refunds").to_pyarrow().to_pylist()
    assert sorted(row["refund_id"] for row in refunds) == ["f1", "f3"]
    assert keep_up(problem=LOG)["n_outlived"] == 0


def test_a_refused_partition_of_one_log_leaves_the_other_alone(logs, flight):
    logs.drop("a.jsonl", flight("a"))
    drop_refunds(logs, "r.jsonl", refund(1, amount=-1))
    ingest_all("flights")
    with pytest.raises(PartitionRefused, match=r"flights\.refunds 2013-01-07 was not published"):
        ingest_all(LOG)
    with logs.house.engine.begin() as connection:
        rows = connection.execute(select(COVERAGE).where(COVERAGE.c.stage == "ingest")).mappings()
        states = {row["problem"]: row["status"] for row in rows}
    assert states == {"flights": "done", LOG: "refused"}


def test_a_person_is_erased_from_every_log_at_once(logs, flight):
    logs.drop("a.jsonl", flight("a"))
    drop_refunds(logs, "r.jsonl", refund(1), refund(2, who="bob"))
    for name in ("flights", LOG):
        ingest_all(name)
    token = subject_token(open_engine(), "ann", read_settings().pii_keys)
    form = {"problem": "flights", "subject": token, "reason": "was asked for", "actor": "clerk"}
    erased, proven = erase_subject(**form), prove_erased(**form)
    assert (erased["n_rows"], erased["landing_objects"], proven["n_tables"]) == (1, ["refunds/r.jsonl"], 4)
    (left,) = open_rows("lake.flights__refunds").to_pyarrow().to_pylist()
    assert left["refund_id"] == "f2"
