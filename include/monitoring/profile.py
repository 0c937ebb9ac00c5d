"""Asks the engine for sums and counts: one pass over the rows, a few numbers back.

What belongs here: Ibis expressions. What does not: the formulas over what comes back (`calibration.py`, `drift.py`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import ibis
import numpy as np
from ibis import _

from include.errors import BadProbabilities
from include.monitoring.calibration import N_BINS, BinSums
from include.monitoring.drift import N_QUANTILES, Bins, Counts, bins_of_category, bins_of_number
from include.names import PARTITION_KEY

# Columns of the scored rows that calibration reads; `is_positive` is null where the label is not known.
MODEL_VERSION = "model_version"
P_POSITIVE = "p_positive"
IS_POSITIVE = "is_positive"

SUMS = ("n_rows", "n_positive", "predicted", "predicted_squared", "predicted_positive", "log_likelihood")
LEAST_PROBABILITY = 1e-15  # what a certain and wrong model is charged is large, not infinite

Scored = tuple[str, str]  # partition, model version


def read_bins(reference: ibis.Table, types: Mapping[str, str]) -> list[Bins]:
    """Cut every column where its reference says: numbers at their deciles, categories by value.

    Args:
        reference: the rows that the cuts come from.
        types: column to its type in the problem file; a column that the rows lack is all missing.

    Returns:
        one for each column, in the order given.
    """
    compared = _compared(reference, types)
    cuts = _read_quantiles(compared, [name for name, kind in types.items() if _is_number(kind)])
    return [
        bins_of_number(name, cuts[name]) if name in cuts else bins_of_category(name, _read_values(compared, name))
        for name in types
    ]


def count_bins(rows: ibis.Table, bins: Sequence[Bins], types: Mapping[str, str]) -> dict[str, dict[str, Counts]]:
    """Count the rows of each partition in each bin of each column, in one pass.

    Returns:
        partition to column to counts, shape (n_bins of the column,); the last bin holds the missing values.
    """
    compared = _compared(rows, types)
    sums: dict[str, Any] = {"n_rows": _.count()}
    for place, cut in enumerate(bins):
        column = compared[cut.feature]
        sums[f"{place}_known"] = column.count()
        for index, edge in enumerate(cut.cuts):
            hit = column <= edge if cut.kind == "number" else column == edge
            sums[f"{place}_{index}"] = hit.sum()
    table = compared.group_by(PARTITION_KEY).aggregate(**sums).to_pyarrow().to_pylist()
    return {
        row[PARTITION_KEY]: {cut.feature: _counts_of(row, place, cut) for place, cut in enumerate(bins)}
        for row in table
    }


def count_scored(scored: ibis.Table) -> dict[Scored, int]:
    """Count the scored rows of each partition and model, in the order of both."""
    groups = scored.group_by([PARTITION_KEY, MODEL_VERSION]).aggregate(n_rows=_.count())
    counted = groups.order_by([PARTITION_KEY, MODEL_VERSION]).to_pyarrow().to_pylist()
    return {(row[PARTITION_KEY], row[MODEL_VERSION]): int(row["n_rows"]) for row in counted}


def require_probabilities(scored: ibis.Table) -> None:
    """Refuse scores that are no probabilities.

    Raises:
        BadProbabilities: a row's score is missing, not a number, or outside 0..1; the worst partition is named.
    """
    p = scored[P_POSITIVE]
    is_bad = (p.isnull() | p.isnan() | (p < 0) | (p > 1)).fill_null(True)
    groups = scored.group_by(PARTITION_KEY).aggregate(
        n_rows=_.count(), n_bad=is_bad.ifelse(1, 0).sum(), worst=p.max(where=is_bad)
    )
    bad = groups.filter(_.n_bad > 0).order_by(ibis.desc("n_bad")).to_pyarrow().to_pylist()
    if bad:
        worst = bad[0]
        raise BadProbabilities(
            f"{worst['n_bad']} of {worst['n_rows']} scored rows of {worst[PARTITION_KEY]} have no probability from 0 "
            f"to 1 (worst: {worst['worst']}). Clear `score_partition` of this partition, then this task."
        )


def sum_bins(scored: ibis.Table, n_bins: int = N_BINS) -> dict[Scored, BinSums]:
    """Sum up the labelled rows of each partition and model by bins of equal width; 1.0 belongs to the last.

    Returns:
        one for each partition and model that has a labelled row.
    """
    labelled = scored.filter(scored[IS_POSITIVE].notnull())
    p, y = labelled[P_POSITIVE], labelled[IS_POSITIVE].ifelse(1, 0)
    safe = p.clip(lower=LEAST_PROBABILITY, upper=1 - LEAST_PROBABILITY)
    groups = labelled.group_by(
        PARTITION_KEY, MODEL_VERSION, bin_index=(p * n_bins).floor().cast("int64").clip(upper=n_bins - 1)
    ).aggregate(
        n_rows=_.count(),
        n_positive=y.sum(),
        predicted=p.sum(),
        predicted_squared=(p * p).sum(),
        predicted_positive=(p * y).sum(),
        log_likelihood=labelled[IS_POSITIVE].ifelse(safe.ln(), (1 - safe).ln()).sum(),
    )
    sums: defaultdict[Scored, dict[str, Any]] = defaultdict(lambda: {name: np.zeros(n_bins) for name in SUMS})
    for row in groups.to_pyarrow().to_pylist():
        for name in SUMS:
            sums[row[PARTITION_KEY], row[MODEL_VERSION]][name][row["bin_index"]] = row[name]
    pairs = _count_pairs_won(labelled)
    return {key: BinSums(**arrays, n_pairs_won=pairs[key]) for key, arrays in sums.items()}


def _count_pairs_won(labelled: ibis.Table) -> dict[Scored, float]:
    """Count, per partition and model, the pairs of a positive and a negative row that the positive one wins.

    Rows of one score are counted together: a positive row wins all negative ones below it, and half of those beside it.
    """
    scores = labelled.group_by([PARTITION_KEY, MODEL_VERSION, P_POSITIVE]).aggregate(
        n_positive=labelled[IS_POSITIVE].ifelse(1, 0).sum(), n_negative=labelled[IS_POSITIVE].ifelse(0, 1).sum()
    )
    below = ibis.cumulative_window(group_by=[PARTITION_KEY, MODEL_VERSION], order_by=P_POSITIVE)
    running = scores.mutate(n_not_above=scores.n_negative.sum().over(below))
    won = (_.n_positive * (_.n_not_above - _.n_negative / 2)).sum()
    totals = running.group_by([PARTITION_KEY, MODEL_VERSION]).aggregate(n_won=won)
    return {(row[PARTITION_KEY], row[MODEL_VERSION]): float(row["n_won"]) for row in totals.to_pyarrow().to_pylist()}


def _is_number(kind: str) -> bool:
    """Say whether values of a problem's type are cut by size; all others are compared by value."""
    return kind in {"integer", "number", "timestamp"}


