"""Answers in a person's place from recorded truth, so that the loop can be seen without people.

What belongs here: reading the truth file. What does not: storing answers (`batches.py`).
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

from include.errors import MulgilError
from include.settings import Settings

NAME = "demo-reviewer"  # what stands in `core.label.labelled_by`, so that no report mistakes it for a person


def require_demo_reviewer(settings: Settings) -> None:
    """Refuse to let recorded truth pose as a reviewer where nobody asked for it.

    Raises:
        MulgilError: the demo reviewer is off.
    """
    if not settings.is_demo_reviewer_on:
        raise MulgilError(
            "The demo reviewer is off, so the batch stays open for people. "
            "Answer it on the desk, or set MULGIL_DEMO_REVIEWER=1 where labels from recorded truth are wanted."
        )


def truth_path(settings: Settings, problem: str) -> Path:
    """Say where a problem's recorded truth lies."""
    return settings.problems_dir / "data" / problem / "truth.parquet"


def read_truth(path: Path, key: Sequence[str], item_ids: Collection[str]) -> dict[str, str]:
    """Read the recorded labels of some items.

    Args:
        path: Parquet file with the key columns and `label`.
        key: the problem's key columns; an item id is their values joined by '|', as ingest writes row keys.
        item_ids: the items asked about.

    Returns:
        item id to label, only for items whose truth is recorded.

    Raises:
        MulgilError: there is no such file.
    """
    if not path.is_file():
        raise MulgilError(
            f"0 of {len(item_ids)} items can be answered: there is no recorded truth at {path}. "
            "Put a Parquet file with the key columns and `label` there, or answer the batch on the desk."
        )
    truth = pq.read_table(path, columns=[*key, "label"])
    keys = pc.binary_join_element_wise(*(truth[name].cast("string") for name in key), "|")
    pairs = zip(keys.to_pylist(), truth["label"].to_pylist(), strict=True)
    wanted = set(item_ids)
    return {item_id: label for item_id, label in pairs if item_id in wanted and label is not None}
