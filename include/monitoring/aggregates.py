"""Asks the engine for sums and counts: one pass over the rows, a few numbers back.

What belongs here: Ibis expressions. What does not: the formulas over what comes back (`calibration.py`, `drift.py`).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from ibis import _
from numpy.typing import NDArray

from include.errors import BadProbabilities
from include.monitoring.calibration import MAX_CELLS, N_BINS, N_FINE_BINS, ScoreSums
from include.monitoring.drift import ColumnCounts
from include.names import PARTITION_KEY
from include.stats.column_bins import (
    MASS_SHARE,
    MAX_CATEGORIES,
    N_QUANTILES,
    ColumnBins,
    cut_category,
    cut_number,
)
from include.stats.corp import ScoredCells
from include.stats.probabilities import LEAST_PROBABILITY
from include.stats.reliability import BinSums

# Columns of the scored rows that calibration reads; `is_positive` is null where the label is not known.
MODEL_VERSION = "model_version"
P_POSITIVE = "p_positive"
IS_POSITIVE = "is_positive"


Scored = tuple[str, str]  # partition, model version


def read_bins(reference: ibis.Table, types: Mapping[str, str]) -> list[ColumnBins]:
    """Cut every column where its reference says: values with mass apart, other numbers at their tenths.

    Args:
        reference: the rows that the cuts come from.
        types: column to its type in the problem file; a column that the rows lack is all missing.

    Returns:
        one for each column, in the order given.
    """
    compared = _compared(reference, types)
    numbers = [name for name, kind in types.items() if _is_number(kind)]
    bins = {cut.feature: cut for cut in _read_number_bins(compared, numbers)}
    bins |= {cut.feature: cut for cut in _read_category_bins(compared, [name for name in types if name not in bins])}
    return [bins[name] for name in types]


def count_bins(
    rows: ibis.Table, bins: Sequence[ColumnBins], types: Mapping[str, str], reference: ibis.Table
) -> dict[str, dict[str, ColumnCounts]]:
    """Count the rows of each partition in each bin of each column, in one pass.

    Args:
        rows: of any partitions.
        bins: as `read_bins` cut them.
        types: column to its type in the problem file.
        reference: the rows that the cuts come from: what a category has there is not new.

    Returns:
        partition to column to its counts.
    """
    compared, seen = _compared(rows, types), _compared(reference, types)
    sums: dict[str, ir.Value] = {"n_rows": _.count()}
    for place, cut in enumerate(bins):
        if cut.kind == "category":
            known = seen.select(**{f"{place}_in_reference": seen[cut.feature]}).distinct()
            compared = compared.left_join(known, compared[cut.feature] == known[f"{place}_in_reference"])
        sums |= _sums_of(place, cut)
    table = compared.group_by(PARTITION_KEY).aggregate(**sums).to_pyarrow().to_pylist()
    return {
        row[PARTITION_KEY]: {cut.feature: _counts_of(row, place, cut) for place, cut in enumerate(bins)}
        for row in table
    }


def _sums_of(place: int, cut: ColumnBins) -> dict[str, ir.Value]:
    """Say what is summed up of one column: rows of each value of its own, and of the others up to each edge."""
    column = _[cut.feature]
    sums: dict[str, ir.Value] = {f"{place}_known": column.count()}
    for index, value in enumerate(cut.values):
        sums[f"{place}_value_{index}"] = (column == value).sum()
    for index, edge in enumerate(cut.edges):
        is_up_to = column <= edge
        sums[f"{place}_edge_{index}"] = (is_up_to & ~column.isin(cut.values) if cut.values else is_up_to).sum()
    if cut.kind == "category":
        sums[f"{place}_unseen"] = (column.notnull() & _[f"{place}_in_reference"].isnull()).sum()
    elif cut.low is not None:
        sums[f"{place}_unseen"] = ((column < cut.low) | (column > cut.high)).sum()
    if cut.kind == "number":
        sums |= {f"{place}_low": column.min(), f"{place}_high": column.max()}
    return sums


def _counts_of(row: Mapping[str, Any], place: int, cut: ColumnBins) -> ColumnCounts:
    """Turn the sums of one column into counts per bin; sums up to an edge run from below."""

    def of(name: str) -> int:
        return int(row.get(f"{place}_{name}") or 0)  # null where all are missing

    own = [of(f"value_{index}") for index in range(len(cut.values))]
    up_to = [of(f"edge_{index}") for index in range(len(cut.edges))]
    known, n_rows, n_unseen = of("known"), int(row["n_rows"]), of("unseen")
    rest = known - sum(own)
    middle = [rest - n_unseen, n_unseen] if cut.kind == "category" else np.diff([0, *up_to, rest]).tolist()
    if cut.kind == "number" and cut.low is None:
        n_unseen = known  # a reference without a single number has seen none
    counts = np.array([*own, *middle, n_rows - known], dtype=np.int64)
    return ColumnCounts(counts, n_unseen, row.get(f"{place}_low"), row.get(f"{place}_high"))


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


def sum_scores(scored: ibis.Table) -> dict[Scored, ScoreSums]:
    """Sum up the labelled rows of each partition and model, by bins of equal width and by bins of equal count.

    1.0 belongs to the last bin of equal width; equal probabilities are in one bin of equal count, the one of the last
    of them, as in `include.stats.reliability.sum_equal_count`.

    Returns:
        one for each partition and model that has a labelled row.
    """
    labelled = scored.filter(scored[IS_POSITIVE].notnull())
    group = ibis.window(group_by=[PARTITION_KEY, MODEL_VERSION])
    ranked = labelled.mutate(
        n_group=_.count().over(group),
        n_above=ibis.rank().over(group_by=[PARTITION_KEY, MODEL_VERSION], order_by=ibis.desc(labelled[P_POSITIVE])),
    )
    p, y = ranked[P_POSITIVE], ranked[IS_POSITIVE].ifelse(1, 0)
    safe = p.clip(lower=LEAST_PROBABILITY, upper=1 - LEAST_PROBABILITY)
    n_not_above = (ranked.n_group - ranked.n_above).cast("int64")
    groups = ranked.group_by(
        PARTITION_KEY,
        MODEL_VERSION,
        width_bin=(p * N_BINS).floor().cast("int64").clip(upper=N_BINS - 1),
        # Ranks are whole numbers far below 2^53, so that the quotient's floor is exact.
        count_bin=((n_not_above * N_FINE_BINS - 1) / ranked.n_group).floor().cast("int64"),
    ).aggregate(
        n_rows=_.count(),
        n_positive=y.sum(),
        predicted=p.sum(),
        predicted_squared=(p * p).sum(),
        predicted_positive=(p * y).sum(),
        score_variance=((1 - 2 * p) * (1 - 2 * p) * p * (1 - p)).sum(),
        log_odds=(safe.ln() - (1 - safe).ln()).sum(),
        log_likelihood=ranked[IS_POSITIVE].ifelse(safe.ln(), (1 - safe).ln()).sum(),
    )
    rows: defaultdict[Scored, list[Mapping[str, Any]]] = defaultdict(list)
    for row in groups.to_pyarrow().to_pylist():
        rows[row[PARTITION_KEY], row[MODEL_VERSION]].append(row)
    cells = _read_cells(labelled)
    return {key: _score_sums(own, *cells[key]) for key, own in rows.items()}


def _score_sums(rows: Sequence[Mapping[str, Any]], cells: ScoredCells, n_pairs_won: float) -> ScoreSums:
    """Add up the groups of one partition and model, in order, so that rounding is the same whenever it is asked."""
    ordered = sorted(rows, key=lambda row: (row["count_bin"], row["width_bin"]))

    def add(name: str, by: str, n_bins: int) -> NDArray[np.float64]:
        values = np.array([float(row[name]) for row in ordered])
        return np.bincount([row[by] for row in ordered], weights=values, minlength=n_bins).astype(np.float64)

    names = ("n_rows", "n_positive", "predicted", "predicted_squared")
    return ScoreSums(
        by_width=BinSums(*(add(name, "width_bin", N_BINS) for name in names)),
        by_count=BinSums(*(add(name, "count_bin", N_FINE_BINS) for name in names)),
        log_odds=add("log_odds", "count_bin", N_FINE_BINS),
        predicted_positive=float(add("predicted_positive", "count_bin", N_FINE_BINS).sum()),
        score_variance=float(add("score_variance", "count_bin", N_FINE_BINS).sum()),
        log_likelihood=float(add("log_likelihood", "count_bin", N_FINE_BINS).sum()),
        n_pairs_won=n_pairs_won,
        cells=cells,
    )


def _read_cells(labelled: ibis.Table) -> dict[Scored, tuple[ScoredCells, float]]:
    """Count the rows of each prediction, and the pairs of a positive and a negative row that the positive one wins.

    Rows of one score are counted together: a positive row wins all negative ones below it, and half of those beside it.
    Where there are more than `MAX_CELLS` scores, neighbours share a cell, as many rows in each.

    Returns:
        per partition and model its cells, the lowest scores first, and the pairs won.
    """
    key = [PARTITION_KEY, MODEL_VERSION]
    scores = labelled.group_by([*key, P_POSITIVE]).aggregate(
        n_rows=_.count(), n_positive=labelled[IS_POSITIVE].ifelse(1, 0).sum()
    )
    below, whole = ibis.cumulative_window(group_by=key, order_by=P_POSITIVE), ibis.window(group_by=key)
    running = scores.mutate(
        place=ibis.row_number().over(group_by=key, order_by=P_POSITIVE),
        n_through=scores.n_rows.sum().over(below),
        n_positive_through=scores.n_positive.sum().over(below),
        n_scores=_.count().over(whole),
        n_group=scores.n_rows.sum().over(whole),
    )
    # Ranks are whole numbers far below 2^53, so that the quotient's floor is exact.
    shared = ((running.n_through * MAX_CELLS - 1) / running.n_group).floor().cast("int64")
    n_negative_below = _.n_through - _.n_positive_through - (_.n_rows - _.n_positive) / 2
    cells = running.group_by(
        *key, cell=(running.n_scores <= MAX_CELLS).ifelse(running.place.cast("int64"), shared)
    ).aggregate(
        n_cell=_.n_rows.sum(),
        n_positive_cell=_.n_positive.sum(),
        low=_[P_POSITIVE].min(),
        high=_[P_POSITIVE].max(),
        predicted=(_[P_POSITIVE] * _.n_rows).sum(),
        n_won=(_.n_positive * n_negative_below).sum(),
    )
    return _split_cells(cells.order_by([*key, "cell"]).to_pyarrow())


def _split_cells(table: pa.Table) -> dict[Scored, tuple[ScoredCells, float]]:
    """Turn cells in their order into those of each partition and model; a shared prediction is rounded, as sums are."""
    names = ("n_cell", "n_positive_cell", "low", "high", "predicted", "n_won")
    n_rows, n_positive, low, high, predicted, won = (table[name].to_numpy().astype(np.float64) for name in names)
    p = np.where(low == high, low, np.round(predicted / n_rows, 12))
    keys = list(zip(table[PARTITION_KEY].to_pylist(), table[MODEL_VERSION].to_pylist(), strict=True))
    starts = [place for place, own in enumerate(keys) if place == 0 or own != keys[place - 1]]
    return {
        keys[start]: (ScoredCells(p[start:end], n_rows[start:end], n_positive[start:end]), float(won[start:end].sum()))
        for start, end in pairwise([*starts, len(keys)])
    }


def _is_number(kind: str) -> bool:
    """Say whether values of a problem's type are cut by size; all others are compared by value."""
    return kind in {"integer", "number", "timestamp"}


