"""Takes out what people said, and lets it in again: one person from the page, or hundreds from a script.

What belongs here: the lead's request, its row in the audit, and that every figure shows it at once. What does not:
`core.person_block` (`batches/blocks.py`), and how figures are measured (`metrics/`).
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine

from include.errors import DeskRefused, MulgilError
from include.problems.schema import Problem
from include.review.batches import blocks
from include.review.batches.assignments import Place
from include.review.desk import audit
from include.review.desk.audit import writing
from include.review.desk.overview import require_lead
from include.review.desk.permissions import Person
from include.review.desk.refusals import Refusal
from include.review.metrics.store import measure_review
from include.review.selection.content import clean_text
from include.warehouse.withdrawn_labels import mark_models


def block_person(
    engine: Engine, problem: Problem, labelled_by: str, person: Person, *, reason: str, is_blocked: bool
) -> dict[str, object]:
    """Let a lead take out everything that a person said, and take nothing more from them; or take that back.

    Settled labels, agreement and estimates are measured anew before this returns, so that the page shows them without.

    Returns:
        labelled_by, reason, is_blocked, n_labels (answers of theirs), n_models (models of the problem that are marked,
        because they learned from answers that are out now, whoever gave them).

    Raises:
        DeskRefused: the person is no lead or names themselves, there is no reason, or nobody of that name has answered
            (or is blocked).
    """
    n_labels = _write_block(engine, problem, labelled_by, person, reason=reason, is_blocked=is_blocked)
    n_models = measure_again(engine, problem)
    told = {"labelled_by": labelled_by, "reason": reason.strip(), "is_blocked": is_blocked}
    return told | {"n_labels": n_labels, "n_models": n_models}


def block_people(
    engine: Engine, problem: Problem, people: Sequence[str], person: Person, *, reason: str, is_blocked: bool
) -> Iterator[DeskRefused | int]:
    """Block many people, or let them in again, each by themselves; what was measured follows once, after the last.

    Returns:
        for each of them how many answers they have given, or why they were left as they are.
    """
    try:
        for labelled_by in people:
            try:
                yield _write_block(engine, problem, labelled_by, person, reason=reason, is_blocked=is_blocked)
            except DeskRefused as error:
                yield error
    finally:
        measure_again(engine, problem)


def measure_again(engine: Engine, problem: Problem) -> int:
    """Measure people, settled labels and estimates by what counts now; nobody's answers wait meanwhile.

    Returns:
        how many models are marked, because they learned from answers that are out now.
    """
    with engine.begin() as connection:
        measure_review(connection, problem, audit.read_clock(connection))
        return len(mark_models(connection, problem.name))


def _write_block(
    engine: Engine, problem: Problem, labelled_by: str, person: Person, *, reason: str, is_blocked: bool
) -> int:
    """Write a block or its end, with its row in the audit; give how many answers the person has given.

    Raises:
        DeskRefused: see `block_person`.
    """
    with writing(engine, "block" if is_blocked else "unblock", Place(problem.name, ""), person.name) as write:
        require_lead(problem, person)
        if labelled_by == person.name:
            raise DeskRefused(Refusal.OWN_ANSWERS)
        if not (reason := clean_text(reason).strip()):
            raise DeskRefused(Refusal.REASON_MISSING)
        connection, now = write.connection, write.request.now
        was_blocked = labelled_by in blocks.read_blocked(connection, problem.name)
        place = (connection, problem.name, labelled_by)
        try:
            if is_blocked:
                n_labels = blocks.block_person(*place, reason=reason, blocked_by=person.name, now=now)
            else:
                n_labels = blocks.lift_block(*place, lifted_by=person.name, now=now)
        except MulgilError as error:
            raise DeskRefused(Refusal.UNKNOWN_PERSON, person=labelled_by[: audit.LONGEST_NAME]) from error
        before = {"labelled_by": labelled_by, "is_blocked": was_blocked}
        write.record(before, {"labelled_by": labelled_by, "reason": reason, "is_blocked": is_blocked})
        return n_labels
