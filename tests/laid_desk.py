"""A batch on the desk without a lake: what the tests of the room, of the page and in the browser lay out."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, delete, select

from include.names import Arm
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.selection import content
from include.warehouse.tables.desk import REVIEW_AUDIT, REVIEW_CONTENT, REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.explaining import LOCAL_EXPLANATION
from include.warehouse.tables.review import (
    AGREEMENT,
    LABEL,
    LABEL_FILE,
    LABEL_FLAG,
    REVIEW_BATCH,
    REVIEW_ESTIMATE,
    REVIEW_ITEM,
)
from include.warehouse.tables.runs import COVERAGE

PROBLEM = "ad_review"
BATCH = "round-001"
NOW = datetime.now(UTC)
TABLES = (
    REVIEW_SEAT,
    REVIEW_PASS,
    REVIEW_CONTENT,
    REVIEW_AUDIT,
    REVIEW_BATCH,
    REVIEW_ITEM,
    LABEL,
    COVERAGE,
    LOCAL_EXPLANATION,
    AGREEMENT,
    REVIEW_ESTIMATE,
    LABEL_FLAG,
    LABEL_FILE,
)


def make_problem(**review: Any) -> Problem:
    """Give the built-in mails, with another review section."""
    problem = load_problem(PROBLEM)
    assert problem.review is not None
    return problem.model_copy(update={"review": problem.review.model_copy(update=review)})


def make_choice(number: int, **values: Any) -> Choice:
    plain = Choice(f"mail-{number:02d}", "2002-08", Arm.ENTROPY, 1.0, 0.66, 0.38)
    return replace(plain, **values)


def make_fields(subject: str, body: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "kind": "text", "description": "", "unit": "", "value": text, "n_characters": len(text)}
        for name, text in (("subject", subject), ("body", body))
    ]


def lay_out(
    engine: Engine,
    choices: Sequence[Choice],
    texts: Mapping[str, tuple[str, str]] | None = None,
    *,
    problem: str = PROBLEM,
    batch_id: str = BATCH,
    due: timedelta = timedelta(days=2),
) -> None:
    """Put a batch on the desk."""
    batch = batches.Batch(
        problem=problem,
        batch_id=batch_id,
        round_number=int(batch_id.removeprefix("round-")),
        model_version="v001",
        n_items=len(choices),
        n_pool=5_000,
        chosen_at_utc=NOW,
        due_at_utc=NOW + due,
        opened_by="2002-08",
    )
    rows = []
    for choice in choices:
        subject, body = (texts or {}).get(choice.item_id, (f"Subject of {choice.item_id}", "Buy now, my friend."))
        fields = make_fields(subject, body)
        rows.append(
            {
                "problem": problem,
                "batch_id": batch_id,
                "item_id": choice.item_id,
                "fields": fields,
                "content_hash": content.hash_fields(fields),
                "p_positive": choice.p_positive,
            }
        )
    with engine.begin() as connection:
        batches.write_batch(connection, batch, choices)
        content.write_contents(connection, problem, batch_id, rows)


def explain(engine: Engine, item_id: str, contributions: Mapping[str, float]) -> None:
    """Say what moved the model, the strongest first."""
    where = {"problem": PROBLEM, "batch_id": BATCH, "item_id": item_id, "model_version": "v001"}
    parts = [("(all else)", 0.1), *contributions.items()]
    with engine.begin() as connection:
        for rank, (feature, contribution) in enumerate(parts):
            row = {**where, "rank": rank, "feature": feature, "contribution": contribution}
            connection.execute(LOCAL_EXPLANATION.insert().values(row))


def flag(engine: Engine, person: str, *, batch_id: str = BATCH, status: str = "waiting") -> None:
    """Say that a person's answers of a batch came too fast."""
    row = {"problem": PROBLEM, "batch_id": batch_id, "labelled_by": person, "n_labels": 94, "status": status}
    row |= {"reason": "10 answers in a row took 1.2 s", "flagged_at_utc": NOW}
    with engine.begin() as connection:
        connection.execute(LABEL_FLAG.insert().values(row))


def refuse_lines(engine: Engine, object_key: str, *reasons: tuple[str, int, int]) -> None:
    """Say that lines of a label file were not taken: reason, how many lines, and the first."""
    found = [{"reason": reason, "n_lines": n, "first_line": first} for reason, n, first in reasons]
    row = {"problem": PROBLEM, "object_key": object_key, "version": "1", "n_stored": 7, "imported_at_utc": NOW}
    row |= {"n_rejected": sum(n for _, n, _ in reasons), "reasons": found}
    with engine.begin() as connection:
        connection.execute(LABEL_FILE.insert().values(row))


def rows(engine: Engine, table: Any) -> list[dict[str, Any]]:
    """Read a table in the order of its keys."""
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def clear(engine: Engine) -> None:
    """Take everything off the desk."""
    with engine.begin() as connection:
        for table in TABLES:
            connection.execute(delete(table))
