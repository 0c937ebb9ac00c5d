"""# Monitor

Ask of every partition whether what the model says still happens, and whether its inputs have moved.

The calibration curve with its band, reliability bins, calibration error without what chance adds (also relative to how
rare the event is), Brier score and log loss with their parts on the labelled rows; population stability index, further
distances and the share of values that the reference never had for each feature and for the model's own output
(`docs/monitoring.md` says what each means). What crosses a threshold, and is more than
sampling alone brings once in a thousand comparisons, opens one alert for each cause: a hundred columns that moved in
one partition are one, with the worst named and all of them inside.

An alert is opened, escalated after `monitor.escalate_after` (with `action: escalate` at once), snoozed, and closed: by
itself with the partition that was fine again, or by a person with a reason, on the page *Alerts* of Reports. Who did
what, when and why is `bi.alert_history`; whoever `monitor.tell` names gets one message for each.
`docs/debugging.md` says what a person does with an alert.

**Who waits for it:** the owner (alerts), product managers (Reports page), analysts (`bi.calibration_monthly`,
`bi.calibration_by_partition`, `bi.calibration_curve`, `bi.drift_by_feature`).

No model is needed for it: what moved, arrived or failed its audit is measured from the first published partition on.
A partition that no model serves has no probabilities, so nothing is said about calibration until one has scored it.
Where the log knows the labels, `train` announces a partition as soon as it has looked at it, with a model or without
one; where people label, where a person approves models, or where nothing is trained, the lake wakes this stage, too.

**When this is red:** the newest partition has no figures yet; models and data are untouched. `score_partition`
names the model or column it misses, `measure_partition` the window it could not measure. Clearing the run
replaces that partition's figures.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable
from airflow.sdk.definitions.asset import BaseAsset

from include import names
from include.names import Stage
from include.problems.stages import is_retraining, listeners_of
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps
from telling import tell_alerts

learning = Steps("learning")
steps = Steps("monitoring")

for problem in problems_with(Stage.MONITOR):
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    lake, model = Asset(names.lake_asset(problem.name)), Asset(names.model_asset(problem.name))
    woken_by: BaseAsset = model
    if Stage.MONITOR in listeners_of(problem)[Stage.INGEST]:
        woken_by = lake | model if problem.training else lake
    with stage_dag(
        problem, Stage.MONITOR, __doc__, schedule=PartitionedAssetTimetable(assets=woken_by), max_active_runs=4
    ):
        measured = run_step(steps.measure_partition, problem)
        alerts = run_step(
            steps.raise_alerts,
            problem,
            outlet=Asset(names.alerts_asset(problem.name)),
            # What wakes `train` is a request, not each partition whose alert stands.
            keys=(lambda raised: raised["asked"]) if is_retraining(problem) else None,
            only_if=lambda raised: raised["n_alerts"] > 0 or bool(raised.get("asked")),
            is_done_when_idle=True,
        )
        measured >> alerts
        if problem.monitor is not None and problem.monitor.tell is not None:
            alerts >> tell_alerts(problem)
        if problem.training is not None:
            run_step(learning.score_partition if is_labelled_by_log else learning.score_pool, problem) >> measured
