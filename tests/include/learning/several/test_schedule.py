"""Training of several classes waits for labels of people; reading them from the warehouse is in `test_answers.py`."""

from datetime import UTC, datetime

from include.learning.several.schedule import plan_by_desk
from include.problems.schema import Problem
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL
from tests.include.learning.several.conftest import KINDS, PLANTS


def test_training_is_due_once_two_classes_have_enough_labels_by_chance(house):
    asked = PLANTS | {"label": {"classes": KINDS, "source": "log", "known_when": "TRUE", "value": "kind"}}
    asked = asked | {"training": PLANTS["training"] | {"minimum_labels": 10}}
    problem = Problem.model_validate(asked)
    common = {"problem": "plants", "labelled_by": "ann", "arm": "random", "is_demo": False, "duration_ms": None}
    common |= {"labelled_at_utc": datetime(2013, 5, 1, tzinfo=UTC)}
    for number, due in ((1, False), (2, True)):
        rows = [
            {**common, "batch_id": f"round-{number}", "item_id": f"i{number}-{at}", "label": KINDS[at % number]}
            for at in range(10)
        ]
        with house.engine.begin() as connection:
            upsert_rows(connection, LABEL, rows)
            plan = plan_by_desk(connection, problem, f"round-{number}")
        assert (plan.is_due, plan.n_labels) == (due, 10 * number)
    assert "chosen by chance were fern 15, moss 5, rose 0" in plan.reason
