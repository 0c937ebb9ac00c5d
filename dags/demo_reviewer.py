"""# Demo reviewer

Answer an open batch from the recorded truth, in the place of people.

Exists only where truth is recorded for the problem (`data/<problem>/truth.parquet` beside the problem files), and
`MULGIL_DEMO_REVIEWER=1`, which `make run` sets. Every label it gives carries the name
`demo-reviewer` and `is_demo`, so that no report mistakes it for a person. After `review.demo_rounds` rounds it leaves
the batch to people: its run ends green and announces nothing.

**Who waits for it:** `train`, which starts when a batch is answered.

**When this is red:** the batch stays open and people can answer it. The log says which items have no recorded
truth.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("review")

for problem in problems_with(Stage.DEMO_REVIEWER):
    batch = Asset(names.batch_asset(problem.name))
    with stage_dag(
        problem, Stage.DEMO_REVIEWER, __doc__, schedule=PartitionedAssetTimetable(assets=batch), max_active_runs=1
    ):
        run_step(
            steps.answer_batch,
            problem,
            outlet=Asset(names.labels_asset(problem.name)),
            only_if=lambda answered: not answered["is_for_people"],
        )
