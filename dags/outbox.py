"""# Outbox

List the people of an audience, each once for an experiment, with what each is to be sent, for a mailer to read.

Every published partition of a log that an experiment names as its `audience` wakes it. Each unit is placed by its raw
id and gets its variant by the shares that stand. The list is a file of JSON lines below `_outbox` beside the lake's
tables; its name never comes again, and what was listed once is listed never again: not by a run that is repeated or
was killed, and not by the same audience landed twice. Who is held back, not eligible or unusable is counted with the
reason (`bi.audience_count`). Nothing is sent by this DAG.

While an experiment is on hold, paused or ended nobody is listed, and the task's outcome says so. Land the audience
again, or clear its run, when the experiment goes on.

**Who waits for it:** the program that sends: it reads every file once, and notes the file's name.

**When this is red:** the log names the experiment that was refused; it lists nobody of this partition, the others do.
*BadLanding* says that masked ids cannot be read any more from the object that they landed in: land it again. Clearing
the run lists who is missing, and nobody twice.
"""

from airflow.sdk import Asset, PartitionedAssetTimetable

from include import names
from include.names import Stage
from stage import problems_with, run_step, stage_dag
from steps_by_name import Steps

steps = Steps("experiments")

for log in problems_with(Stage.OUTBOX):
    schedule = PartitionedAssetTimetable(assets=Asset(names.lake_asset(log.name)))
    with stage_dag(log, Stage.OUTBOX, __doc__, schedule=schedule, max_active_runs=1):
        run_step(steps.fill_outbox, log)
