"""Which DAGs Mulgil's two Airflow roles may edit."""

from include.names import LEAD_ROLE, REVIEWER_ROLE, Stage, dag_id
from include.problems.reading import load_problem, load_problems
from include.problems.sections.experiment import Decide
from scripts.stack.roles import editable_dags


def test_a_reviewer_edits_review_dags_alone_and_a_lead_approvals_and_monitors_too():
    problems, _ = load_problems()
    editable = editable_dags(problems)
    reviewed = ["ad_review__review", "penguins__review"]
    decided = [
        "ad_review__rules",
        *(f"{name}__train" for name in ("ad_review", "bikes", "credit_scoring", "flight_delay")),
    ]
    assert editable[REVIEWER_ROLE] == reviewed
    decided += ["patient__train", "penguins__train"]
    watched = [dag_id(problem.name, Stage.MONITOR) for problem in problems if problem.monitor is not None]
    assert editable[LEAD_ROLE] == sorted([*reviewed, *decided, *watched])
    assert "flight_delay__monitor" in watched


def test_without_problems_the_roles_edit_nothing():
    assert editable_dags([]) == {REVIEWER_ROLE: [], LEAD_ROLE: []}


def test_a_lead_answers_what_an_experiment_asks_about():
    campaign = load_problem("campaign")
    asking = campaign.experiment.model_copy(update={"decide": Decide(tie="ask"), "approver": "ada"})
    editable = editable_dags([campaign.model_copy(update={"experiment": asking})])
    assert editable == {REVIEWER_ROLE: [], LEAD_ROLE: ["campaign__experiment_tie"]}
