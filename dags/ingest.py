"""# Ingest

Take partitions of raw logs into the lake: typed, masked, audited, and each published whole or not at all.

A run is about the partition in its key, and takes along others that waited when `land` announced it: at most 64 that
are small together (64 MiB of raw objects), so that a history of days costs as much as what it holds. Each object is
read once for all of them, and they are published in one commit; counts, verdict, quarantine and what is announced are
of each partition alone, and one that is refused or broken stops no other. `group_key` in `core.coverage` says whose
run takes a partition along.

Great Expectations audits the staged files, and exactly those files are published. Rows that cannot be used go
to the quarantine table, each with its reason, object, line and byte offset; rows that an expectation with
`rows: quarantine` names go there, too, and the rest is audited again. Fields that the problem does not declare
are kept, masked, in `_unknown_fields`, and reported as warnings. The snapshot names the objects it was made of
and the audited files. Rows in = published + quarantined + duplicates (+ refused, + withdrawn); `bi.data_completeness`
shows the counts,
`bi.quarantine_by_reason` why rows are in quarantine. Lake, quarantine and counts change in one commit. A
partition is replaced whole, so running one again doubles nothing.

**Who waits for it:** `train`, `review`, `experiment` and `monitor` of the same problem.

**When this is red:** the partitions that the log's last line counts are not in the lake, or the lake keeps what it had
of them (`n_in_lake` in `bi.data_completeness`); every other one is published. If `publish_partition` is red with
*PartitionRefused*, a `stop` expectation did not hold: its sentence is in the log, in `core.quality_result` and
on the Data Docs page. Mend the data or the problem file, then clear the run: it takes up its own partition and those
that are left. If the run is green and only some rows are in quarantine, start `replay` instead. The DAGs downstream do
not wait: `announce_settled` has told them which partitions are published or refused. If `stage_partition` or
`audit_partition` is red, the log's last line says what could not be read; clearing the task is always safe.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule

from include import names
from include.lake.contracts import PublishedGroup, Settled
from include.names import Stage
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

lake = Steps("lake")
quality = Steps("quality")

for problem in problems_with(Stage.INGEST):
    landing, lake_asset = Asset(names.landing_asset(problem.name)), Asset(names.lake_asset(problem.name))
    with stage_dag(
        problem, Stage.INGEST, __doc__, schedule=PartitionedAssetTimetable(assets=landing), max_active_runs=4
    ):
        staged = run_step(lake.stage_group, problem, task_id="stage_partition")
        audit = run_step(quality.audit_group, problem, task_id="audit_partition", staged=staged)
        published = run_step(
            lake.publish_group,
            problem,
            task_id="publish_partition",
            outlet=lake_asset,
            keys=lambda published: PublishedGroup.from_xcom(published).announced,
            staged=staged,
            audit=audit,
        )
        # A red task announces nothing, and what waits for these partitions to be settled would wait for the next ones.
        settled = run_step(
            lake.announce_settled,
            problem,
            outlet=lake_asset,
            keys=lambda settled: list(Settled.from_xcom(settled).keys),
            trigger_rule=TriggerRule.ONE_FAILED,
        )
        published >> settled
        stay_red(published)
