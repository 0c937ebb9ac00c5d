"""# Labels

Match the rows of a log that gives labels with the rows they are about, and re-open what they change.

Every published partition of a log that `label.from` names wakes it. It counts which labels came within their period,
too late, before their event, twice, or for nobody (`bi.label_match`). Partitions that a model has scored, and whose
labels may be others now, are scored and measured again; a training that waited for these labels begins.

**Who waits for it:** `monitor` and `train` of the problem.

**When this is red:** labels of this partition are not looked at yet; rows and models are untouched. *NoLabelMatches*
says that no label names any row, with keys of both sides: mend `label.on` in the problem file, then clear the run.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.lake.contracts import MatchedLabels, Settled
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

lake = Steps("lake")
monitoring = Steps("monitoring")

for log in problems_with(Stage.LABELS):
    problem = names.owner_of_log(log.name)
    schedule = PartitionedAssetTimetable(assets=Asset(names.lake_asset(log.name)))
    with stage_dag(log, Stage.LABELS, __doc__, schedule=schedule, max_active_runs=1):
        matched = run_step(
            lake.match_labels,
            log,
            only_if=lambda matched: bool(MatchedLabels.from_xcom(matched).newest),
        )
        run_step(
            monitoring.list_measured_again,
            log,
            outlet=Asset(names.model_asset(problem)),
            keys=lambda settled: list(Settled.from_xcom(settled).keys),
            matched=matched,
        )
        run_step(
            monitoring.list_labelled,
            log,
            outlet=Asset(names.lake_asset(problem)),
            keys=lambda settled: list(Settled.from_xcom(settled).keys),
            matched=matched,
        )
