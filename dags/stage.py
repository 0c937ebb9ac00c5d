"""What all stages share: the loop over problems, the DAG's page and rights, and how a step becomes a task.

Not a DAG file (`.airflowignore` lists it). It knows when and in what order, never what.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from inspect import signature
from typing import Any

from airflow.sdk import (
    DAG,
    Asset,
    BaseOperator,
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
from include.errors import (
    BadForm,
    CannotRollBack,
    NoLabelMatches,
    NothingThere,
    PartitionRefused,
    RowsOutsidePartition,
    SnapshotExpired,
    StaleAnswer,
    UnknownPartitionKey,
)
from include.names import Single, Stage
from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.problems.stages import problems_offered, stages_of, with_logs
from include.settings import lent_pii_keys, read_settings

# Whose steps need the keys of identifiers: the lake hashes them, and labels from outside name rows by them.
HASHING_ROOMS = frozenset({"include.lake.steps", "include.review.steps", "include.experiments.steps"})

# A verdict does not change by asking again; everything else may have been a passing fault.
RETRY = ExceptionRetryPolicy(
    rules=[
        RetryRule(
            exception=[
                PartitionRefused,
                NothingThere,
                NoLabelMatches,
                SnapshotExpired,
                RowsOutsidePartition,
                BadForm,
                CannotRollBack,
                StaleAnswer,
            ],
            action=RetryAction.FAIL,
            reason="final verdict",
        )
    ]
)


def problems_with(stage: Stage) -> Iterator[Problem]:
    """Give the problems whose file calls for a stage; only the one asked for when a task reads its own DAG again."""
    asked_for = get_parsing_context().dag_id
    is_demo_reviewer_on = read_settings().is_demo_reviewer_on
    only = names.file_of_dag(asked_for) if asked_for else None
    problems, _ = load_problems(only=only)  # broken files are reported by problem_files.py
    for problem in with_logs(problems):
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
        # Only a DAG that Airflow has never seen: whoever pauses one keeps it paused.
        is_paused_upon_creation=False if problem.active else None,
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


def problems_for(single: Single) -> list[Problem]:
    """Give the problems that a single DAG offers; none when a task of another DAG is read again."""
    if get_parsing_context().dag_id not in (None, str(single)):
        return []
    problems, _ = load_problems()
    return problems_offered(single, problems)


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


@contextmanager
def borrowed_pii_keys(step: Callable[..., Any]) -> Iterator[None]:
    """Take keys of identifiers from the Airflow connection `mulgil_pii` while a step runs, where there is one.

    Its password is the key where the environment names none; `older_keys` in its extra is a list of those before it,
    which are recognised wherever the newest one stands. Without a connection nothing happens: the step that needs a key
    says what is missing. Steps that hash nothing do not ask Airflow.
    """
    if step.__module__ not in HASHING_ROOMS:
        yield
        return
    try:
        connection = Connection.get(names.PII_CONNECTION)
    except AirflowNotFoundException:
        yield
        return
    with lent_pii_keys(connection.password or "", connection.extra_dejson.get("older_keys", [])):
        yield


def handed_on(outcome: Any) -> dict[str, Any]:
    """Give what Airflow hands on of a step's outcome: a contract says so itself, a plain answer is what it is."""
    return dict(outcome.to_xcom() if hasattr(outcome, "to_xcom") else outcome)


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
        with borrowed_pii_keys(step):
            outcome = handed_on(step(**dict(params), actor=actor, run_id=dag_run.run_id))
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
        """Run the steps for one partition.

        Raises:
            AirflowSkipException: a step found that there is nothing to do.
        """
        outcomes: dict[str, dict[str, Any]] = {}
        for own_name, step in steps.items():
            about = {"problem": params["problem"], "partition_key": chosen_key, "run_id": dag_run.run_id}
            with borrowed_pii_keys(step):
                outcomes[own_name] = handed_on(step(**about, **outcomes))
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

    own_id = f"{step.__name__}__{problem.name.replace('.', '__')}"  # a point would make a group of tasks

    @task(task_id=own_id, doc_md=step.__doc__, outlets=[outlet], trigger_rule=rule)
    def call(dag_run: Any = None, params: Any = None, outlet_events: Any = None) -> dict[str, Any]:
        """Run the step, and announce what it names.

        Raises:
            AirflowSkipException: the form names another problem, or there is nothing to announce.
        """
        if params["problem"] != problem.name:
            raise AirflowSkipException(f"The form names {params['problem']}.")
        outcome = handed_on(step(problem=problem.name, run_id=dag_run.run_id))
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
    is_done_when_idle: bool = False,
    is_partitioned: bool = True,
    trigger_rule: str = TriggerRule.ALL_SUCCESS,
    task_id: str | None = None,
    **upstream: XComArg,
) -> XComArg:
    """Make a step the body of one task.

    Args:
        step: a function of an `include.*.steps` file.
        outlet: asset to announce; the run's own partition, unless `keys` names others.
        keys: reads the partitions to announce from the step's outcome; none is no event.
        only_if: reads from the outcome whether what follows has work; if not, it is skipped and nothing is announced.
            A task that nothing follows, and that has nothing to announce, has done its work all the same: it ends
            green.
        is_done_when_idle: the same though tasks follow: they run in any case, such as one that sends messages.
        is_partitioned: whether the run must say which partition it is about.
        task_id: another name than the step's: history and people know the task by it.
        upstream: outcomes of earlier steps, by the step's own argument names.
    """
    outlets = [outlet] if outlet else []

    @task(task_id=task_id or step.__name__, doc_md=step.__doc__, outlets=outlets, trigger_rule=trigger_rule)
    def call(
        arguments: dict[str, Any], dag_run: Any = None, outlet_events: Any = None, ti: Any = None
    ) -> dict[str, Any]:
        """Run the step, and announce what it names.

        Raises:
            AirflowSkipException: what follows has no work, or there is nothing to announce.
            UnknownPartitionKey: a run started by hand without one.
        """
        own = {"run_id": dag_run.run_id}
        if is_partitioned:
            own["partition_key"] = _require_partition_key(dag_run)
        with borrowed_pii_keys(step):
            outcome = handed_on(step(problem=problem.name, **own, **arguments))
        announced = keys(outcome) if keys else None
        if not only_if(outcome) or announced == []:
            return end_idle(ti.task, outcome, is_done=is_done_when_idle)
        if outlet and announced is not None:
            outlet_events[outlet].add_partitions(announced)
        return outcome

    return call(arguments=upstream)


