"""# Replay

Process quarantined rows again once the problem file or the data is mended; started by a person with a form.

The form asks for the problem, the partitions (all that have rows in quarantine when none is named) and the reason.
Just the quarantined rows are read again from landing, by object and line, under the rules of today. Those that can
be used now are merged with what the partition has, the whole is audited, and lake, quarantine and counts change in
one commit; the DAGs downstream are told. `bi.replay_history` keeps who replayed what, when, why, and how many rows
moved. Running it twice, or killing it anywhere, changes nothing more: a row is published or in quarantine, never
both. A partition that waits for its ingest, or was refused as a whole, is left to `ingest`, which reads all its rows.

**Who waits for it:** whoever misses the rows in quarantine (`bi.quarantine_by_reason`); then `train`, `review`,
`experiment` and `monitor` of the same problem, which take the partition anew.

**When this is red:** the partitions that are red have stayed as they were; the others are done. *PartitionRefused*
means that with these rows a `stop` expectation does not hold: its sentence is in the log and in
`bi.replay_history`. Mend it and start the DAG again. *BadForm* says what is wrong with the form. Anything else: clear
the red task.
"""

from airflow.sdk import Asset, Param

from include import names
from include.lake.contracts import Settled
from include.names import Single
from stage import problems_for, run_for_chosen, run_form, run_in_turn, single_dag, stay_red
from steps_by_name import Steps

lake = Steps("lake")
quality = Steps("quality")

problems = problems_for(Single.REPLAY)
if problems:
    form = {
        "problem": Param(problems[0].name, type="string", enum=[problem.name for problem in problems], title="Problem"),
        "partitions": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 4},
            uniqueItems=True,
            title="Partitions",
            description="keys, one a line; none: all that have rows in quarantine",
        ),
        "reason": Param(
            None,
            type="string",
            minLength=5,
            title="Reason",
            description="in one sentence: what was mended; it stays in the history",
        ),
    }
    with single_dag(Single.REPLAY, __doc__, params=form):
        chosen = run_form(lake.choose_quarantined, gives="partitions")
        replayed = run_in_turn(
            chosen, staged=lake.stage_replay, audit=quality.audit_replay, published=lake.publish_replay
        )
        for problem in problems:
            outlet = Asset(names.lake_asset(problem.name))
            replayed >> run_for_chosen(
                lake.list_replayed,
                problem,
                outlet=outlet,
                keys=lambda listed: list(Settled.from_xcom(listed).keys),
                is_always=True,
            )
        stay_red(replayed)
