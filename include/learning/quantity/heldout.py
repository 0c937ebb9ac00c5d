"""What candidates said about held-out rows, as a frame: four columns for each candidate.

What belongs here: making the frame, and reading answers from it. What does not: measuring (`metrics.py`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from include.learning.data.columns import BLOCK, LABELS, P_OF, SEGMENT
from include.learning.protocols import Probabilities
from include.learning.quantity.levels import Answers
from include.names import PARTITION_KEY, ROW_KEY

DUMMY_COLUMN, NAIVE_COLUMN, UNMOVED_COLUMN, MODEL_COLUMN = "p_dummy", "p_naive", "p_unmoved", "p_model"
_PARTS = ("predicted", "low", "high", "action")
_OF = "|"


def answer_frame(
    rows: pd.DataFrame, actual: Probabilities, answers: Mapping[str, Answers], segments: Sequence[str]
) -> pd.DataFrame:
    """Put together what candidates said about rows.

    Args:
        rows: with `_row_key`, `_partition_key`, `_block` and the protected columns.
        actual: shape (n_rows,), what came.
        answers: column of a candidate to what it said.
        segments: protected columns.
    """
    columns = {f"{candidate}{_OF}{part}": getattr(said, part) for candidate, said in answers.items() for part in _PARTS}
    groups = {f"{SEGMENT}{name}": rows[name].astype("string").to_numpy() for name in segments}
    frame = rows[[ROW_KEY, PARTITION_KEY, BLOCK]].reset_index(drop=True)
    return pd.concat([frame, pd.DataFrame({LABELS: actual, **columns, **groups})], axis=1)


def actual_in(heldout: pd.DataFrame) -> Probabilities:
    """Read what came: shape (n_rows,)."""
    return heldout[LABELS].to_numpy(dtype=np.float64)


def answers_of(heldout: pd.DataFrame, candidate: str) -> Answers:
    """Read what one candidate said."""
    return Answers(*(heldout[f"{candidate}{_OF}{part}"].to_numpy(dtype=np.float64) for part in _PARTS))


def other_candidates(heldout: pd.DataFrame) -> list[str]:
    """Name the candidates that competed, in the order of the frame."""
    found = [name.removeprefix(P_OF).split(_OF, 1)[0] for name in map(str, heldout.columns) if name.startswith(P_OF)]
    return list(dict.fromkeys(found))
