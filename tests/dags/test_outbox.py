import pytest
import yaml

from tests.include.problems.conftest import GOOD, OTHER_LOG

LOG = "rides.refunds"
DAG = f"{LOG}__outbox"


@pytest.fixture(scope="module")
def audience(load, tmp_path_factory):
    """Everything over one problem whose experiment has an audience."""
    folder = tmp_path_factory.mktemp("audience")
    experiment = GOOD["experiment"] | {"audience": {"from": "refunds", "unit": "ride_id"}}
    problem = GOOD | {"sources": {"refunds": OTHER_LOG}, "experiment": experiment}
    (folder / "rides.yaml").write_text(yaml.safe_dump(problem))
    return load(folder)


def test_a_published_partition_of_the_audience_wakes_it(audience, dags):
    assert audience.import_errors == {}
    assert audience.woken_by(DAG) == [f"lake/{LOG}"]
    assert (audience.of("outbox"), dags.of("outbox")) == ({LOG}, set())


def test_an_audience_that_lists_nobody_ends_green(audience):
    outcome = {"n_rows": 0, "reason": "paused", "counts": {}, "files": []}
    idle = audience.run(DAG, "fill_outbox", partition_key="2013-02-01", outcome=outcome)
    assert (idle["error"], idle["announced"]) == (None, {})


def test_a_refused_experiment_is_red(audience):
    assert audience.red_when_fails(DAG) == {"fill_outbox"}
    told = audience.run(DAG, "fill_outbox", partition_key="2013-02-01", error="BadExperiment")
    assert told["error"] == "BadExperiment: as the test says"