def _compared(rows: ibis.Table, types: Mapping[str, str]) -> ibis.Table:
    """Give the columns as they are compared: numbers as doubles without NaN, all else as text."""
    return rows.select(PARTITION_KEY, **{name: _column(rows, name, kind) for name, kind in types.items()})


def _column(rows: ibis.Table, name: str, kind: str) -> Any:
    """Give one column as it is compared; one that the rows lack is missing everywhere."""
    if name not in rows.columns:
        return ibis.null("float64" if _is_number(kind) else "string")
    if kind == "timestamp":
        return rows[name].epoch_seconds().cast("float64")
    if _is_number(kind):
        number = rows[name].cast("float64")
        return number.isnan().ifelse(ibis.null("float64"), number)
    return rows[name].cast("string")


def _read_quantiles(compared: ibis.Table, names: Sequence[str]) -> dict[str, list[float | None]]:
    """Read the inner deciles of all numbers in one pass, exactly; nulls do not count."""
    if not names:
        return {}
    shares = [place / N_QUANTILES for place in range(1, N_QUANTILES)]
    [found] = compared.aggregate(**{name: compared[name].quantile(shares) for name in names}).to_pyarrow().to_pylist()
    return {name: found[name] or [] for name in names}


def _read_values(compared: ibis.Table, name: str) -> dict[str, int]:
    """Count how often the reference has each value of a category; missing values are not one."""
    values = compared.select(value=compared[name])
    counted = values.filter(values.value.notnull()).group_by("value").aggregate(n_rows=_.count())
    return {row["value"]: int(row["n_rows"]) for row in counted.to_pyarrow().to_pylist()}


def _counts_of(row: Mapping[str, Any], place: int, bins: Bins) -> Counts:
    """Turn the sums of one column into counts per bin; a number's sums run from below, a category's do not."""
    hits = [int(row[f"{place}_{index}"] or 0) for index in range(len(bins.cuts))]  # null where all are missing
    known, n_rows = int(row[f"{place}_known"]), int(row["n_rows"])
    if bins.kind == "number":
        return np.array([*np.diff([0, *hits, known]), n_rows - known], dtype=np.int64)
    return np.array([*hits, known - sum(hits), n_rows - known], dtype=np.int64)
