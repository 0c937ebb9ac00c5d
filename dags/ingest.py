"""# Ingest

Take one partition of raw logs into the lake: typed, masked, audited, and published whole or not at all.

Great Expectations audits the staged files, and exactly those files are published. Rows that cannot be used go
to the quarantine table, each with its reason, object, line and byte offset; rows that an expectation with
`rows: quarantine` names go there, too, and the rest is audited again. Fields that the problem does not declare
are kept, masked, in `_unknown_fields`, and reported as warnings. The snapshot names the objects it was made of
and the audited files. Rows in = published + quarantined + duplicates; `bi.data_completeness` shows the counts,
`bi.quarantine_by_reason` why rows were kept apart. Lake, quarantine and counts change in one commit. A
partition is replaced whole, so running one again doubles nothing.

**Who waits for it:** `train`, `review`, `experiment` and `monitor` of the same problem.

**When this is red:** this one partition is not in the lake, or the lake keeps what it had of it
(`n_in_lake` in `bi.data_completeness`); every other one is untouched. If `publish_partition` is red with
*PartitionRefused*, a `stop` expectation did not hold: its sentence is in the log, in `core.quality_result` and
on the Data Docs page. Mend the data or the problem file, then clear the run; only rows that were kept apart are
run through again by `replay`. What waits downstream was told by `announce_refused` that this partition is
settled. If `stage_partition` or `audit_partition` is red, the log's last line says what could not be read;
clearing the task is always safe.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule

from include import names
from include.lake import steps as lake
from include.names import Stage
from include.quality import steps as quality
from stage import problems_with, run_step, stage_dag, stay_red

for problem in problems_with(Stage.INGEST):
    landing, lake_asset = Asset(names.landing_asset(problem.name)), Asset(names.lake_asset(problem.name))
    with stage_dag(
        problem, Stage.INGEST, __doc__, schedule=PartitionedAssetTimetable(assets=landing), max_active_runs=4
    ):
        staged = run_step(lake.stage_partition, problem)
        audit = run_step(quality.audit_partition, problem, staged=staged)
        published = run_step(
            lake.publish_partition,
            problem,
            outlet=lake_asset,
            only_if=lambda published: published["verdict"] != "outdated",
            staged=staged,
            audit=audit,
        )
        # A red task announces nothing, and what waits for this partition to be settled would wait for the next one.
        refused = run_step(
            lake.announce_refused,
            problem,
            outlet=lake_asset,
            keys=lambda refused: refused["keys"],
            trigger_rule=TriggerRule.ONE_FAILED,
        )
        published >> refused
        stay_red(published)