def _compared(rows: ibis.Table, types: Mapping[str, str]) -> ibis.Table:
    """Give the columns as they are compared: numbers as doubles without NaN, all else as text."""
    return rows.select(PARTITION_KEY, **{name: _column(rows, name, kind) for name, kind in types.items()})


def _column(rows: ibis.Table, name: str, kind: str) -> ir.Column:
    """Give one column as it is compared; one that the rows lack is missing everywhere."""
    if name not in rows.columns:
        return ibis.null("float64" if _is_number(kind) else "string")
    if kind == "timestamp":
        return rows[name].epoch_seconds().cast("float64")
    if _is_number(kind):
        number = rows[name].cast("float64")
        return number.isnan().ifelse(ibis.null("float64"), number)
    return rows[name].cast("string")


def _read_number_bins(compared: ibis.Table, names: Sequence[str]) -> list[ColumnBins]:
    """Read the values with mass, and of all others the inner tenths and the ends, exactly; nulls do not count."""
    if not names:
        return []
    counted = _count_values(compared, names)
    known = counted.mutate(n_known=_.n_rows.sum().over(ibis.window(group_by="feature")))
    massive = known.filter((_.n_rows > 1) & (_.n_rows >= MASS_SHARE * _.n_known)).to_pyarrow().to_pylist()
    own: dict[str, list[float]] = {name: [] for name in names}
    for row in massive:
        own[row["feature"]].append(float(row["value"]))
    shares = [place / N_QUANTILES for place in range(1, N_QUANTILES)]
    sums: dict[str, ir.Value] = {}
    for place, name in enumerate(names):
        column = compared[name]
        is_rest = ~column.isin(own[name]) if own[name] else None
        sums |= {f"{place}_quantiles": column.quantile(shares, where=is_rest)}
        sums |= {f"{place}_low": column.min(), f"{place}_high": column.max()}
    [found] = compared.aggregate(**sums).to_pyarrow().to_pylist()
    return [
        cut_number(name, own[name], found[f"{place}_quantiles"] or [], found[f"{place}_low"], found[f"{place}_high"])
        for place, name in enumerate(names)
    ]


