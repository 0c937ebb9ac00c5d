"""How a person has the last word on a model, where the problem's file says `approval: required`.

Not a DAG file (`.airflowignore` lists it). The task waits without holding a worker.
"""

from typing import Any

from airflow.sdk import TriggerRule, XComArg, task
from airflow.sdk.exceptions import AirflowSkipException

from include.learning import steps
from include.problems.schema import Problem
from stage import run_step

ASK, ANSWER = steps.open_approval.__name__, "approve"


def ask_a_person(problem: Problem, decided: XComArg) -> Any:
    """Make the tasks that ask, wait and write the answer down; give the last one.

    No answer within `training.approval_timeout` is a no. A "no" makes Airflow skip what follows directly, which is why
    an empty task stands between the answer and the task that writes it down.
    """
    # Imported only where somebody is asked: every task of every DAG reads these files again.
    from airflow.providers.standard.operators.hitl import ApprovalOperator

    if problem.training is None:
        raise ValueError(f"{problem.name} has no section training, so there is nothing to approve.")
    asked = run_step(steps.open_approval, problem, decided=decided, only_if=lambda asked: bool(asked["versions"]))
    answer = ApprovalOperator(
        task_id=ANSWER,
        subject=f"{{{{ ti.xcom_pull(task_ids='{ASK}')['subject'] }}}}",
        body=f"{{{{ ti.xcom_pull(task_ids='{ASK}')['body'] }}}}",
        defaults=ApprovalOperator.REJECT,
        response_timeout=problem.training.approval_timeout,
        doc_md="Wait for a person, who reads the model's card here and says yes or no.",
    )

    @task(doc_md="Stands between the answer and what writes it down: a no skips this task alone.")
    def approved() -> None:
        return None

    @task(
        task_id=steps.record_approval.__name__,
        doc_md=steps.record_approval.__doc__,
        trigger_rule=TriggerRule.ALL_DONE,
    )
    def record(dag_run: Any = None, ti: Any = None) -> dict[str, Any]:
        question = ti.xcom_pull(task_ids=ASK)
        if not question:
            raise AirflowSkipException("Nobody was asked.")
        return steps.record_approval(
            problem=problem.name,
            partition_key=str(dag_run.partition_key),
            versions=list(question["versions"]),
            answer=ti.xcom_pull(task_ids=ANSWER),
            run_id=dag_run.run_id,
        )

    asked >> answer
    return answer >> approved() >> record()
