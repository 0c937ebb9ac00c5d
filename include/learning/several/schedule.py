"""Says whether people have labelled enough of several classes to learn from: a store file, which reads no rows."""

from sqlalchemy import Connection

from include.learning.contracts import TrainingPlan
from include.learning.data.dataset import label_of, training_of
from include.learning.data.labels import read_answers
from include.learning.several.answers import say_ready
from include.problems.schema import Problem


def plan_by_desk(connection: Connection, problem: Problem, round_id: str) -> TrainingPlan:
    """Count the labels that people have given up to a round, and the classes that can be measured."""
    label, minimum = label_of(problem), training_of(problem).minimum_labels
    answers = read_answers(connection, problem.name, round_id)
    n_settled, n_ready, said = say_ready(answers, label)
    is_due = n_settled >= minimum and n_ready >= (1 if label.multiple else 2)
    reason = f"{n_settled} items are labelled up to {round_id} ({minimum} are needed); {said}"
    return TrainingPlan((round_id,) if is_due else (), reason, n_settled)
