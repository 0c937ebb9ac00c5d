"""# Desk watch

Look after the review desk: import label files, close finished batches, escalate overdue ones.

Label files are JSON lines or CSV below `labels/<problem>/` in landing; a line that cannot be taken is counted with its
reason in `core.label_file`. An overdue batch is escalated once (an alert, until it is finished). Time releases the
second answer of items that two people should see; it never becomes a label. A finished batch whose announcement
was lost is announced again. A run that finds nothing ends green and announces nothing, which is its normal state.

**Who waits for it:** `train`, for batches that files finished; the problem's escalation.

**When this is red:** labels from files and reminders come late; the desk itself works on. `import_labels` names the
file or the bucket it could not read. Clear the task: what was stored is not stored twice.
"""

from airflow.sdk import Asset, TriggerRule

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

steps = Steps("review")

for problem in problems_with(Stage.DESK_WATCH):
    with stage_dag(problem, Stage.DESK_WATCH, __doc__, schedule="*/10 * * * *", max_active_runs=1):
        imported = run_step(steps.import_labels, problem, is_partitioned=False)
        watched = run_step(
            steps.watch_desk,
            problem,
            outlet=Asset(names.labels_asset(problem.name)),
            keys=lambda watched: watched["keys"],
            is_partitioned=False,
            # A file that cannot be read must not keep an overdue batch quiet.
            trigger_rule=TriggerRule.ALL_DONE,
        )
        imported >> watched
        stay_red(imported)
