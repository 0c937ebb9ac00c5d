"""One fitted version through the gate, on a real lake and a real warehouse."""

import numpy as np
import pytest
import yaml
from sqlalchemy import select

from include.learning import steps
from include.learning.evaluation import gate
from include.learning.registry import artifacts, versions
from include.monitoring.store import read_served_off
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import GATE_CHECK
from tests.include.learning.conftest import LATE, make_trips
from tests.include.learning.test_steps import MONTHS, train


def checks_of(house, version: str) -> dict[str, str]:
    with house.engine.connect() as connection:
        query = select(GATE_CHECK.c.check_name, GATE_CHECK.c.detail).where(GATE_CHECK.c.model_version == version)
        return {row.check_name: row.detail for row in connection.execute(query)}


def test_a_version_of_the_log_serves_what_comes_after_and_one_of_people_everything(problems_dir):
    assert gate.serves_from(load_problem("late"), {"trained_through": "2013-12"}) == "2014-01"
    assert gate.serves_from(load_problem("mail"), {"trained_through": "2002-02"}) == ""


def test_a_first_model_is_judged_by_days_and_every_group_by_its_own(house, trips, problems_dir):
    training = LATE["training"] | {"protected": [{"column": "line"}]}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": training}))
    trips(MONTHS[:3])
    checks = checks_of(house, train("late", "2013-03")["model_version"])
    assert {"protects_line_blue", "protects_line_red", "keeps_directions", "is_calibrated"} <= set(checks)
    assert "2,000 resamples of 27 blocks" in checks["earns_more_than_dummy"]
    assert "it must not be shown to lose" in checks["protects_line_red"]


def test_what_changing_costs_in_the_file_keeps_the_champion(house, trips, problems_dir):
    trips(MONTHS[:3])
    first = train("late", "2013-03")
    assert first["promoted"]
    costly = LATE["training"] | {"gate": {"switching_cost": 1_000}}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": costly}))
    trips(MONTHS[3:])
    decided = train("late", "2013-04")
    assert not decided["promoted"]
    assert "earning 1000 dollars a row more, which is what changing costs" in decided["reason"]
    again = steps.decide_promotion(
        problem="late", partition_key="2013-04", fitted={"versions": [decided["model_version"]], "n_rows": 1}
    )
    assert again["reason"] == decided["reason"]  # the same draws


@pytest.fixture
def off_in_march(house, trips, publish, problems_dir):
    """Three months of trips; in the last one a fifth of the delays do not happen."""

    def make(first: str) -> dict:
        # Once: what was refitted has its held-out rows in its calibrator already.
        training = LATE["training"] | {"gate": {"first": first}, "refit": "none"}
        monitor = LATE["monitor"] | {"ece_alert": 0.06}
        (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": training, "monitor": monitor}))
        trips(MONTHS[:2])
        rows = make_trips("2013-03")
        rows.loc[(np.arange(len(rows)) % 5 == 0) & rows["delay_min"].notna(), "delay_min"] = 2.0
        publish("late", "trip_id", rows, "2013-03")
        return train("late", "2013-03")

    return make


def read_notes(house, version: str) -> dict[str, str]:
    with house.engine.connect() as connection:
        query = select(MODEL_NOTE).where(MODEL_NOTE.c.model_version == version)
        return {row.topic: row.note for row in connection.execute(query)}


def test_a_first_model_that_is_off_is_refused_where_the_file_says_so(house, off_in_march):
    decided = off_in_march("refuse")
    assert (decided["promoted"], decided["reason"][:46]) == (False, "1 of 6 checks failed; first is_calibrated: The")
    assert "first" not in read_notes(house, decided["model_version"])


def test_a_first_model_that_is_off_serves_with_its_interval(house, off_in_march):
    decided = off_in_march("serve_with_alert")
    note = read_notes(house, decided["model_version"])["first"]
    assert decided["promoted"]
    assert note.startswith("It serves although it is off. The probabilities are 0.")
    assert "95 of 100 sure of at most" in note
    with house.engine.connect() as connection:
        [off] = read_served_off(connection, "late")
    assert (off["trained_through"], off["bound"]) == ("2013-03", 0.06)


def test_a_first_model_that_is_off_is_recalibrated_and_judged_by_that(house, off_in_march):
    decided = off_in_march("recalibrate")
    version = decided["model_version"]
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", version)
        assert read_served_off(connection, "late") == []
    folder = versions.models_folder(read_settings(), "late")
    heldout, stored = artifacts.load_heldout(folder, row), artifacts.load_registered(folder, row)
    assert (decided["promoted"], row["calibration"], stored.model[-1].method) == (True, "sigmoid", "sigmoid")
    assert "It was recalibrated on its" in read_notes(house, version)["first"]
    assert heldout["p_model"].mean() < heldout["p_before_recalibration"].mean() - 0.02
    again = steps.decide_promotion(problem="late", partition_key="2013-03", fitted={"versions": [version], "n_rows": 1})
    with house.engine.connect() as connection:
        assert versions.read_version(connection, "late", version)["heldout_sha256"] == row["heldout_sha256"]
    assert again["reason"] == decided["reason"]


def test_a_decision_that_broke_off_before_it_was_registered_is_taken_again(
    house, off_in_march, monkeypatch: pytest.MonkeyPatch
):
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(versions, "change_version", die)
        with pytest.raises(KeyboardInterrupt):
            off_in_march("recalibrate")
    with house.engine.connect() as connection:
        [version] = [row["model_version"] for row in versions.list_versions(connection, "late")]
    again = steps.decide_promotion(problem="late", partition_key="2013-03", fitted={"versions": [version], "n_rows": 1})
    assert again["promoted"]
