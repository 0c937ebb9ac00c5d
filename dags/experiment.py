"""# Experiment

Add the newest rewards to the running experiments, check them, and decide only when the checks allow it.

Units count once their attribution window has elapsed. A sample-ratio mismatch blocks the decision. After the
decision the rest gets the winner, except a random holdback that measures what the winner really added.

**Who waits for it:** whoever sends the invitations reads `core.allocation`; product managers read
`bi.experiment_result`.

Last, the shares in force are published as a signed `allocation.json`, for the decision service and for programs that
assign by themselves; where they are what they were, the file stays as it is.

Each experiment of the file is brought up to date by itself: one that is refused keeps no other waiting.

**When this is red:** the refused experiment's shares in force stay in force; the other experiments are up to date and
published. The log names the experiment, and the reward or unit that contradicts it. Clearing the run recomputes the
windows from the lake; a decision that was right stays as it is.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable, TriggerRule

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

steps = Steps("experiments")
publishing = Steps("serving")

for problem in problems_with(Stage.EXPERIMENT):
    lake = Asset(names.lake_asset(problem.name))
    # One at a time: a window's decision builds on the one before.
    with stage_dag(
        problem, Stage.EXPERIMENT, __doc__, schedule=PartitionedAssetTimetable(assets=lake), max_active_runs=1
    ):
        updated = run_step(
            steps.update_experiment,
            problem,
            outlet=Asset(names.allocation_asset(problem.name)),
            keys=lambda updated: updated["windows"],
        )
        # Also where no window was new, or one of several experiments was refused: what the others came to is served.
        updated >> run_step(publishing.publish_allocation, problem, trigger_rule=TriggerRule.ALL_DONE)
        stay_red(updated)
