"""What each person says of an item now, and who has the last word on it.

What belongs here: the one rule by which answers are newer than others. What does not: which answers are relied on at
all (`warehouse/trusted_labels.py`), and what several people's answers make of an item (`stats/truth_inference.py`).
"""

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from include.names import Arm
from include.warehouse.tables.review import LABEL
from include.warehouse.trusted_labels import is_relied_on

# The time counts, then the round: a label of years ago that came in today says nothing newer.
OLDEST_FIRST = (LABEL.c.labelled_at_utc, func.length(LABEL.c.batch_id), LABEL.c.batch_id)
NEWEST_FIRST = tuple(column.desc() for column in OLDEST_FIRST)


def newest_answers(problem: str, *conditions: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    """Select each person's newest answer to each item, of those that are relied on; gold questions are none.

    Where leads have had the last word, the newest of them decides alone. A lead who changes their mind later, in
    whatever way, has still had it: then their newest answer is the last word.

    Args:
        conditions: more that an answer must meet, such as the rounds it may be of.

    Returns:
        columns item_id, labelled_by, label, batch_id, is_last_word (of the one that decides), counts (it decides, or
        nobody has had the last word on its item); by item and person.
    """
    is_last = func.bool_or(LABEL.c.arm == Arm.ADJUDICATION)
    place = func.row_number().over(partition_by=(LABEL.c.item_id, LABEL.c.labelled_by), order_by=NEWEST_FIRST)
    said = (
        select(
            LABEL,
            place.label("place"),
            is_last.over(partition_by=(LABEL.c.item_id, LABEL.c.labelled_by)).label("is_leads"),
            is_last.over(partition_by=LABEL.c.item_id).label("is_decided"),
        )
        .where(LABEL.c.problem == problem, LABEL.c.arm != Arm.GOLD, is_relied_on(), *conditions)
        .subquery()
    )
    batch_age = (func.length(said.c.batch_id).desc(), said.c.batch_id.desc(), said.c.labelled_by)
    by_lead = (said.c.is_leads.desc(), said.c.labelled_at_utc.desc(), *batch_age)
    rank = func.row_number().over(partition_by=said.c.item_id, order_by=by_lead)
    ranked = select(said, and_(said.c.is_leads, rank == 1).label("is_last_word")).where(said.c.place == 1).subquery()
    counts = or_(ranked.c.is_last_word, ~ranked.c.is_decided).label("counts")
    columns = (ranked.c.item_id, ranked.c.labelled_by, ranked.c.label, ranked.c.batch_id, ranked.c.is_last_word)
    return select(*columns, counts).order_by(ranked.c.item_id, ranked.c.labelled_by)
