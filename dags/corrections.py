"""# Corrections

Take people's corrections of what a log says, from files; they stand in for the log's label from then on.

Files are JSON lines below `labels/<problem>/` in landing, as for the desk: `batch_id` is `corrections`, the row is
named by `item_id` or its key columns, with `label` and `labelled_by`. Where people and the log say different things,
people are believed; of several people the majority, of one person the newest file; where as many say the one as the
other, the log's label counts. A corrected label is known at once, however young its row. `bi.label_correction` counts
what was corrected and how often the log was overruled; lines that cannot be taken are counted with their reason
(`bi.label_file_refusal`). Scored partitions whose labels changed are announced, scored and measured again; the next
training learns from the corrections. A run that finds nothing ends green and announces nothing.

**Who waits for it:** `monitor` of the same problem, and its next training.

**When this is red:** corrections come late; everything else works on. The log names the file or the bucket that could
not be read. Clear the task: what was stored is not stored twice.
"""

from airflow.sdk import Asset

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("review")

for problem in problems_with(Stage.CORRECTIONS):
    with stage_dag(problem, Stage.CORRECTIONS, __doc__, schedule="*/10 * * * *", max_active_runs=1):
        run_step(
            steps.import_corrections,
            problem,
            outlet=Asset(names.model_asset(problem.name)),
            keys=lambda imported: imported["keys"],
            is_partitioned=False,
        )
