"""The task that sends messages about alerts, at the end of the stages that write what happened to them.

Not a DAG file (`.airflowignore` lists it).
"""

from typing import Any

from airflow.sdk import TriggerRule, XComArg, conf, task

from include import names
from include.problems.schema import Problem
from stage import handed_on
from steps_by_name import Steps

steps = Steps("monitoring")


def tell_alerts(problem: Problem, *, trigger_rule: str = TriggerRule.NONE_FAILED) -> XComArg:
    """Make the task that tells whom the problem's file names; the notifiers are imported where one is asked."""

    @task(task_id=steps.tell_alerts.__name__, doc_md=steps.tell_alerts.__doc__, trigger_rule=trigger_rule)
    def call(dag_run: Any = None) -> dict[str, Any]:
        from notifiers import send_message

        address = conf.get("api", "base_url", fallback="").rstrip("/")
        pages_url = f"{address}{names.REPORTS_PAGE}" if address else ""
        about = {"problem": problem.name, "run_id": dag_run.run_id}
        return handed_on(steps.tell_alerts(**about, send=send_message, pages_url=pages_url))

    return call()
