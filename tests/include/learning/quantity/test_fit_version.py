"""Reading, fitting and registering a quantity on a real lake, dirty rows among clean ones."""

import numpy as np
from sqlalchemy import select

from include.learning import steps
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import MODEL_VERSION
from tests.include.learning.quantity.conftest import BIKES, make_bikes

DAYS = [f"2013-03-{number:02d}" for number in range(1, 7)]
PROBLEM = BIKES | {"training": BIKES["training"] | {"models": ["linear"], "first": 6}}


def fit():
    plan = steps.plan_training(problem="bikes", partition_key=DAYS[-1])
    return steps.fit_candidates(problem="bikes", partition_key=DAYS[-1], plan=plan)


def test_infinite_labels_teach_nothing_are_counted_and_the_version_repeats(house, bikes, publish):
    bikes(DAYS[1:], PROBLEM)
    dirty = make_bikes(DAYS[0])
    dirty.loc[:2, "n_out"] = np.inf
    publish("bikes", "_key", dirty, DAYS[0])
    names = [fit()["versions"] for _ in range(2)]
    assert names[0] == names[1]
    with house.engine.connect() as connection:
        notes = {row.topic: row.note for row in connection.execute(select(MODEL_NOTE))}
        [row] = connection.execute(select(MODEL_VERSION)).mappings().all()
    assert notes["numbers"].startswith("3 of ")
    assert "3 infinite" in notes["numbers"]
    assert row["parameters"]["levels"] == {"loss": "squared", "interval": 0.9, "action": 0.75}


def test_other_costs_are_another_version(house, bikes):
    bikes(DAYS, PROBLEM)
    first = fit()["versions"]
    bikes([], PROBLEM | {"value": {"unit": "dollars", "over": 3, "under": 1}})
    assert fit()["versions"] != first


def test_a_number_that_never_changes_is_a_reason_and_no_model(house, bikes):
    bikes(DAYS, PROBLEM, n_out=4.0)
    fitted = fit()
    assert fitted["versions"] == []
    assert "have the label 4; of what never changes there is nothing to learn" in fitted["reason"]
