"""# Withdraw objects

Take wrong files back, or let them in again; one request, started by a person with a form.

The form asks for the problem (or one of its other logs), the objects (paths below the landing URL as
`bi.quarantine_by_reason` and `bi.withdrawal_history` show them; `*` stands for any characters), what to do and the
reason. Bytes are withdrawn, not names: the same bytes stay out when they land again, also under another name, until
this form lets them in with `restore`; other bytes in their place are another file, and are read. Only where the
object's name or arrival is part of a row's time or key, the same bytes under another name are other rows.

The partitions that the objects fed wait for `ingest`, which reads the rest of their objects anew: rows leave the lake
and the quarantine, and rows that were duplicates of theirs come back. Where nothing else landed, the partition is
emptied, with its predictions and measures, and its verdict is `withdrawn`. Rows in = published + quarantined +
duplicates + refused + withdrawn. `bi.withdrawal_history` says what was withdrawn, when, by whom, why, and whether its
rows have left. Models that learned from them are marked (`bi.model_card`), go on serving, and their snapshots stay
readable. Landing is not changed.

**Who waits for it:** whoever is misled by the wrong rows; then `train`, `review`, `experiment` and `monitor` of the
same problem, which take the partitions anew.

**When this is red:** *BadForm* says what is wrong with the form, and nothing was changed. Anything else: clear the red
task. A second run for the same objects does nothing more; what is withdrawn and not announced, `land` announces.
"""

from airflow.sdk import Asset, Param

from include import names
from include.landing.contracts import LostPartitions
from include.names import Single
from stage import problems_for, run_for_chosen, run_form, single_dag
from steps_by_name import Steps

steps = Steps("landing")

problems = problems_for(Single.WITHDRAW)
if problems:
    form = {
        "problem": Param(problems[0].name, type="string", enum=[problem.name for problem in problems], title="Problem"),
        "objects": Param(
            None,
            type="array",
            items={"type": "string", "minLength": 1},
            minItems=1,
            uniqueItems=True,
            title="Objects",
            description="paths below the landing URL, one a line; * stands for any characters",
        ),
        "action": Param(
            "withdraw",
            type="string",
            enum=["withdraw", "restore"],
            title="Action",
            description="restore lets withdrawn objects in again",
        ),
        "reason": Param(
            None,
            type="string",
            minLength=5,
            title="Reason",
            description="in one sentence: what is wrong with them; it stays in the history",
        ),
    }
    with single_dag(Single.WITHDRAW, __doc__, params=form):
        withdrawn = run_form(steps.withdraw_objects)
        for problem in problems:
            withdrawn >> run_for_chosen(
                steps.list_withdrawn,
                problem,
                outlet=Asset(names.landing_asset(problem.name)),
                keys=lambda listed: list(LostPartitions.from_xcom(listed).partitions),
            )
        withdrawn >> run_form(steps.mark_trained_models)
