"""# Review

Choose the items that people should see first, and put them on the desk as one batch.

The pool is every published item without a label. Most of a batch is what the model is least sure of (Shannon
entropy); a random share keeps the measurements honest. There is at most one open batch; a run that finds one
open is *skipped*.

**Who waits for it:** the reviewers, and after them `train`.

**When this is red:** people keep the batch they have; no label is lost. `score_pool` names the model it could
not load or the partition it could not read, `choose_batch` what was wrong with the probabilities. If only
`explain_batch` is red, items are shown without the reasons for the model's view. Clearing the run never opens a
second batch.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

learning = Steps("learning")
steps = Steps("review")

for problem in problems_with(Stage.REVIEW):
    lake, model = Asset(names.lake_asset(problem.name)), Asset(names.model_asset(problem.name))
    with stage_dag(
        problem, Stage.REVIEW, __doc__, schedule=PartitionedAssetTimetable(assets=lake | model), max_active_runs=1
    ):
        scored = run_step(learning.score_pool, problem)
        chosen = run_step(
            steps.choose_batch,
            problem,
            outlet=Asset(names.batch_asset(problem.name)),
            keys=lambda chosen: [chosen["batch_id"]] if chosen["batch_id"] else [],
        )
        scored >> chosen
        run_step(learning.explain_batch, problem, chosen=chosen)
