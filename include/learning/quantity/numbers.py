"""Which labels are numbers that teach: finite, and not all the same.

What belongs here: counting and leaving out. What does not: reading rows.
"""

import numpy as np
import pandas as pd

from include.errors import NotEnoughLabels
from include.learning.data.columns import LABELS
from include.learning.errors import BadLabels
from include.learning.protocols import Probabilities
from include.names import ROW_KEY

# Beyond, a number counts as infinite: programs write the largest double where they have nothing.
LARGEST = 1e100


def keep_numbers(rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Leave out rows whose label is missing, infinite or no number; they teach nothing, and are counted.

    Args:
        rows: with `_labels`, of rows whose label should be known.

    Returns:
        the rows that stay, and a sentence about the others (empty where there are none).

    Raises:
        BadLabels: rows are there, and none stays.
    """
    actual = rows[LABELS].to_numpy(dtype=np.float64, na_value=np.nan)
    is_missing, is_usable = np.isnan(actual), is_number(actual)
    if is_usable.all():
        return rows.reset_index(drop=True), ""
    first = rows[~is_usable].iloc[0]
    said = "missing" if np.isnan(actual[~is_usable][0]) else f"{actual[~is_usable][0]:g}"
    n_infinite = int((~is_usable & ~is_missing).sum())
    sentence = (
        f"{int((~is_usable).sum()):,} of {len(rows):,} labels are no number ({int(is_missing.sum()):,} missing, "
        f"{n_infinite:,} infinite or beyond 1e100; first: row {first[ROW_KEY]!r} is {said}) and teach nothing. Mend "
        "label.value, or let label.known_when leave them out."
    )
    if not is_usable.any():
        raise BadLabels(sentence)
    return rows[is_usable].reset_index(drop=True), sentence


def is_number(actual: Probabilities) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Say which labels are finite numbers: shape (n_rows,)."""
    return np.asarray(np.abs(actual) <= LARGEST, dtype=np.bool_)


def require_spread(actual: Probabilities, what_for: str, minimum: int) -> None:
    """Refuse labels that are too few, or all the same.

    Args:
        actual: shape (n_rows,), finite.
        what_for: what the rows are for, as a verb.
        minimum: rows that are needed.

    Raises:
        NotEnoughLabels: says how many there are.
    """
    if len(actual) < minimum:
        raise NotEnoughLabels(
            f"{len(actual):,} rows with a known number are there to {what_for}; {minimum} are the least. Let more data "
            "arrive, or raise training.first in the problem file."
        )
    if actual.min() == actual.max():
        raise NotEnoughLabels(
            f"All {len(actual):,} rows to {what_for} have the label {actual[0]:g}; of what never changes there is "
            "nothing to learn. Look at label.value, or let more data arrive."
        )
