"""# Experiment watch

Look once a day what time alone has brought about in a problem's experiments: nobody came, so no row landed to tell.

A pilot whose last unit had its whole attribution window is decided, and the last units of all are counted, in windows
that have no partition of their own; a day's grace lets late rows arrive first. While a partition that landed is not
settled nothing is done. A run that finds nothing ends green and announces nothing, which is its normal state.

**Who waits for it:** whoever reads `core.allocation`, after the last rewards have come.

**When this is red:** an experiment without new rows waits a day longer; everything else is as it was, and the other
experiments of the problem are up to date. Clear the run.
"""

from airflow.sdk import Asset, TriggerRule

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

steps = Steps("experiments")
publishing = Steps("serving")

for problem in problems_with(Stage.EXPERIMENT_WATCH):
    with stage_dag(problem, Stage.EXPERIMENT_WATCH, __doc__, schedule="45 4 * * *", max_active_runs=1):
        watched = run_step(
            steps.watch_experiment,
            problem,
            outlet=Asset(names.allocation_asset(problem.name)),
            keys=lambda updated: updated["windows"],
            is_partitioned=False,
        )
        publish = run_step(
            publishing.publish_allocation, problem, is_partitioned=False, trigger_rule=TriggerRule.ALL_DONE
        )
        watched >> publish
        stay_red(watched)
