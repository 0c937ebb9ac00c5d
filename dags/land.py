"""# Land

Look for new log objects in landing, find out which partitions they feed, and announce each partition once.

Raw bytes are read, never changed. Lines, objects one after another, CSV, Parquet and access logs, plain or
packed by gzip or zstd, are told by their content. What is wrong with an object as a whole (empty, cut short, of
another format, unpacking without end) stands in `core.landing_object.flaw` and in the task's outcome; it stops
no other object. One that is replaced while it is read is left for the next run. Where the problem's file says
something else than before about times and partitions, what landed before is placed anew.

A partition that was announced earlier but never finished ingest is announced again, one that fails after longer
and longer waits, a day at most. Published rows that `train`, `review` or `experiment` never began with, and
models that `monitor` or `review` never heard of, are announced again, too (`core.lost_event`): nothing is lost
when Airflow loses an event, or a DAG was paused. A task that finds nothing is *skipped*, its normal state.

**Who waits for it:** `ingest`, once for each announced partition.

**When this is red:** no new data comes in; everything downstream keeps yesterday's state. The task's log names
the object that could not be read, or the folder or bucket that could not be reached. Mend that, then clear the
task: it starts over and announces only what is missing.
"""

from airflow.sdk import Asset

from include import names
from include.landing import steps
from include.names import Stage
from include.problems.stages import listeners_of
from stage import problems_with, run_step, stage_dag

for problem in problems_with(Stage.LAND):
    listeners = listeners_of(problem)
    with stage_dag(problem, Stage.LAND, __doc__, schedule="*/5 * * * *", max_active_runs=1):
        run_step(
            steps.find_new_partitions,
            problem,
            outlet=Asset(names.landing_asset(problem.name)),
            keys=lambda found: found["partitions"],
            is_partitioned=False,
        )
        if listeners[Stage.INGEST]:
            run_step(
                steps.find_unheard_rows,
                problem,
                outlet=Asset(names.lake_asset(problem.name)),
                keys=lambda found: found["partitions"],
                is_partitioned=False,
            )
        if listeners[Stage.TRAIN]:
            run_step(
                steps.find_unheard_models,
                problem,
                outlet=Asset(names.model_asset(problem.name)),
                keys=lambda found: found["partitions"],
                is_partitioned=False,
            )
