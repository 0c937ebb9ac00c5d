"""Reads what can still be chosen: published items of the lake that nobody has labelled or is looking at.

What belongs here: the relational work, on the engine. What does not: which of them are chosen (`planning.py`).
"""

from collections.abc import Collection, Sequence

import ibis
import numpy as np
import pyarrow as pa

from include import names
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadPartition
from include.lake.reading import open_rows
from include.review.planning import Pool

P_POSITIVE = "p_positive"
MODEL_VERSION = "model_version"


def read_pool(problem: str, partitions: Sequence[str], taken: Collection[str]) -> Pool:
    """Read the items that a batch may be chosen from, with the newest model's opinion where there is one.

    Args:
        problem: name of the problem.
        partitions: published partitions.
        taken: item ids that have a label or lie in an open batch.

    Returns:
        two classes, the positive one last. An item in two partitions counts once, in the earlier one.
    """
    items = open_rows(names.events_table(problem), partitions)
    if taken:
        # Not `ibis.memtable`: it goes through pandas, which 10 million labels need not.
        left_out = relation_of_arrow(open_engine(), pa.table({names.ROW_KEY: sorted(taken)}))
        items = items.anti_join(left_out, names.ROW_KEY)
    items = items.group_by(names.ROW_KEY).agg(**{names.PARTITION_KEY: items[names.PARTITION_KEY].min()})
    model_version, predictions = _open_predictions(problem, partitions)
    if predictions is None:
        items = items.mutate(**{P_POSITIVE: ibis.null("float64")})
    else:
        items = items.left_join(predictions, [names.ROW_KEY, names.PARTITION_KEY])
    columns = open_engine().to_pyarrow(items.select(names.ROW_KEY, names.PARTITION_KEY, P_POSITIVE))
    is_scored = columns[P_POSITIVE].is_valid().to_numpy()
    # A missing opinion becomes NaN here and is never read; a NaN of the model's own stays scored, and is refused later.
    p_positive = columns[P_POSITIVE].to_numpy().astype(np.float64)
    return Pool(
        item_ids=columns[names.ROW_KEY].to_numpy().astype(np.str_),
        partition_keys=columns[names.PARTITION_KEY].to_numpy().astype(np.str_),
        is_scored=is_scored,
        proba=np.column_stack([1.0 - p_positive, p_positive]),
        model_version=model_version,
    )


def _open_predictions(problem: str, partitions: Sequence[str]) -> tuple[str | None, ibis.Table | None]:
    """Open what the newest model that scored anything says; versions sort by age."""
    try:
        predictions = open_rows(names.predictions_table(problem), partitions)
    except BadPartition:  # nothing has ever been scored
        return None, None
    version = open_engine().to_pyarrow(predictions[MODEL_VERSION].max()).as_py()
    if version is None:
        return None, None
    newest = predictions.filter(predictions[MODEL_VERSION] == version)
    return version, newest.select(names.ROW_KEY, names.PARTITION_KEY, P_POSITIVE)