def _read_category_bins(compared: ibis.Table, names: Sequence[str]) -> list[ColumnBins]:
    """Read the commonest values of each category, and how many it has once; missing values are not one."""
    if not names:
        return []
    counted = _count_values(compared, names)
    single = ibis.window(group_by="feature")
    commonest = ibis.row_number().over(group_by="feature", order_by=[ibis.desc(counted.n_rows), counted.value])
    ranked = counted.mutate(place=commonest, n_single=(counted.n_rows == 1).ifelse(1, 0).sum().over(single))
    n_by_value: dict[str, dict[str, int]] = {name: {} for name in names}
    n_single = dict.fromkeys(names, 0)
    for row in ranked.filter(_.place < MAX_CATEGORIES).to_pyarrow().to_pylist():
        n_by_value[row["feature"]][row["value"]] = int(row["n_rows"])
        n_single[row["feature"]] = int(row["n_single"])
    return [cut_category(name, n_by_value[name], n_single[name]) for name in names]


def _count_values(compared: ibis.Table, names: Sequence[str]) -> ibis.Table:
    """Count the rows of each value of some columns of one type: feature, value, n_rows."""
    parts = [compared.select(feature=ibis.literal(name), value=compared[name]) for name in names]
    values = ibis.union(*parts) if len(parts) > 1 else parts[0]
    return values.filter(values.value.notnull()).group_by(["feature", "value"]).aggregate(n_rows=_.count())
