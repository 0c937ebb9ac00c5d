"""Answers in a person's place from recorded truth, so that the loop can be seen without people.

What belongs here: reading the truth file. What does not: storing answers (`batches/store.py`).
"""

from collections.abc import Collection, Sequence
from pathlib import Path

import pyarrow.parquet as pq

from include.errors import MulgilError
from include.problems.sections.source import Source
from include.review.row_names import name_rows
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


def read_truth(path: Path, source: Source, pii_keys: Sequence[str], item_ids: Collection[str]) -> dict[str, str]:
    """Read the recorded labels of some items.

    Args:
        path: Parquet file with the key columns and `label`.
        source: the problem's key and columns.
        pii_keys: secrets that identifiers in the key may have been hashed with, the newest first.
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
    wanted = set(item_ids)
    return {
        item_id: record["label"]
        for record in pq.read_table(path, columns=[*source.key, "label"]).to_pylist()
        for item_id in name_rows(source, pii_keys, record)
        if item_id in wanted and record["label"] is not None
    }
