"""# Train

When there is enough new to learn from, fit the candidates, calibrate, and let the gate decide what serves.

A run is woken by a lake partition (labels from the log) or by a finished batch of labels (labels from people).
If no training is due, the fit is *skipped* and the run only says which partitions now have a decided model.

Candidate and calibration are chosen together, by log loss on rows that neither was fitted on; rows that belong
together (one person, nearly the same text) stay on one side of every split. Then all are measured on held-out
rows. A model is promoted only if it earns more than the dummy, the rule and the champion, is calibrated, keeps
its directions and harms no protected group. With `approval: required` a person reads the model's card in the
task `approve` and has the last word; no answer in time is a no, and until then new partitions wait here.

**Who waits for it:** `monitor` (which model scores a partition) and `review` (whose doubt chooses the next
batch).

**When this is red:** the model in production stays in production; nothing that serves is harmed.
`fit_candidates` names what the training data lacks; `decide_promotion` names the check it could not answer.
A model that serves and should not is taken out by the DAG `rollback`.
`describe_model` alone red: only the model card lacks its explanations.
Clear the red task: a version is named after what it was fitted on, so a second run replaces it.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule

from approval import ask_about_versions
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
        # Nothing waits for it: a model serves whether it was described or not.
        decided >> run_step(steps.describe_model, problem, fitted=fitted)
        if not is_labelled_by_log:
            # Before the next batch is chosen, which may ask for doubtful labels again.
            decided >> run_step(steps.suspect_labels, problem, fitted=fitted) >> scorable
        if problem.training is not None and problem.training.approval == "required":
            decided >> ask_about_versions(problem, decided) >> scorable
        else:
            decided >> scorable
