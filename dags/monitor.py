"""# Monitor

Ask of every partition whether what the model says still happens, and whether its inputs have moved.

Reliability bins, calibration error, Brier score and log loss on the labelled rows; population stability index
and Jensen-Shannon distance for each feature and for the model's own output. A threshold that is crossed opens
one alert for each cause.

**Who waits for it:** the owner (alerts), product managers (Reports page), analysts (`bi.calibration_monthly`,
`bi.drift_by_feature`).

**When this is red:** the newest partition has no figures yet; models and data are untouched. `score_partition`
names the model or column it misses, `measure_partition` the window it could not measure. Clearing the run
replaces that partition's figures.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.learning import steps as learning
from include.monitoring import steps
from include.names import Stage
from stage import problems_with, run_step, stage_dag

for problem in problems_with(Stage.MONITOR):
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    model = Asset(names.model_asset(problem.name))
    with stage_dag(
        problem, Stage.MONITOR, __doc__, schedule=PartitionedAssetTimetable(assets=model), max_active_runs=4
    ):
        scored = run_step(learning.score_partition if is_labelled_by_log else learning.score_pool, problem)
        measured = run_step(steps.measure_partition, problem)
        alerts = run_step(
            steps.raise_alerts,
            problem,
            outlet=Asset(names.alerts_asset(problem.name)),
            only_if=lambda raised: raised["n_alerts"] > 0,
        )
        scored >> measured >> alerts
