"""Which functions fit, judge, describe and score, for each kind of label.

What belongs here: the choice, in one place. What does not: what any of them does. It imports everything heavy, so that
only running steps import it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from include.errors import BadProblem
from include.learning import fit_version
from include.learning.contracts import FittedVersion, TrainingPlan, Verdict
from include.learning.data.dataset import is_labelled_by_log, is_of_a_quantity, is_of_several
from include.learning.evaluation import calibration_effect, gate
from include.learning.explain import model_card
from include.learning.label_errors import find as find_errors
from include.learning.quantity import fit_version as quantity_fit
from include.learning.quantity import gate as quantity_gate
from include.learning.quantity import model_card as quantity_card
from include.learning.quantity import score as quantity_score
from include.learning.scoring.score_partitions import TWO_SIDES, Output, score_partitions
from include.learning.several import fit_version as several_fit
from include.learning.several import gate as several_gate
from include.learning.several import model_card as several_card
from include.learning.several import schedule as several_schedule
from include.learning.several import score as several_score
from include.learning.several import suspects as several_suspects
from include.learning.training import schedule
from include.problems.schema import Problem
from include.warehouse.steps import Outcome


@dataclass(frozen=True)
class Kind:
    """What is done with a problem, by the kind of its label.

    Attributes:
        plan_by_desk: says whether people have labelled enough.
        fit: fits one training point.
        decide: puts one version through the gate.
        describe: writes down what a version is like.
        suspect: finds labels of people that are probably wrong.
        score: scores one partition, and writes what is known with the scores.
    """

    plan_by_desk: Callable[[Connection, Problem, str], TrainingPlan]
    fit: Callable[[Problem, str], FittedVersion]
    decide: Callable[[Problem, str, str], Verdict]
    describe: Callable[[Problem, str], int]
    suspect: Callable[[Problem, str], Outcome]
    score: Callable[[Problem, str, str], int]


def kind_of(problem: Problem) -> Kind:
    """Give what is done with a problem."""
    by_log = is_labelled_by_log(problem)
    if is_of_a_quantity(problem):
        return Kind(
            _refuse_desk,
            quantity_fit.fit_on_log,
            quantity_gate.decide,
            quantity_card.describe,
            find_errors.suspect_labels,
            quantity_score.score,
        )
    if is_of_several(problem):
        return Kind(
            several_schedule.plan_by_desk,
            several_fit.fit_on_log if by_log else several_fit.fit_on_answers,
            several_gate.decide,
            several_card.describe,
            several_suspects.suspect_labels,
            _score_several,
        )
    return Kind(
        schedule.plan_by_desk,
        fit_version.fit_on_log if by_log else fit_version.fit_on_answers,
        gate.decide,
        model_card.describe,
        find_errors.suspect_labels,
        _score_two_sides,
    )


def output_of(problem: Problem) -> Output:
    """Say what the predictions of a problem that people label look like."""
    return several_score.output_of(problem) if is_of_several(problem) else TWO_SIDES


def _refuse_desk(connection: Connection, problem: Problem, round_id: str) -> TrainingPlan:  # noqa: ARG001
    """Refuse to learn a number from people.

    Raises:
        BadProblem: always; the problem file refuses it before.
    """
    raise BadProblem(f"{problem.name}: people answer with a class, and the label is a quantity.")


def _score_several(problem: Problem, version: str, partition_key: str) -> int:
    """Score one partition, a row for each class, and fill in what is not known."""
    n_rows = score_partitions(problem, version, [partition_key], several_score.output_of(problem))
    several_score.fill_labels(problem, version, [partition_key])
    several_score.record_effect(problem, version, partition_key)
    return n_rows


def _score_two_sides(problem: Problem, version: str, partition_key: str) -> int:
    """Score one partition, and measure what calibration was good for."""
    n_rows = score_partitions(problem, version, [partition_key])
    calibration_effect.record_effect(problem, version, partition_key)
    return n_rows
