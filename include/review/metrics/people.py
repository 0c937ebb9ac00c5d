"""How often each person is right, what their answers make of items, and who seems not to look.

A store file around `stats/truth_inference.py` and `stats/answer_quality.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from include.review.batches import trust
from include.review.metrics.agreement import MIN_ITEMS, AgreementRow
from include.stats.answer_quality import Quality, measure_quality
from include.stats.truth_inference import Answers, Truth, gain_of_asking, index_answers, infer_truth, settle
from include.warehouse.loading import replace_rows
from include.warehouse.newest_answers import newest_answers
from include.warehouse.tables.review import SETTLED_LABEL

RIGHT_RATIO = "right_ratio"
NEARLY_ALL = 0.9  # from this share of one answer on, a person is said to say always the same


@dataclass(frozen=True)
class People:
    """What all answers together say: `people` and `items` name the rows of the others."""

    answers: Answers
    items: Sequence[str]
    people: Sequence[str]
    truth: Truth
    quality: Quality


def weigh_people(said: Mapping[str, Mapping[str, str]], classes: Sequence[str]) -> People | None:
    """Infer the truth of items that two people or more have answered, and how right each person is.

    Args:
        said: item id to person to class; answers that are none of the classes are left out.

    Returns:
        None where no item has two answers.
    """
    shared = {item: {who: one for who, one in by.items() if one in classes} for item, by in said.items()}
    rows = [(item, who, one) for item, by in shared.items() if len(by) > 1 for who, one in by.items()]
    if not rows or len(classes) < 2:
        return None
    item_ids, names, labels = (list(column) for column in zip(*rows, strict=True))
    answers, items, people = index_answers(item_ids, names, labels, classes)
    truth = infer_truth(answers)
    return People(answers, items, people, truth, measure_quality(answers, truth))


def rows_of_people(found: People) -> Iterator[AgreementRow]:
    """Give each person's share of right answers, with its interval, as rows of `core.agreement`."""
    quality = found.quality
    for place, person in enumerate(found.people):
        n_items = int(quality.n_shared[place])
        figures = (quality.right[place], quality.low[place], quality.high[place])
        value, low, high = (float(figure) if n_items >= MIN_ITEMS else None for figure in figures)
        yield AgreementRow(
            scope="reviewer", subject=person, statistic=RIGHT_RATIO, n_items=n_items, value=value, low=low, high=high
        )


def keep_settled(
    connection: Connection, problem: str, found: People | None, classes: Sequence[str], now: datetime
) -> None:
    """Write what each shared item is settled as, how sure that is, and what one more answer would be worth."""
    rows: list[dict[str, object]] = []
    decided = _read_last_words(connection, problem)
    if found is not None:
        label, sure = settle(found.answers, found.truth)
        gain = gain_of_asking(found.truth.by_share, found.truth.typical)
        n_people = found.answers.count_votes().sum(axis=1)
        rows = [
            {
                "problem": problem,
                "item_id": item,
                "label": classes[label[place]] if label[place] >= 0 else None,
                "confidence_ratio": float(sure[place]),
                "n_people": int(n_people[place]),
                "gain_ratio": float(gain[place]),
                "measured_at_utc": now,
            }
            for place, item in enumerate(found.items)
        ]
    for row in rows:
        if row["item_id"] in decided:
            row |= {"label": decided[str(row["item_id"])], "confidence_ratio": 1.0, "gain_ratio": 0.0}
    replace_rows(connection, SETTLED_LABEL, {"problem": problem}, rows)


def _read_last_words(connection: Connection, problem: str) -> dict[str, str]:
    """Read what leads have settled: of several words on an item the newest, as training reads it."""
    said = newest_answers(problem).subquery()
    query = select(said.c.item_id, said.c.label).where(said.c.is_last_word)
    return {row.item_id: row.label for row in connection.execute(query)}


def flag_people(connection: Connection, problem: str, found: People, now: datetime) -> list[str]:
    """Flag the answers of people who seem not to look at the items; give their names."""
    quality = found.quality
    reasons = {}
    for place in quality.reads_nothing.nonzero()[0].tolist():
        n_shared, same = int(quality.n_shared[place]), float(quality.same[place])
        habit = f"{same:.0%} of them are the same" if same >= NEARLY_ALL else "they agree with others as chance does"
        odds = min(float(quality.evidence[place]), 1e6)
        reasons[found.people[place]] = f"of {n_shared} answers that others gave too, {habit} ({odds:,.0f} to 1)"
    return trust.flag_unread_answers(connection, problem, reasons, now)
