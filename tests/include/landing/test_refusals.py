import json

import pytest
import yaml
from sqlalchemy import select, update

from include.errors import PartitionRefused
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.names import Coverage, Stage
from include.quality.steps import audit_partition
from include.warehouse.coverage import mark, read_statuses
from include.warehouse.tables.quality import PARTITION_AUDIT
from tests.include.lake.conftest import PROBLEM

pytestmark = pytest.mark.slow


def write(landing, most, **source):
    arguments = {"expect": "ExpectColumnMaxToBeBetween", "column": "delay", "arguments": {"max_value": most}}
    quality = {"quality": {"expectations": [arguments | {"severity": "stop"}]}}
    problem = PROBLEM | quality | {"source": PROBLEM["source"] | source}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))


def ingest(key):
    about = {"problem": "flights", "partition_key": key, "run_id": f"i-{key}"}
    staged = json.loads(json.dumps(stage_partition(**about)))
    audit = json.loads(json.dumps(audit_partition(**about, staged=staged)))
    return publish_partition(**about, staged=staged, audit=audit)["verdict"]


def look(run_id="by-hand"):
    return find_new_partitions(problem="flights", run_id=run_id)["partitions"]


@pytest.fixture
def refused(landing, flight):
    """Land January, whose delay is refused, February, all of whose rows are quarantined, and March, which is sound."""
    write(landing, 10)
    landing.drop("1.jsonl", flight("a", delay=50))
    landing.drop("2.jsonl", flight("b", "2013-02-03T00:00:00Z", delay="so late"))
    landing.drop("3.jsonl", flight("c", "2013-03-03T00:00:00Z"))
    for key in look():
        if key == "2013-03":
            ingest(key)
            continue
        with pytest.raises(PartitionRefused):
            ingest(key)
    return landing


def test_refused_partitions_open_again_once_when_the_file_is_mended(refused):
    assert look() == []
    write(refused, 100)
    assert look("land-1") == ["2013-01", "2013-02"]
    assert look("land-1") == ["2013-01", "2013-02"]  # the run died before anybody was told
    assert look("land-2") == []
    assert ingest("2013-01") == "published"
    with pytest.raises(PartitionRefused, match="no row left"):
        ingest("2013-02")
    assert [look(), look()] == [[], []]
    write(refused, 100, columns=PROBLEM["source"]["columns"] | {"delay": {"type": "string"}})
    assert look() == ["2013-02"]


def test_a_word_for_people_opens_nothing(refused):
    columns = {name: column | {"description": "new"} for name, column in PROBLEM["source"]["columns"].items()}
    write(refused, 10, columns=columns)
    assert look() == []


def test_going_back_to_the_rules_before_opens_once_more_and_ends(refused):
    write(refused, 11)
    assert look() == ["2013-01", "2013-02"]
    for key in look() or ["2013-01", "2013-02"]:
        with pytest.raises(PartitionRefused):
            ingest(key)
    assert look() == []
    write(refused, 10)
    assert look() == ["2013-01", "2013-02"]


def test_what_was_refused_before_rules_were_kept_is_opened_by_the_next_change(refused):
    with refused.house.engine.begin() as connection:
        connection.execute(update(PARTITION_AUDIT).values(rules_sha256=None))
    assert look() == []
    with refused.house.engine.connect() as connection:
        kept = select(PARTITION_AUDIT.c.verdict).where(PARTITION_AUDIT.c.rules_sha256.is_not(None))
        assert set(connection.scalars(kept)) == {"refused"}
    write(refused, 100)
    assert look() == ["2013-01", "2013-02"]


def test_what_waits_already_is_not_opened_twice(refused):
    write(refused, 100)
    with refused.house.engine.begin() as connection:
        mark(connection, "flights", Stage.INGEST, "2013-01", Coverage.RUNNING, run_id="other")
    assert look() == ["2013-02"]
    with refused.house.engine.begin() as connection:
        assert read_statuses(connection, "flights", Stage.INGEST)["2013-01"] == Coverage.RUNNING
