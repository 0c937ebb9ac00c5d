"""Lets people's corrections stand in for what a log says: where both say something, people are believed.

What does not belong here: taking corrections from files (`review/label_files/corrections.py`).
"""

from collections import Counter, defaultdict

import ibis
import pyarrow as pa
from sqlalchemy import Connection, func, select

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.learning.data.columns import IS_KNOWN, IS_POSITIVE, LABELS
from include.names import ROW_KEY
from include.problems.answer_text import is_answer, read_labels
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.warehouse.database import open_warehouse
from include.warehouse.tables.review import LABEL_CORRECTION
from include.warehouse.trusted_labels import is_of_blocked

_CORRECTED = "_corrected"
Answer = bool | str | tuple[str, ...]


def read_corrections(connection: Connection, problem: str, label: Label) -> dict[str, Answer]:
    """Read what most people who are not blocked say of each corrected row.

    Where no answer has more people than every other, nobody has corrected it; one that the problem no longer knows
    counts for nothing.

    Returns:
        row key to: whether it is of the positive class, where one is looked for; else its class, or its labels.
    """
    people = func.count()
    query = select(LABEL_CORRECTION.c.item_id, LABEL_CORRECTION.c.label, people).where(
        LABEL_CORRECTION.c.problem == problem, ~is_of_blocked(LABEL_CORRECTION)
    )
    votes: defaultdict[str, Counter[Answer]] = defaultdict(Counter)
    for item, text, n in connection.execute(query.group_by(LABEL_CORRECTION.c.item_id, LABEL_CORRECTION.c.label)):
        if is_answer(text, label):  # a class may have been renamed since
            votes[item][_answer_in(text, label)] += n
    settled = {}
    for item, counted in sorted(votes.items()):
        (answer, n_most), *others = counted.most_common(2)
        if not others or others[0][1] < n_most:
            settled[item] = answer
    return settled


def _answer_in(text: str, label: Label) -> Answer:
    """Read a correction as models are taught it."""
    if label.kind == "two_classes":
        return text == label.positive_class
    return tuple(sorted(read_labels(text, label))) if label.multiple else text


def correct_labels(table: ibis.Table, problem: Problem) -> ibis.Table:
    """Put people's corrections in the place of what the log says; a corrected label is known.

    Where `label.delay` is written, a training leaves out young rows all the same, corrected or not.

    Args:
        table: rows with _row_key, and _is_known and _is_positive, or _labels, where the log gives the label.

    Returns:
        the same rows, in no order where there are corrections.
    """
    label = problem.label
    taught = next((name for name in (IS_POSITIVE, LABELS) if name in table.columns), None)
    if label is None or not label.corrections or taught is None:
        return table
    with open_warehouse().connect() as connection:
        said = read_corrections(connection, problem.name, label)
    if not said:
        return table
    kind = pa.bool_() if taught == IS_POSITIVE else pa.list_(pa.string()) if label.multiple else pa.string()
    arrow = pa.table({"_item": pa.array(list(said), pa.string()), _CORRECTED: pa.array(list(said.values()), kind)})
    corrections = relation_of_arrow(open_engine(), arrow)
    joined = table.left_join(corrections, table[ROW_KEY] == corrections["_item"])
    is_corrected = joined[_CORRECTED].notnull()
    replaced = {
        IS_KNOWN: is_corrected | joined[IS_KNOWN],
        taught: ibis.coalesce(joined[_CORRECTED], joined[taught]),
    }
    return joined.mutate(**replaced).select(*table.columns)
