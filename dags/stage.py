"""What all stages share: the loop over problems, the DAG's page and rights, and how a step becomes a task.

Not a DAG file (`.airflowignore` lists it). It knows when and in what order, never what.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from inspect import signature
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    Connection,
    ExceptionRetryPolicy,
    RetryAction,
    RetryRule,
    TriggerRule,
    XComArg,
    get_parsing_context,
    task,
)
from airflow.sdk.exceptions import AirflowNotFoundException, AirflowSkipException

from include import names
from include.errors import BadForm, BadPartition, CannotRollBack, PartitionRefused
from include.names import Single, Stage
from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.problems.stages import stages_of
from include.settings import lend_pii_keys, read_settings

# A verdict does not change by asking again; everything else may have been a passing fault.
RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[PartitionRefused, BadPartition, BadForm, CannotRollBack],
            action=RetryAction.FAIL,
            reason="final verdict",
        )
    ]
)


def problems_with(stage: Stage) -> Iterator[Problem]:
    """Give the problems whose file calls for a stage; only the one asked for when a task reads its own DAG again."""
    asked_for = get_parsing_context().dag_id
    is_demo_reviewer_on = read_settings().is_demo_reviewer_on
    problems, _ = load_problems()  # broken files are reported by problem_files.py
    for problem in problems:
        is_called_for = stage in stages_of(problem, is_demo_reviewer_on=is_demo_reviewer_on)
        if is_called_for and asked_for in (None, names.dag_id(problem.name, stage)):
            yield problem


def stage_dag(problem: Problem, stage: Stage, page: str, *, schedule: Any, max_active_runs: int) -> DAG:
    """Make the DAG of one problem and stage, with its page, its owner and its tags."""
    return DAG(
        dag_id=names.dag_id(problem.name, stage),
        dag_display_name=f"{problem.name} · {stage.replace('_', ' ')}",
        description=page.strip().splitlines()[2],
        doc_md=f"{page}\n---\n**Problem: {problem.title}.** {problem.why}\n\n"
        f"Owner: {problem.owner}. When it stays red: {problem.escalation}.",
        schedule=schedule,
        start_date=datetime(2020, 1, 1),  # noqa: DTZ001 - Airflow reads it as UTC; fixed, so that nothing moves
        catchup=False,
        max_active_runs=max_active_runs,
        default_args={
            "owner": problem.owner,
            # People wait at the end of a desk problem's chain, and its rounds follow each other: it goes first.
            "priority_weight": 10 if problem.review else 1,
            "weight_rule": "absolute",
            "retries": 2,
            "retry_delay": timedelta(seconds=10),
            "retry_policy": RETRY,
        },
        tags=["mulgil", problem.name, f"stage:{stage}"],
    )


def problems_for(single: Single, stage: Stage) -> list[Problem]:
    """Give the problems that a single DAG offers: those with a stage; none when a task of another DAG is read again."""
    if get_parsing_context().dag_id not in (None, str(single)):
        return []
    problems, _ = load_problems()
    return [problem for problem in problems if stage in stages_of(problem, is_demo_reviewer_on=False)]


def single_dag(single: Single, page: str, *, params: dict[str, Any]) -> DAG:
    """Make a DAG that a person starts with a form; it belongs to no one problem."""
    return DAG(
        dag_id=str(single),
        description=page.strip().splitlines()[2],
        doc_md=page,
        schedule=None,
        start_date=datetime(2020, 1, 1),  # noqa: DTZ001 - Airflow reads it as UTC; fixed, so that nothing moves
        catchup=False,
        max_active_runs=1,
        params=params,
        default_args={
            "owner": "mulgil",
            "retries": 2,
            "retry_delay": timedelta(seconds=10),
            "retry_policy": RETRY,
        },
        tags=["mulgil", f"single:{single}"],
    )


def borrow_pii_keys() -> None:
    """Take the keys of identifiers from the Airflow connection `mulgil_pii`, where the environment has none.

    Its password is the key; `older_keys` in its extra is a list of those before it. Without a connection nothing
    happens: most steps need no key, and the one that does says what is missing.
    """
    if read_settings().pii_key:
        return
    try:
        connection = Connection.get(names.PII_CONNECTION)
    except AirflowNotFoundException:
        return
    lend_pii_keys(connection.password or "", connection.extra_dejson.get("older_keys", []))


def run_form(step: Callable[..., dict[str, Any]], *, gives: str | None = None) -> XComArg:
    """Make a step the body of one task whose arguments are the form's, and who filled it in.

    Args:
        gives: which part of the outcome is handed on, for a task for each of its items; all of it when None.
    """

    @task(task_id=step.__name__, doc_md=step.__doc__)
    def call(dag_run: Any = None, params: Any = None) -> Any:
        require_form(step, dict(params))
        # A run that a program starts has no person; its own name says which one it was.
        actor = str(dag_run.triggering_user_name or dag_run.run_id)
        borrow_pii_keys()
        outcome = step(**dict(params), actor=actor, run_id=dag_run.run_id)
        return outcome if gives is None else outcome[gives]

    return call()


def require_form(step: Callable[..., dict[str, Any]], form: dict[str, Any]) -> None:
    """Refuse what a form does not ask for: Airflow hands on whatever a run was started with.

    Args:
        step: its own arguments are the form's fields.

    Raises:
        BadForm: a field is unknown.
    """
    known = [name for name in signature(step).parameters if name not in {"actor", "run_id"}]
    unknown = [name for name in form if name not in known]
    if unknown:
        raise BadForm(
            f"{len(unknown)} of the {len(form)} fields that this run was started with are not on its form; the first "
            f"is {unknown[0]!r}. The form has {', '.join(known)}. Nothing was done; start the DAG again without it."
        )


def run_in_turn(partitions: XComArg, **steps: Callable[..., dict[str, Any]]) -> XComArg:
    """Make steps one task for each partition that a form's first step chose.

    They stand in one task because they start over together: what the first one found must still hold for the last.

    Args:
        partitions: keys.
        steps: in order, each by the argument name that later ones know its outcome by. None follows one whose outcome
            has `is_over`.
    """
    name, last = list(steps.items())[-1]

    @task(task_id=last.__name__, doc_md=last.__doc__, max_active_tis_per_dagrun=4)
    def call(chosen_key: str, dag_run: Any = None, params: Any = None) -> dict[str, Any]:
        outcomes: dict[str, dict[str, Any]] = {}
        borrow_pii_keys()
        for own_name, step in steps.items():
            about = {"problem": params["problem"], "partition_key": chosen_key, "run_id": dag_run.run_id}
            outcomes[own_name] = step(**about, **outcomes)
            if outcomes[own_name].get("is_over"):
                raise AirflowSkipException(str(outcomes[own_name]["reason"]))
        return outcomes[name]

    # Airflow knows `partition_key` as a word of its own, the key that a run is about.
    return call.expand(chosen_key=partitions)


def run_for_chosen(
    step: Callable[..., dict[str, Any]],
    problem: Problem,
    *,
    outlet: Asset,
    keys: Callable[[dict[str, Any]], list[str]],
    is_always: bool = False,
) -> XComArg:
    """Make a step one task for each problem, which is skipped unless the form names the problem.

    An outlet is fixed when a DAG is read, and an outlet without keys would still be announced: hence a task for each.

    Args:
        is_always: whether it runs though a task before it is red: what the others have done is announced all the same.
    """
    rule = TriggerRule.ALL_DONE if is_always else TriggerRule.ALL_SUCCESS

    @task(task_id=f"{step.__name__}__{problem.name}", doc_md=step.__doc__, outlets=[outlet], trigger_rule=rule)
    def call(dag_run: Any = None, params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        if params["problem"] != problem.name:
            raise AirflowSkipException(f"The form names {params['problem']}.")
        outcome = step(problem=problem.name, run_id=dag_run.run_id)
        if not keys(outcome):
            raise AirflowSkipException(str(outcome.get("reason") or "nothing to do"))
        outlet_events[outlet].add_partitions(keys(outcome))
        return outcome

    return call()


def run_step(
    step: Callable[..., dict[str, Any]],
    problem: Problem,
    *,
    outlet: Asset | None = None,
    keys: Callable[[dict[str, Any]], list[str]] | None = None,
    only_if: Callable[[dict[str, Any]], bool] = lambda _: True,
    is_partitioned: bool = True,
    trigger_rule: str = TriggerRule.ALL_SUCCESS,
    **upstream: XComArg,
) -> XComArg:
    """Make a step the body of one task.

    Args:
        step: a function of an `include.*.steps` file.
        outlet: asset to announce; the run's own partition, unless `keys` names others.
        keys: reads the partitions to announce from the step's outcome; none is a skip, not an event.
        only_if: reads from the outcome whether what follows has work; if not, it is skipped and nothing is announced.
        is_partitioned: whether the run must say which partition it is about.
        upstream: outcomes of earlier steps, by the step's own argument names.
    """

    @task(task_id=step.__name__, doc_md=step.__doc__, outlets=[outlet] if outlet else [], trigger_rule=trigger_rule)
    def call(arguments: dict[str, Any], dag_run: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        own = {"run_id": dag_run.run_id}
        if is_partitioned:
            own["partition_key"] = _require_partition_key(dag_run)
        borrow_pii_keys()
        outcome = step(problem=problem.name, **own, **arguments)
        announced = keys(outcome) if keys else None
        if not only_if(outcome) or announced == []:
            raise AirflowSkipException(str(outcome.get("reason") or "nothing to do"))
        if outlet and announced is not None:
            outlet_events[outlet].add_partitions(announced)
        return outcome

    return call(arguments=upstream)


def stay_red(task: XComArg) -> None:
    """Let a run be red when this task is, though something ran after it: a run is what its last tasks are.

    The task behind it does nothing, and is never sent to a worker.
    """
    from airflow.providers.standard.operators.empty import EmptyOperator

    task >> EmptyOperator(task_id="finished", doc_md="Keeps the run red when the task before it is red.")


def _require_partition_key(dag_run: Any) -> str:
    """Read which partition the run is about.

    Raises:
        BadPartition: a run started by hand without one.
    """
    if not dag_run.partition_key:
        raise BadPartition(
            f"Run {dag_run.run_id} of {dag_run.dag_id} names no partition. Runs that assets start name one; by hand: "
            f"airflow dags trigger {dag_run.dag_id} --partition-key KEY, or Partition Key in the trigger form."
        )
    return str(dag_run.partition_key)
