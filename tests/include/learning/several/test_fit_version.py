"""Reading, fitting and registering on a real lake; what scores and judges is in `test_score.py` and `test_gate.py`."""

import json

import pytest
from sqlalchemy import select

from include.learning import steps
from include.learning.registry import versions
from include.learning.several import fit_version
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import MODEL_VERSION
from tests.include.learning.conftest import MAIL
from tests.include.learning.several.conftest import MARKED, PLANTS, make_plants

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]


def test_a_strange_class_teaches_nothing_is_counted_and_the_version_repeats(house, plants, publish):
    plants(MONTHS[1:])
    strange = make_plants(MONTHS[0])
    strange.loc[:2, "kind"] = "weed"
    publish("plants", "plant_id", strange, MONTHS[0])
    names = []
    for _ in range(2):
        plan = steps.plan_training(problem="plants", partition_key="2013-04")
        names += steps.fit_candidates(problem="plants", partition_key="2013-04", plan=plan)["versions"]
    assert names[0] == names[1]
    with house.engine.connect() as connection:
        notes = {row.topic: row.note for row in connection.execute(select(MODEL_NOTE))}
        [row] = connection.execute(select(MODEL_VERSION)).mappings().all()
    assert notes["classes"].startswith("3 of ")
    assert "is 'weed') and teach nothing" in notes["classes"]
    assert row["parameters"]["classes"] == ["fern", "moss", "rose"]


@pytest.mark.parametrize("is_multiple", [False, True])
def test_answers_of_people_are_learned_from_and_the_pool_is_ranked(house, write_several, mails, answer, is_multiple):
    label = {"classes": ["junk", "odd", "wanted"], "source": "desk"} | ({"multiple": True} if is_multiple else {})
    four = {"true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": -1}
    value = {"unit": "mails"} | (four if is_multiple else {})
    write_several(MAIL | {"label": label, "value": value})
    _, truth = mails
    kinds = {mail: "odd" if at % 7 == 0 else kind for at, (mail, kind) in enumerate(truth.items())}
    said = {
        mail: json.dumps([kind] if kind != "wanted" else []) if is_multiple else kind for mail, kind in kinds.items()
    }
    answer(dict(list(said.items())[:100]), "round-001")
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    assert plan["is_due"], plan["reason"]
    fitted = steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)
    steps.decide_promotion(problem="mail", partition_key="round-001", fitted=fitted)
    assert steps.suspect_labels(problem="mail", partition_key="round-001", fitted=fitted)["reason"].endswith(
        "of 100 labels chosen by chance are suspected by a model fitted without them."
    )
    pool = steps.score_pool(problem="mail", partition_key="round-001")
    assert pool["n_rows"] == 120
    assert pool["ranked_by"] == fitted["versions"][0]


@pytest.mark.parametrize("problem", [PLANTS, MARKED], ids=["classes", "labels"])
def test_one_delivery_without_order_in_time_is_measured_out_of_fold(house, plants, problem):
    training = problem["training"] | {"models": ["scorecard"], "split": "folds", "first": 1}
    loaded = plants(["2013-01"], problem | {"training": training})
    fitted = fit_version.fit_on_log(loaded, "2013-01")
    with house.engine.connect() as connection:
        row = versions.read_version(connection, loaded.name, fitted.model_version)
    assert row["n_train"] == row["n_evaluate"] == fitted.n_rows
