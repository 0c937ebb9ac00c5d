"""Reads a partition of an audience: its units by their raw ids, and why one is none of the experiment's.

What does not belong here: who of them gets what (`choosing.py`).
"""

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from include.engine.predicates import add_predicates
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.design import Design
from include.experiments.participation import IS_ELIGIBLE, reason_not_to_take_part
from include.lake.reading import open_rows, read_raw_ids
from include.names import LINE_NUMBER, OBJECT_KEY, ROW_KEY, events_table
from include.problems.schema import Problem
from include.row_key import HASH_DIGITS

_UNIT = "_unit"
_HASH = re.compile(rf"[0-9a-f]{{{HASH_DIGITS}}}")


@dataclass(frozen=True)
class Rows:
    """Rows of an audience, in the order in which they landed; all attributes have one value for each.

    Attributes:
        raw: id as the log has it; None where it has none.
        stored: the same as the lake holds it.
        item_ids: the rows' keys.
        is_eligible: as the file asks it of a row.
    """

    raw: NDArray[np.object_]
    stored: NDArray[np.object_]
    item_ids: NDArray[np.object_]
    is_eligible: NDArray[np.bool_]


def read_audience(log: Problem, partition_key: str, column: str, eligible: str | None = None) -> Rows:
    """Read the published rows of a partition of an audience.

    Args:
        log: as a problem that is only ingested.
        partition_key: of the log.
        column: that names the unit.
        eligible: SQL that the file asks of a row.

    Raises:
        NotInLake: nothing of the log was ever published.
        BadLanding: the ids are masked, or look so, and an object that they stand in is gone or another one.
        BadProblem: `eligible` cannot be asked of these columns.
    """
    rows = open_rows(events_table(log.name), [partition_key])
    rows = add_predicates(rows, {IS_ELIGIBLE: eligible or "TRUE"})
    rows = rows.mutate(**{_UNIT: rows[column].cast("string")}).order_by(OBJECT_KEY, LINE_NUMBER)
    found = open_engine().to_pyarrow(rows.select(_UNIT, ROW_KEY, OBJECT_KEY, LINE_NUMBER, IS_ELIGIBLE))
    stored = _objects(found[_UNIT])
    # What was published before the file left the mask away holds hashes still: no mailer could read them.
    is_masked = log.source.stored[column].pii != "none" or any(_HASH.fullmatch(unit or "") for unit in stored)
    raw = np.array(read_raw_ids(log, partition_key, column, found), dtype=object) if is_masked else stored
    return Rows(raw, stored, _objects(found[ROW_KEY]), found[IS_ELIGIBLE].to_numpy())


def reasons_not_to_take_part(rows: Rows, design: Design, now: pa.TimestampScalar) -> NDArray[np.object_]:
    """Say why each row is none of the experiment's, as an exposure at a moment would be; None where it is one.

    Args:
        rows: of an audience.
        design: whose slice, predicate and time are asked.
        now: UTC without a zone.
    """
    places = pa.array(np.arange(len(rows.raw)))
    table = pa.table({"place": places, "unit": pa.array(rows.raw, pa.string()), "is_eligible": rows.is_eligible})
    table = table.append_column("seen_at", pa.repeat(now, len(rows.raw)))
    asked = relation_of_arrow(open_engine(), table)
    asked = asked.select("place", reason=reason_not_to_take_part(asked, design)).order_by("place")
    return _objects(open_engine().to_pyarrow(asked)["reason"])


def _objects(column: pa.ChunkedArray) -> NDArray[np.object_]:
    """Give texts as Python has them, None where there is none."""
    return np.array(pc.cast(column, pa.string()).to_pylist(), dtype=object)
