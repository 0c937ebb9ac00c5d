"""Says of every item of a batch why the model is uncertain about it, and keeps that beside the batch.

A store file around `explain/contributions.py`; the desk reads `core.local_explanation`.
"""

from typing import Any

import pandas as pd
from sqlalchemy import select
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.learning.data.dataset import is_of_several, read_rows
from include.learning.data.features import build_features
from include.learning.errors import CannotExplain
from include.learning.explain.contributions import explain_rows, list_contributions
from include.learning.explain.model_parts import take_apart
from include.learning.registry import artifacts, versions
from include.learning.registry.artifacts import StoredModel
from include.learning.training.fit import N_THREADS
from include.names import ROW_KEY
from include.problems.schema import Problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import LOCAL_EXPLANATION
from include.warehouse.tables.review import REVIEW_BATCH, REVIEW_ITEM

Row = dict[str, Any]


def explain_batch(problem: Problem, batch_id: str) -> dict[str, object]:
    """Explain the items of one batch by the model that chose it; explaining again replaces what was written.

    Returns:
        batch_id, n_rows (items explained), reason (why none was, or empty).

    Raises:
        NotAdditive: contributions do not sum to what the model said.
        TamperedModel: the stored model is not the registered one.
    """
    where = {"problem": problem.name, "batch_id": batch_id}
    if is_of_several(problem):
        reason = "Reasons are of one class against another; a model of several has none for its probabilities."
        return {**where, "n_rows": 0, "reason": reason}
    with open_warehouse().connect() as connection:
        version = connection.scalar(
            select(REVIEW_BATCH.c.model_version).where(*(REVIEW_BATCH.c[name] == one for name, one in where.items()))
        )
        items = connection.execute(
            select(REVIEW_ITEM.c.item_id, REVIEW_ITEM.c.partition_key)
            .where(*(REVIEW_ITEM.c[name] == one for name, one in where.items()))
            .order_by(REVIEW_ITEM.c.item_id)
        ).all()
        row = versions.find_version(connection, problem.name, str(version)) if version else None
    if row is None:
        return {**where, "n_rows": 0, "reason": "No model had an opinion when the batch was chosen."}
    stored = artifacts.load_registered(versions.models_folder(read_settings(), problem.name), row)
    rows = read_rows(
        problem,
        sorted({item.partition_key for item in items}),
        row_keys=[item.item_id for item in items],
        spec=stored.spec,
    ).drop_duplicates(ROW_KEY)
    try:
        explained = explain_items(stored, rows)
    except CannotExplain as error:
        return {**where, "n_rows": 0, "reason": str(error)}
    with open_warehouse().begin() as connection:
        replace_rows(connection, LOCAL_EXPLANATION, where, [where | one for one in explained])
    return {**where, "n_rows": len(rows), "reason": ""}


def explain_items(stored: StoredModel, rows: pd.DataFrame) -> list[Row]:
    """List what moved the probability of each row most.

    Args:
        rows: typed rows with _row_key.

    Returns:
        rows of item_id, rank, model_version, feature, contribution; the rows of an item sum to its log-odds before
        calibration.

    Raises:
        CannotExplain: the model has no exact contributions.
        NotAdditive: they do not sum to what the model said.
    """
    with threadpool_limits(N_THREADS):
        found = explain_rows(take_apart(stored.model), build_features(rows, stored.spec))
    return [
        {
            "item_id": str(item_id),
            "rank": rank,
            "model_version": stored.model_version,
            "feature": feature,
            "contribution": contribution,
        }
        for place, item_id in enumerate(rows[ROW_KEY])
        for rank, (feature, contribution) in enumerate(list_contributions(found, place))
    ]
