"""How a person has the last word: on a model, where the problem's file says `approval: required`, and on a mined rule.

Not a DAG file (`.airflowignore` lists it). The task waits without holding a worker.
"""

from collections.abc import Callable
from typing import Any

from airflow.sdk import TriggerRule, XComArg, task
from airflow.sdk.exceptions import AirflowSkipException

from include.learning import steps
from include.problems.schema import Problem
from stage import run_step

ANSWER = "approve"


def ask_about_versions(problem: Problem, decided: XComArg) -> Any:
    """Ask about the versions that wait after the gate; give the last task."""
    asked = run_step(steps.open_approval, problem, decided=decided, only_if=lambda asked: bool(asked["versions"]))
    return ask_a_person(problem, asked, steps.open_approval, steps.record_approval, "versions", is_partitioned=True)


def ask_a_person(
    problem: Problem,
    asked: XComArg,
    ask: Callable[..., dict[str, Any]],
    answer_to: Callable[..., dict[str, Any]],
    about: str,
    *,
    is_partitioned: bool,
) -> Any:
    """Make the tasks that wait for a person and write the answer down; give the last one.

    No answer within `training.approval_timeout` is a no. A "no" makes Airflow skip what follows directly, which is why
    an empty task stands between the answer and the task that writes it down.

    Args:
        asked: task of `ask`, whose outcome has subject, body and what the question is about.
        answer_to: step that writes the answer down.
        about: what `ask` names and `answer_to` takes.
        is_partitioned: whether `answer_to` must be told the run's partition.
    """
    # Imported only where somebody is asked: every task of every DAG reads these files again.
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    if problem.training is None:
        raise ValueError(f"{problem.name} has no section training, so there is nothing to approve.")
    answer = ApprovalOperator(
        task_id=ANSWER,
        subject=f"{{{{ ti.xcom_pull(task_ids='{ask.__name__}')['subject'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{ask.__name__}')['body'] }}}}",
        defaults=ApprovalOperator.REJECT,
        response_timeout=problem.training.approval_timeout,
        doc_md="Wait for a person, who reads here what is asked and says yes or no.",
    )

    @task(doc_md="Stands between the answer and what writes it down: a no skips this task alone.")
    def approved() -> None:
        return None

    @task(task_id=answer_to.__name__, doc_md=answer_to.__doc__, trigger_rule=TriggerRule.ALL_DONE)
    def record(dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
        question = ti.xcom_pull(task_ids=ask.__name__)
        if not question:
            raise AirflowSkipException("Nobody was asked.")
        where = {"partition_key": str(dag_run.partition_key)} if is_partitioned else {}
        given = {about: question[about], "answer": ti.xcom_pull(task_ids=ANSWER)}
        return answer_to(problem=problem.name, run_id=dag_run.run_id, **where, **given)

    asked >> answer
    return answer >> approved() >> record()
