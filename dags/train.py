"""# Train

When there is enough new to learn from, fit the candidates, calibrate, and let the gate decide what serves.

A run is woken by a lake partition (labels from the log) or by a finished batch of labels (labels from people); with
`monitor.action: retrain` also by an alert that has just been opened, which has a model fitted through the newest
partition before its time: once for a cause and partition, not again before a version was decided, and not within
`monitor.retrain_every`. What was asked and what came of it stands in the alert's history.
If no training is due, the fit is *skipped* and the run only says which partitions now have a decided model, and which
have none: those are watched all the same. A point that cannot be fitted (too few rows, one class only) is passed over:
the fit is skipped with the reason, or goes on with later points, and the next version's card says so.
Where people give the labels, the round is announced whatever becomes of the fit: the next batch is chosen by the
newest model there is, or without one. Labelling never waits for a model, nor for whoever approves it.

Candidate and calibration are chosen together, by log loss on rows that neither was fitted on; rows that belong
together (one person, nearly the same text) stay on one side of every split. Then all are measured on held-out
rows. Of labels from the log the chosen one answers for them after a fit on all rows before, and what serves is fitted
in the same way once more, on all rows (`training.refit`); the model card says so. A model is promoted only if it
earns more than the dummy, the rule and the champion, is calibrated, keeps its directions and harms no protected group.
With `approval: required` a person reads the model's card in the task `approve` and has the last word; no answer in time
is a no, and until then new partitions wait here (labels from the log). A first model that passes but for its
calibration is recalibrated on its held-out rows and asked again, serves with an alert, or is refused, as
`training.gate.first` says.

**Who waits for it:** `monitor` (which model scores a partition) and `review` (which chooses the next batch
by the model's uncertainty).

**When this is red:** the model in production stays in production, and people get their next batch; nothing that
serves is harmed.
`fit_candidates` names what the training data lacks; `decide_promotion` names the check it could not answer.
A model that serves and should not is taken out by the DAG `rollback`.
`describe_model` alone red: only the model card lacks its explanations.
Clear the red task: a version is named after what it was fitted on, so a second run replaces it.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule
from airflow.sdk.definitions.asset import BaseAsset

from approval import ask_about_versions
from include import names
from include.names import Stage
from include.problems.stages import is_retraining
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

steps = Steps("learning")

for problem in problems_with(Stage.TRAIN):
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    woken_by = (names.lake_asset if is_labelled_by_log else names.labels_asset)(problem.name)
    is_asked = problem.training is not None and problem.training.approval == "required"
    # One at a time: a training reads what the one before it promoted. But where people label, a version that waits for
    # its approval must not keep the next round waiting.
    n_at_once = 4 if is_asked and not is_labelled_by_log else 1
    assets: BaseAsset = Asset(woken_by)
    if is_retraining(problem):
        assets = assets | Asset(names.alerts_asset(problem.name))
    schedule = PartitionedAssetTimetable(assets=assets)
    with stage_dag(problem, Stage.TRAIN, __doc__, schedule=schedule, max_active_runs=n_at_once):
        plan = run_step(steps.plan_training, problem, only_if=lambda plan: plan["is_due"])
        fitted = run_step(steps.fit_candidates, problem, plan=plan, only_if=lambda fitted: bool(fitted["versions"]))
        decided = run_step(steps.decide_promotion, problem, fitted=fitted)
        scorable = run_step(
            steps.list_scorable,
            problem,
            outlet=Asset(names.model_asset(problem.name)),
            keys=lambda scorable: scorable["keys"],
            # People go on labelling, and partitions are watched, whatever a model lacks; `describe_model` stays red.
            # A partition waits for whoever approves its model.
            trigger_rule=TriggerRule.NONE_FAILED if is_labelled_by_log and is_asked else TriggerRule.ALL_DONE,
        )
        # Nothing waits for it: a model serves whether it was described or not.
        decided >> run_step(steps.describe_model, problem, fitted=fitted)
        answered = ask_about_versions(problem, decided) if is_asked else None
        if is_labelled_by_log:
            (decided if answered is None else answered) >> scorable
        else:
            # Before the next batch is chosen, which may ask again for labels that are suspected to be wrong.
            suspected = run_step(steps.suspect_labels, problem, fitted=fitted)
            decided >> suspected >> scorable
            stay_red(suspected, "examined")
        if answered is not None and not is_labelled_by_log:
            # People had their next batch while somebody thought about the version; now it scores, if it may.
            answered >> run_step(
                steps.list_rescorable,
                problem,
                outlet=Asset(names.model_asset(problem.name)),
                keys=lambda listed: listed["keys"],
                is_partitioned=False,
            )
