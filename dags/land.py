"""# Land

Look for new log objects in landing, find out which partitions they feed, and announce each partition once, in groups.

Raw bytes are read, never changed. JSON lines, JSON objects one after another, CSV, Parquet and access logs, plain or
compressed by gzip or zstd, are recognised by their content, not by their name. What is wrong with an object as a
whole (empty, cut short, another format, a decompression bomb) is written to `core.landing_object.flaw` and to the
task's outcome; the other objects land all the same. An object that is replaced while it is read is left for the
next run. If the problem file changes how times and partitions are read, earlier objects are assigned anew.

A partition that was refused by other rules than the problem's file has now is announced again, once for each set of
rules. So is one that was announced but never finished ingest; if it keeps failing, after longer and longer waits, at
most a day. So are published rows that `train`, `review` or `experiment` never started with, and
models that `monitor` or `review` never received (`core.lost_event`): nothing is lost when Airflow loses an event
or a DAG was paused. A task that finds nothing ends green and announces nothing; that is its normal state.

**Who waits for it:** `ingest`, once for each group of announced partitions; the event is of the first of them.

**When this is red:** no new data comes in; everything downstream keeps yesterday's state. The task's log names
the object that could not be read, or the folder or bucket that could not be reached. Mend that, then clear the
task: it starts over and announces only what is missing.
"""

from airflow.sdk import Asset

from include import names
from include.landing.contracts import FoundPartitions, LostPartitions
from include.names import Stage
from include.problems.stages import listeners_of
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("landing")

for problem in problems_with(Stage.LAND):
    listeners = listeners_of(problem)
    with stage_dag(problem, Stage.LAND, __doc__, schedule="*/5 * * * *", max_active_runs=1):
        run_step(
            steps.find_new_partitions,
            problem,
            outlet=Asset(names.landing_asset(problem.name)),
            keys=lambda found: list(FoundPartitions.from_xcom(found).announced),
            is_partitioned=False,
        )
        if listeners[Stage.INGEST]:
            run_step(
                steps.find_unheard_rows,
                problem,
                outlet=Asset(names.lake_asset(problem.name)),
                keys=lambda lost: list(LostPartitions.from_xcom(lost).partitions),
                is_partitioned=False,
            )
        if listeners[Stage.TRAIN]:
            run_step(
                steps.find_unheard_models,
                problem,
                outlet=Asset(names.model_asset(problem.name)),
                keys=lambda lost: list(LostPartitions.from_xcom(lost).partitions),
                is_partitioned=False,
            )
