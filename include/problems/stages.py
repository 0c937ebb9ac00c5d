"""Which stages a problem's file calls for: a problem gets only the DAGs it asks for."""

from include.names import Stage
from include.problems.schema import Problem


def stages_of(problem: Problem, *, is_demo_reviewer_on: bool) -> frozenset[Stage]:
    """Name the stages of one problem.

    Args:
        is_demo_reviewer_on: whether this deployment lets recorded truth answer review batches.
    """
    asked_for = {
        Stage.LAND: True,
        Stage.INGEST: True,
        Stage.TRAIN: problem.training is not None,
        Stage.RULES: problem.baseline is not None and problem.baseline.mine != "none",
        Stage.REVIEW: problem.review is not None,
        Stage.DEMO_REVIEWER: problem.review is not None and is_demo_reviewer_on,
        Stage.DESK_WATCH: problem.review is not None,
        Stage.EXPERIMENT: problem.experiment is not None,
        Stage.MONITOR: problem.monitor is not None,
        Stage.UPKEEP: True,
    }
    return frozenset(stage for stage, is_asked_for in asked_for.items() if is_asked_for)


def listeners_of(problem: Problem) -> dict[Stage, frozenset[Stage]]:
    """Name, for each stage that announces data partitions or rounds, the stages that begin with what it announces."""
    stages = stages_of(problem, is_demo_reviewer_on=False)
    is_labelled_by_log = problem.label is not None and problem.label.source == "log"
    woken_by_lake = {Stage.REVIEW, Stage.EXPERIMENT} | ({Stage.TRAIN} if is_labelled_by_log else set())
    return {Stage.INGEST: stages & woken_by_lake, Stage.TRAIN: stages & {Stage.REVIEW, Stage.MONITOR}}
