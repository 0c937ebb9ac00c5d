"""Stores answers so that of one person's answers to an item within a batch the later stands, and no other is lost.

What belongs here: `core.replaced_label`. What does not: whether an answer may be given at all (the desk, label files),
and which of a person's answers counts over all batches (`warehouse/newest_answers.py`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, select

from include.names import Arm
from include.warehouse.loading import upsert_rows
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.review import LABEL, REPLACED_LABEL

_SAID = ("label", "note", "arm")
_KEPT = ("problem", "batch_id", "item_id", "labelled_by", "labelled_at_utc", *_SAID)


def store_answers(connection: Connection, rows: Sequence[Mapping[str, object]], now: datetime) -> int:
    """Write one person's or several people's answers of one batch; whatever is said anew is kept as history.

    Who has had the last word on an item in this batch still has it when they say something else.

    Args:
        rows: of `core.label`, all of one problem and batch, one for each item and person.
        now: when they came in.

    Returns:
        how many answers came in.
    """
    if not rows:
        return 0
    query = select(LABEL).where(
        LABEL.c.problem == rows[0]["problem"],
        LABEL.c.batch_id == rows[0]["batch_id"],
        is_one_of(LABEL.c.item_id, sorted({str(row["item_id"]) for row in rows})),
    )
    known = {(row["item_id"], row["labelled_by"]): row for row in connection.execute(query).mappings()}
    stands: list[Mapping[str, object]] = []
    replaced: list[dict[str, object]] = []
    for row in rows:
        before = known.get((str(row["item_id"]), str(row["labelled_by"])))
        if before is None:
            stands.append(row)
            continue
        after = {**row, "arm": Arm.ADJUDICATION} if before["arm"] == Arm.ADJUDICATION else row
        is_newer = cast(datetime, row["labelled_at_utc"]) >= before["labelled_at_utc"]
        if any(after.get(name) != before[name] for name in _SAID):
            kept = {name: before[name] if is_newer else row.get(name) for name in _KEPT}
            replaced.append(kept | {"replaced_at_utc": now})
        stands += [after] if is_newer else []
    upsert_rows(connection, REPLACED_LABEL, replaced)
    upsert_rows(connection, LABEL, stands)
    return len(rows)
