"""Which stages a problem's file calls for: a problem gets only the DAGs it asks for."""

from collections.abc import Iterable

from include.names import Single, Stage, dag_id
from include.problems.recorded_truth import truth_path
from include.problems.schema import Log, Problem
from include.settings import read_settings

# A form offers the problems that have this stage; where none has it, the DAG does not exist.
OFFERED_WITH = {
    Single.ROLLBACK: Stage.TRAIN,
    Single.REPLAY: Stage.INGEST,
    Single.ERASE: Stage.INGEST,
    Single.WITHDRAW: Stage.INGEST,
}


def stages_of(problem: Problem, *, is_demo_reviewer_on: bool) -> frozenset[Stage]:
    """Name the stages of one problem.

    Args:
        is_demo_reviewer_on: whether this deployment lets recorded truth answer review batches, where it is recorded.
    """
    asked_for = {
        Stage.LAND: True,
        Stage.INGEST: True,
        Stage.LABELS: isinstance(problem, Log) and problem.gives_labels,
        Stage.TRAIN: problem.training is not None,
        Stage.RULES: problem.baseline is not None and problem.baseline.mine != "none",
        Stage.REVIEW: problem.review is not None,
        Stage.DEMO_REVIEWER: problem.review is not None
        and is_demo_reviewer_on
        and truth_path(read_settings(), problem.name).is_file(),
        Stage.DESK_WATCH: problem.review is not None,
        Stage.CORRECTIONS: problem.label is not None and problem.label.corrections,
        Stage.OUTBOX: isinstance(problem, Log) and problem.is_audience,
        Stage.EXPERIMENT: bool(problem.named_experiments),
        Stage.EXPERIMENT_WATCH: bool(problem.named_experiments),
        Stage.EXPERIMENT_TIE: any(one.decide.tie == "ask" for one in problem.named_experiments.values()),
        Stage.MONITOR: problem.monitor is not None,
        Stage.ALERT_WATCH: problem.monitor is not None and problem.monitor.needs_clock,
        Stage.UPKEEP: True,
    }
    return frozenset(stage for stage, is_asked_for in asked_for.items() if is_asked_for)


def is_retraining(problem: Problem) -> bool:
    """Say whether alerts of a problem ask for trainings."""
    return problem.monitor is not None and problem.monitor.is_retraining


def listeners_of(problem: Problem) -> dict[Stage, frozenset[Stage]]:
    """Name, for each stage that announces data partitions or rounds, the stages that begin with what it announces."""
    stages = stages_of(problem, is_demo_reviewer_on=False)
    training = problem.training
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    woken_by_lake = {Stage.REVIEW, Stage.EXPERIMENT} | ({Stage.TRAIN} if is_labelled_by_log else set())
    # Elsewhere `train` tells of every partition at once, with a model or without: a second run would find nothing new.
    if training is None or not is_labelled_by_log or training.approval == "required":
        woken_by_lake.add(Stage.MONITOR)
    hear_of_models = {Stage.REVIEW, Stage.MONITOR} if training is not None else set()
    if isinstance(problem, Log):
        woken_by_lake = {Stage.LABELS, Stage.OUTBOX}
    return {Stage.INGEST: stages & woken_by_lake, Stage.TRAIN: stages & hear_of_models}


def with_logs(problems: Iterable[Problem]) -> list[Problem]:
    """Give problems, each followed by its other logs, which have the stages of a problem that is only ingested."""
    return [one for problem in problems for one in (problem, *problem.logs)]


def problems_offered(single: Single, problems: Iterable[Problem]) -> list[Problem]:
    """Name the problems that the form of a single DAG offers, in their order; without any there is no such DAG.

    Quarantined rows are replayed, and objects withdrawn, log by log; a person is erased from all logs of a problem at
    once.
    """
    if single in (Single.REPLAY, Single.WITHDRAW):
        problems = with_logs(problems)
    return [problem for problem in problems if OFFERED_WITH[single] in stages_of(problem, is_demo_reviewer_on=False)]


def dag_ids_of(problems: Iterable[Problem], *, is_demo_reviewer_on: bool) -> frozenset[str]:
    """Name every DAG that problems call for, those with a form included.

    Args:
        problems: of one deployment.
        is_demo_reviewer_on: whether this deployment lets recorded truth answer review batches.
    """
    problems = list(problems)
    staged = {
        dag_id(problem.name, stage)
        for problem in with_logs(problems)
        for stage in stages_of(problem, is_demo_reviewer_on=is_demo_reviewer_on)
    }
    return frozenset(staged | {str(single) for single in Single if problems_offered(single, problems)})
