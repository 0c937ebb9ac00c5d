"""What candidates said about held-out rows, as a frame: one column of probabilities for each candidate and class.

What belongs here: making the frame, and reading tables of probabilities from it. What does not: measuring
(`metrics.py`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from include.learning.data.columns import BLOCK, LABELS, P_OF, SEGMENT
from include.learning.data.leakage_checks import single_feature_auc
from include.learning.protocols import Probabilities
from include.learning.several.targets import Targets, read_targets
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.sections.learning import Features

DUMMY_COLUMN, UNCALIBRATED_COLUMN, MODEL_COLUMN = "p_dummy", "p_uncalibrated", "p_model"
# Between a candidate and a class; what follows the first one is the class, whatever it is called.
_OF = "|"


def answer_frame(
    rows: pd.DataFrame, targets: Targets, answers: Mapping[str, Probabilities], segments: Sequence[str]
) -> pd.DataFrame:
    """Put together what candidates said about rows.

    Args:
        rows: with `_row_key`, `_partition_key`, `_block` and the protected columns.
        targets: what is true of them.
        answers: column of a candidate to shape (n_rows, n_classes).
        segments: protected columns.
    """
    names = [
        [name for name, is_on in zip(targets.classes, row, strict=True) if is_on] for row in targets.flags.tolist()
    ]
    labels = names if targets.is_multiple else [row[0] for row in names]
    columns = {
        f"{candidate}{_OF}{name}": p[:, place]
        for candidate, p in answers.items()
        for place, name in enumerate(targets.classes)
    }
    groups = {f"{SEGMENT}{name}": rows[name].astype("string").to_numpy() for name in segments}
    frame = rows[[ROW_KEY, PARTITION_KEY, BLOCK]].reset_index(drop=True)
    frame[LABELS] = pd.Series(labels, dtype="object")
    return pd.concat([frame, pd.DataFrame({**columns, **groups})], axis=1)


def drop_partial(heldout: pd.DataFrame) -> pd.DataFrame:
    """Leave out candidates that have not answered for every row, in the order of the keys."""
    partial = [name for name in map(str, heldout.columns) if name.startswith(P_OF) and heldout[name].isna().any()]
    return heldout.drop(columns=partial).sort_values(ROW_KEY, ignore_index=True)


def targets_in(heldout: pd.DataFrame, classes: Sequence[str], *, is_multiple: bool) -> Targets:
    """Read what is true of held-out rows."""
    return read_targets(heldout[LABELS], classes, is_multiple=is_multiple)[0]


def table_of(heldout: pd.DataFrame, candidate: str, classes: Sequence[str]) -> Probabilities:
    """Read what one candidate said: shape (n_rows, n_classes); 0 for a class that it did not know."""
    columns = [f"{candidate}{_OF}{name}" for name in classes]
    known = [
        heldout[name].to_numpy(dtype=np.float64) if name in heldout else np.zeros(len(heldout)) for name in columns
    ]
    return np.column_stack(known)


def other_candidates(heldout: pd.DataFrame) -> list[str]:
    """Name the candidates that competed, in the order of the frame."""
    found = [name.removeprefix(P_OF).split(_OF, 1)[0] for name in map(str, heldout.columns) if name.startswith(P_OF)]
    return list(dict.fromkeys(found))


def mean_feature_auc(rows: pd.DataFrame, features: Features, targets: Targets) -> dict[str, float]:
    """Say how well each feature tells classes from the rest all by itself, on average over the classes.

    One class that a single number tells apart is no leak; a feature that gives the label away tells all of them.

    Returns:
        feature to AUC, 0.5..1.
    """
    present = [place for place in range(len(targets.classes)) if 0 < targets.flags[:, place].sum() < len(rows)]
    each = [single_feature_auc(rows, features, targets.flags[:, place]) for place in present]
    names = [*features.numeric, *features.categorical]
    return {name: float(np.mean([found[name] for found in each])) for name in names} if each else {}
