"""# Experiment tie

Ask the approver of an experiment what is sent, where its best variant is practically as good as the control
(`decide.tie: ask`).

Looks once a day, after `experiment_watch`, and asks about one experiment at a time (Airflow: Required Actions). The
task `approve` shows the whole record and waits; until there is an answer nobody is sent anything. Approve sends the
better variant, Reject keeps the control, and so does no answer within `decide.approval_timeout` (seven days where the
file names none; of several experiments the shortest). Nobody else than the file's `approver` decides.

Before an answer is taken, what came since is counted and the file is read again. Where counts, checks or plan are not
those that were shown, also because the approval was cleared and shows old figures, or where the run was answered
otherwise before, it is refused, and while a person is to be asked the next run asks anew. No answer in time is about no
figures: it counts while plan and asked variant are the same.

An answer that was taken stands for that plan and variant, for the window it was given for and all after it: late rows
do not ask again, while the checks pass and the same variant looks best. The shares that follow are announced and
published by the same run.

**Who waits for it:** whoever reads `core.allocation`; the Experiments page says for whom it waits, and until when.

**When this is red:** `record_tie` says why. The record has changed, or somebody else answered: nothing is decided, let
the next day's run ask again, or start one. Or another experiment of the problem was refused: the answer stands, what it
decided is published, and that experiment is to be mended.
"""

from airflow.sdk import Asset, TriggerRule

from approval import ask_a_person
from include import names
from include.names import Stage
from include.problems.sections.experiment import answer_within
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps

steps = Steps("experiments")
publishing = Steps("serving")

for problem in problems_with(Stage.EXPERIMENT_TIE):
    with stage_dag(problem, Stage.EXPERIMENT_TIE, __doc__, schedule="15 5 * * *", max_active_runs=1):
        asked = run_step(
            steps.open_tie, problem, is_partitioned=False, only_if=lambda asked: asked["experiment"] is not None
        )
        recorded = ask_a_person(
            problem,
            asked,
            steps.open_tie,
            steps.record_tie,
            "experiment",
            waits=answer_within(problem.named_experiments.values()),
            is_partitioned=False,
            outlet=Asset(names.allocation_asset(problem.name)),
            keys=lambda updated: updated["windows"],
        )
        # Wherever somebody was asked, also where one experiment was refused: what the others came to is served.
        recorded >> run_step(
            publishing.publish_allocation, problem, is_partitioned=False, trigger_rule=TriggerRule.NONE_SKIPPED
        )
        stay_red(recorded, "settled")
