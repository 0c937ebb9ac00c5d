import pytest
import yaml

from include.lake.contracts import MatchedLabels, Settled
from tests.include.problems.conftest import GOOD, OTHER_LOG

LOG = "rides.refunds"
DAG = f"{LOG}__labels"
LABEL = {"classes": ["early", "late"], "positive": "late", "source": "log", "from": "refunds", "within": "P30D"}


@pytest.fixture(scope="module")
def logs(load, tmp_path_factory):
    """Everything over one problem whose labels come in another log."""
    folder = tmp_path_factory.mktemp("two_logs")
    label = LABEL | {"on": {"ride_id": "ride_id"}, "absent": "early"}
    problem = GOOD | {"sources": {"refunds": OTHER_LOG}, "label": label}
    (folder / "rides.yaml").write_text(yaml.safe_dump(problem))
    return load(folder)


def test_a_published_partition_of_the_label_log_wakes_it(logs, dags):
    assert logs.import_errors == {}
    assert logs.woken_by(DAG) == [f"lake/{LOG}"]
    assert (logs.of("labels"), dags.of("labels")) == ({LOG}, set())


def test_the_other_log_lands_and_is_ingested_by_dags_of_its_own(logs):
    assert logs.of("ingest") == {"rides", LOG}
    assert logs.of("upkeep") == {"rides", LOG}
    assert logs.of("train") == {"rides"}
    assert logs.woken_by(f"{LOG}__ingest") == [f"landing/{LOG}"]
    assert logs.by_id["replay"]["schemas"]["problem"]["enum"] == ["rides", LOG]
    assert logs.by_id["erase"]["schemas"]["problem"]["enum"] == ["rides"]
    assert logs.outlets("replay", "list_replayed__rides__refunds") == [f"lake/{LOG}"]


def test_labels_wake_the_measurements_and_the_training_of_the_problem(logs):
    settled = Settled(("2013-01",)).to_xcom()
    answer = logs.run(DAG, "list_measured_again", partition_key="2013-02-01", outcome=settled, arguments={})
    assert answer["announced"] == {"model/rides": ["2013-01"]}
    answer = logs.run(DAG, "list_labelled", partition_key="2013-02-01", outcome=settled, arguments={})
    assert answer["announced"] == {"lake/rides": ["2013-01"]}


def test_labels_that_name_nobody_are_red_and_wake_nobody(logs):
    assert (
        logs.run(DAG, "match_labels", partition_key="2013-02-01", error="NoLabelMatches")["error"]
        == "NoLabelMatches: as the test says"
    )
    assert logs.red_when_fails(DAG) == {"match_labels", "list_measured_again", "list_labelled"}
    idle = logs.run(
        DAG, "match_labels", partition_key="2013-02-01", outcome=MatchedLabels({}, reason="nothing").to_xcom()
    )
    assert (idle["error"], idle["announced"]) == (None, {})
