"""# Train

When there is enough new to learn from, fit the candidates, calibrate, and let the gate decide what serves.

A run is woken by a lake partition (labels from the log) or by a finished batch of labels (labels from people).
If no training is due, the fit is *skipped* and the run only says which partitions now have a decided model. The
dummy, the rule and the model are measured on the same held-out rows; a model that does not earn more than both
is not promoted.

**Who waits for it:** `monitor` (which model scores a partition) and `review` (whose doubt chooses the next
batch).

**When this is red:** the model in production stays in production; nothing that serves is harmed.
`fit_candidates` names what the training data lacks; `decide_promotion` names the check it could not answer.
Clear the red task: a version is named after what it was fitted on, so a second run replaces it.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule

from approval import ask_a_person
from include import names
from include.learning import steps
from include.names import Stage
from stage import problems_with, run_step, stage_dag

for problem in problems_with(Stage.TRAIN):
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    woken_by = (names.lake_asset if is_labelled_by_log else names.labels_asset)(problem.name)
    # One at a time: a training reads what the one before it promoted.
    with stage_dag(
        problem, Stage.TRAIN, __doc__, schedule=PartitionedAssetTimetable(assets=Asset(woken_by)), max_active_runs=1
    ):
        plan = run_step(steps.plan_training, problem, only_if=lambda plan: plan["is_due"])
        fitted = run_step(steps.fit_candidates, problem, plan=plan)
        decided = run_step(steps.decide_promotion, problem, fitted=fitted)
        scorable = run_step(
            steps.list_scorable,
            problem,
            outlet=Asset(names.model_asset(problem.name)),
            keys=lambda scorable: scorable["keys"],
            trigger_rule=TriggerRule.NONE_FAILED,
        )
        if problem.training is not None and problem.training.approval == "required":
            decided >> ask_a_person(problem, decided) >> scorable
        else:
            decided >> scorable
