"""What a version meets beside a champion, on a real lake and a real warehouse."""

from sqlalchemy import select

from include.learning import steps
from include.warehouse.tables.learning import GATE_CHECK, MODEL_METRIC
from tests.include.learning.several.conftest import PLANTS

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04", "2013-05"]


def test_a_later_version_is_asked_of_every_class_beside_the_champion(house, plants):
    plants(MONTHS, PLANTS | {"training": PLANTS["training"] | {"every": 1}})
    plan = steps.plan_training(problem="plants", partition_key="2013-05")
    assert plan["points"] == ["2013-04", "2013-05"]
    fitted = steps.fit_candidates(problem="plants", partition_key="2013-05", plan=plan)
    decided = steps.decide_promotion(problem="plants", partition_key="2013-05", fitted=fitted)
    first, second = decided["decisions"]
    assert decided["decisions"][first] == "promoted"
    with house.engine.connect() as connection:
        names = set(connection.scalars(select(GATE_CHECK.c.check_name).where(GATE_CHECK.c.model_version == second)))
        champion = set(
            connection.scalars(
                select(MODEL_METRIC.c.metric).where(
                    MODEL_METRIC.c.model_version == second, MODEL_METRIC.c.candidate == "champion"
                )
            )
        )
    assert names >= {"earns_more_than_champion", "keeps_fern", "is_calibrated_rose", "earns_more_than_dummy"}
    assert champion >= {"log_loss", "macro_f1"}
