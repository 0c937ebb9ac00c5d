"""# Experiment

Add the newest rewards to the running experiment, check it, and decide only when the checks allow it.

Units count once their attribution window has elapsed. A sample-ratio mismatch blocks the decision. After the
decision the rest gets the winner, except a random holdback that measures what the winner really added.

**Who waits for it:** whoever sends the invitations reads `core.allocation`; product managers read
`bi.experiment_result`.

**When this is red:** the shares in force stay in force. The log names the reward or unit that contradicts the
experiment. Clearing the run recomputes the windows from the lake; a decision that was right stays as it is.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.experiments import steps
from include.names import Stage
from stage import problems_with, run_step, stage_dag

for problem in problems_with(Stage.EXPERIMENT):
    lake = Asset(names.lake_asset(problem.name))
    # One at a time: a window's decision builds on the one before.
    with stage_dag(
        problem, Stage.EXPERIMENT, __doc__, schedule=PartitionedAssetTimetable(assets=lake), max_active_runs=1
    ):
        run_step(
            steps.update_experiment,
            problem,
            outlet=Asset(names.allocation_asset(problem.name)),
            keys=lambda updated: updated["windows"],
        )
