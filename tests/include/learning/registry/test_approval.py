from datetime import UTC, datetime

from include.learning import steps
from include.learning.registry import approval, versions
from include.problems.reading import load_problem
from tests.include.learning.test_people_and_repeats import rewrite
from tests.include.learning.test_steps import MONTHS


def test_the_question_shows_every_check_and_every_candidate_with_its_interval(house, trips, problems_dir):
    rewrite(problems_dir, training={"approval": "required"})
    trips(MONTHS[:3])
    plan = {"is_due": True, "points": ["2013-03"]}
    fitted = steps.fit_candidates(problem="late", partition_key="2013-03", plan=plan)
    decided = steps.decide_promotion(problem="late", partition_key="2013-03", fitted=fitted)
    asked = steps.open_approval(problem="late", partition_key="2013-03", decided=decided)
    assert asked["subject"] == f"T: may {fitted['model_version']} serve?"
    assert "No model serves until then" in asked["body"]
    assert "- The model earns" in asked["body"]
    assert "| evening |" in asked["body"]
    assert f"version={fitted['model_version']}" in asked["body"]
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", fitted["model_version"])
        body = approval.write_question(connection, load_problem("late"), [fitted["model_version"]]).body
    assert body == asked["body"]
    assert f"measured on {row['n_evaluate']:,}" in body
    assert row["labels_as_of_utc"] <= datetime.now(UTC)
