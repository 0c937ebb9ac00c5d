"""How a person has the last word: on a model, where the problem's file says `approval: required`, on a mined rule,
and on a variant that is practically as good as the control.

Not a DAG file (`.airflowignore` lists it). The task waits without holding a worker.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from airflow.sdk import Asset, TriggerRule, XComArg, task
from airflow.sdk.exceptions import AirflowSkipException

from include.problems.schema import Problem
from stage import end_idle, run_step, stay_red
from steps_by_name import Steps

steps = Steps("learning")

ANSWER = "approve"


def ask_about_versions(problem: Problem, decided: XComArg) -> Any:
    """Ask about the versions that wait after the gate; give the last task.

    Raises:
        ValueError: the problem has no section `training`.
    """
    asked = run_step(steps.open_approval, problem, decided=decided, only_if=lambda asked: bool(asked["versions"]))
    waits = approval_timeout_of(problem)
    return ask_a_person(
        problem, asked, steps.open_approval, steps.record_approval, "versions", waits=waits, is_partitioned=True
    )


def approval_timeout_of(problem: Problem) -> timedelta:
    """Say how long a problem's people have to approve a model or a rule.

    Raises:
        ValueError: the problem has no section `training`.
    """
    if problem.training is None:
        raise ValueError(f"{problem.name} has no section training, so there is nothing to approve.")
    return problem.training.approval_timeout


def ask_a_person(
    problem: Problem,
    asked: XComArg,
    ask: Callable[..., dict[str, Any]],
    answer_to: Callable[..., dict[str, Any]],
    about: str,
    *,
    waits: timedelta,
    is_partitioned: bool,
    outlet: Asset | None = None,
    keys: Callable[[dict[str, Any]], list[str]] | None = None,
) -> Any:
    """Make the tasks that wait for a person and write the answer down; give the last one.

    No answer in time is a no. A "no" makes Airflow skip what follows directly, which is why
    an empty task stands between the answer and the task that writes it down.

    Args:
        asked: task of `ask`, whose outcome has subject, body and what the question is about.
        answer_to: step that writes the answer down.
        about: what `ask` names and `answer_to` takes.
        waits: how long there is time for an answer.
        is_partitioned: whether `answer_to` must be told the run's partition.
        outlet: asset that the answer announces.
        keys: reads the partitions to announce from the outcome of `answer_to`; none is no event.
    """
    # Imported only where somebody is asked: every task of every DAG reads these files again.
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    answer = ApprovalOperator(
        task_id=ANSWER,
        subject=f"{{{{ ti.xcom_pull(task_ids='{ask.__name__}')['subject'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{ask.__name__}')['body'] }}}}",
        defaults=ApprovalOperator.REJECT,
        response_timeout=waits,
        doc_md="Wait for a person, who reads here what is asked and says yes or no.",
    )

    @task(doc_md="Stands between the answer and what writes it down: a no skips this task alone.")
    def approved() -> None:
        return None

    outlets = [outlet] if outlet else []

    @task(task_id=answer_to.__name__, doc_md=answer_to.__doc__, outlets=outlets, trigger_rule=TriggerRule.ALL_DONE)
    def record(dag_run: Any = None, ti: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        """Write the answer down, and announce what follows from it.

        Raises:
            AirflowSkipException: nobody was asked.
        """
        question = ti.xcom_pull(task_ids=ask.__name__)
        if not question:
            raise AirflowSkipException("Nobody was asked.")
        where = {"partition_key": str(dag_run.partition_key)} if is_partitioned else {}
        given = {about: question[about], "answer": ti.xcom_pull(task_ids=ANSWER)}
        outcome = answer_to(problem=problem.name, run_id=dag_run.run_id, **where, **given)
        if keys and not keys(outcome):
            return end_idle(ti.task, outcome, is_done=True)
        if outlet and keys:
            outlet_events[outlet].add_partitions(keys(outcome))
        return outcome

    asked >> answer
    # What writes the answer down runs whatever came before; a question that could not be asked must not end green.
    stay_red(answer)
    return answer >> approved() >> record()
