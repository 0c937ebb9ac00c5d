"""Mulgil's two Airflow roles, and which DAGs each may change.

A *Reviewer* answers items: reads every page and DAG, and may edit the DAG `<problem>__review`, which is how the desk
tells who may answer. A *Lead* also answers for people: reports on reviewers, the approvals that `train`, `rules` and
`experiment_tie` wait for, and the alerts of `monitor`, which a lead closes or puts off on the Reports page. Neither
starts a run, reads a connection or touches `erase`, `rollback`, `replay`, `withdraw`. Airflow's role Op may do all of
that, which is why nobody who labels has it.

What does not belong here: Airflow. Writing the roles into its tables is `metadata.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterable

from include.names import LEAD_ROLE, REVIEWER_ROLE, Stage, dag_id
from include.problems.schema import Problem
from include.problems.stages import stages_of

# Stages whose DAGs may wait for a person's yes, or raise what a person closes.
DECIDED = (Stage.TRAIN, Stage.RULES, Stage.EXPERIMENT_TIE, Stage.MONITOR)


def editable_dags(problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Name for each role the DAGs that it may edit, in order; no other right to change anything comes with it."""
    reviewed: list[str] = []
    decided: list[str] = []
    for problem in problems:
        stages = stages_of(problem, is_demo_reviewer_on=False)
        reviewed += [dag_id(problem.name, Stage.REVIEW)] if Stage.REVIEW in stages else []
        decided += [dag_id(problem.name, stage) for stage in DECIDED if stage in stages]
    return {REVIEWER_ROLE: sorted(reviewed), LEAD_ROLE: sorted([*reviewed, *decided])}
