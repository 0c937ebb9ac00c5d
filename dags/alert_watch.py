"""# Alert watch

Look every ten minutes at what the clock alone brings about: partitions that did not land, alerts nobody took care of.

`monitor.arrives_within` (such as PT6H) is how long after its end a partition has landed. One that has not is an open
alert (`late`) until it lands or a person closes it with a reason; only partitions since `land` first ran
are due. An alert that nobody closed or snoozed within `monitor.escalate_after` is escalated. With
`monitor.action: retrain` a request for a training that Airflow lost is announced again. A problem whose file has none
of them, nor `monitor.tell`, has no such DAG. It looks at what landed itself, so that it also tells of a `land`
that is paused or red. A run that finds nothing ends green, which is its normal state.

`monitor.tell` names who hears of an alert that is opened, escalated or closed: one message for each, by mail (the
connection that Airflow's `[email] email_conn_id` names, `smtp_default` without it) or by webhook (a connection of its
own). `monitor` sends what it brings about at its end, and this DAG what is left: `docs/debugging.md` says how.

**Who waits for it:** the owner, and whoever is on call: the page *Alerts* of Reports, `bi.alert_open`.

**When this is red:** lateness and escalations are told late; data and models are untouched. Clear the run: what was
written is not written twice, and what was told is not told twice. A mail server that does not answer makes no run red:
the page *Alerts* and `make doctor` name the message and the reason. By hand, at any time:
`airflow dags trigger <problem>__alert_watch`.
"""

from airflow.sdk import Asset, TriggerRule

from include import names
from include.names import Stage
from include.problems.stages import is_retraining
from stage import problems_with, run_step, stage_dag, stay_red
from steps_by_name import Steps
from telling import tell_alerts

steps = Steps("monitoring")

for problem in problems_with(Stage.ALERT_WATCH):
    with stage_dag(problem, Stage.ALERT_WATCH, __doc__, schedule="*/10 * * * *", max_active_runs=1):
        outlet = Asset(names.alerts_asset(problem.name)) if is_retraining(problem) else None
        # A request for a training that Airflow lost on its way is announced again.
        keys = (lambda watched: watched["asked"]) if outlet else None
        watched = run_step(
            steps.watch_alerts, problem, outlet=outlet, keys=keys, is_done_when_idle=True, is_partitioned=False
        )
        if problem.monitor is not None and problem.monitor.tell is not None:
            # What was written before is told whatever became of this look.
            watched >> tell_alerts(problem, trigger_rule=TriggerRule.ALL_DONE)
            stay_red(watched)