def end_idle(task: BaseOperator, outcome: dict[str, Any], *, is_done: bool) -> dict[str, Any]:
    """End a task that has nothing to announce.

    Args:
        is_done: whether it has done its work though tasks follow.

    Raises:
        AirflowSkipException: tasks follow, and have nothing to do either.
    """
    if task.downstream_task_ids and not is_done:
        raise AirflowSkipException(str(outcome.get("reason") or "nothing to do"))
    # Airflow announces what stands here when the task ends, with or without keys; this is the process of one task.
    task.outlets = []
    return outcome


def stay_red(task: XComArg | BaseOperator, name: str = "finished") -> None:
    """Let a run be red when this task is, though something ran after it: a run is what its last tasks are.

    The task behind it does nothing, and is never sent to a worker. One for each: a shared one would be skipped as soon
    as the first task before it is, whatever the others came to.

    Args:
        name: of the task behind it.
    """
    from airflow.providers.standard.operators.empty import EmptyOperator

    task >> EmptyOperator(task_id=name, doc_md="Keeps the run red when the task before it is red.")


def _require_partition_key(dag_run: Any) -> str:
    """Read which partition the run is about.

    Raises:
        UnknownPartitionKey: a run started by hand without one.
    """
    if not dag_run.partition_key:
        raise UnknownPartitionKey(
            f"Run {dag_run.run_id} of {dag_run.dag_id} names no partition. Runs that assets start name one; by hand: "
            f"airflow dags trigger {dag_run.dag_id} --partition-key KEY, or Partition Key in the trigger form."
        )
    return str(dag_run.partition_key)
