"""Intervals of any measure of rows that hang together: rows of a day share its weather.

What belongs here: resampling by whole blocks, and what resampled figures say. What does not: the measures, which are
asked of weighted rows. With at least 20 blocks they are drawn with replacement; fewer say too little about their own
spread, so each is left out once, and Student's t allows for how few there are; of a single block nobody can say.
Both suppose a spread without a long tail: with one, and 8 to 20 blocks, 95 % hold in 89 to 92 (docs/benchmarks.md).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

Floats = NDArray[np.float64]

N_RESAMPLES = 2_000
# Below this many blocks the drawn ones spread too little: an interval of 95 % would hold in 85 to 92 %.
MINIMUM_BLOCKS = 20
# Row weights of so many numbers are made at once: 64 MB.
_CHUNK = 8_000_000


@dataclass(frozen=True)
class Resamples:
    """How often each block is in each resample.

    Attributes:
        block: shape (n_rows,), number of each row's block, from 0.
        weights: shape (n_resamples, n_blocks), whole numbers as float64; none where there are fewer than 2 blocks.
        is_drawn: whether blocks were drawn with replacement; else each resample leaves one of them out.
    """

    block: NDArray[np.intp]
    weights: Floats
    is_drawn: bool

    @property
    def n_blocks(self) -> int:
        """Count the blocks."""
        return int(self.weights.shape[1])

    @property
    def n_effective(self) -> float:
        """Say how many blocks of one size know as much: (sum n)² / sum n² over the rows n of each (Kish 1965)."""
        sizes = np.bincount(self.block, minlength=self.n_blocks).astype(np.float64)
        return max(float(sizes.sum() ** 2 / (sizes**2).sum()), 2.0)

    @property
    def method(self) -> str:
        """Name how an interval comes about, for a sentence."""
        if self.is_drawn:
            return f"{len(self.weights):,} resamples of {self.n_blocks:,} blocks"
        return f"Student's t over {self.n_blocks} blocks" if self.n_blocks > 1 else "1 block: nobody can say"

    def total(self, values: Floats) -> Floats:
        """Sum values of rows under each resample.

        Args:
            values: shape (n_rows,) or (n_rows, n_columns).

        Returns:
            shape (n_resamples,) or (n_resamples, n_columns).
        """
        return np.asarray(self.weights @ sum_by_block(values, self.block, self.n_blocks))

    def mean(self, values: Floats) -> Floats:
        """Average values of rows under each resample: shape (n_resamples,); NaN where one holds no row."""
        return _ratio(self.total(values), self.total(np.ones(len(values))))

    def mean_where(self, values: Floats, is_asked: NDArray[np.bool_]) -> Floats:
        """Average values over the rows that are asked: shape (n_resamples,); NaN where one holds none of them."""
        return _ratio(self.total(np.where(is_asked, values, 0.0)), self.total(is_asked.astype(np.float64)))

    def apply(self, measure: Callable[[Floats], Floats]) -> Floats:
        """Ask a measure that is no sum, a part of the resamples at a time.

        Args:
            measure: weights of rows, shape (n, n_rows), to figures, shape (n,).

        Returns:
            shape (n_resamples,).
        """
        n_at_once = max(1, _CHUNK // max(1, len(self.block)))
        parts = [
            measure(self.weights[start : start + n_at_once][:, self.block])
            for start in range(0, len(self.weights), n_at_once)
        ]
        return np.concatenate(parts) if parts else np.empty(0)

    def interval(
        self, estimate: float, resampled: Floats, confidence: float = 0.95
    ) -> tuple[float, float] | tuple[None, None]:
        """Say between which ends a measure lies.

        Args:
            estimate: the measure of the rows themselves.
            resampled: shape (n_resamples,), the same measure under each resample; NaN where one has no answer.
            confidence: 0..1, both sides together.

        Returns:
            (low, high); none where nobody can say: fewer than 2 blocks, or resamples without an answer where each
            stands for a block.

        Source: percentiles moved out as Student's t would (Hesterberg 2015, section 3.3); Efron and Tibshirani 1993,
            chapter 11, for the jackknife's spread.
        """
        tail = (1 - confidence) / 2
        if self.is_drawn:
            answered = resampled[~np.isnan(resampled)]
            if not len(answered):
                return None, None
            n = self.n_effective
            wider = float(norm.cdf(np.sqrt(n / (n - 1)) * t.ppf(tail, n - 1)))
            low, high = np.quantile(answered, [wider, 1 - wider])
            return float(low), float(high)
        error = self._standard_error(resampled)
        if error is None:
            return None, None
        reach = float(t.ppf(1 - tail, self.n_effective - 1)) * error
        return estimate - reach, estimate + reach

    def probability_above(self, estimate: float, resampled: Floats, bound: float = 0.0) -> float | None:
        """Say how sure one may be that a measure lies above a bound; 1 less it is the p-value of the claim.

        Args:
            estimate, resampled: as for `interval`.
            bound: in the measure's unit.

        Returns:
            0..1, an even chance where nothing differs at all; None where nobody can say.
        """
        if self.is_drawn:
            answered = resampled[~np.isnan(resampled)]
            if not len(answered):
                return None
            # Ends of drawn spread are too near; the same share is read off the t distribution that moves them out.
            share = float(np.mean((answered > bound) + 0.5 * (answered == bound)))
            n = self.n_effective
            least = 0.5 / len(answered)  # what no resample showed may happen once in twice as many
            quantile = float(norm.ppf(min(max(share, least), 1 - least)))
            return float(t.cdf(np.sqrt((n - 1) / n) * quantile, n - 1))
        error = self._standard_error(resampled)
        if error is None:
            return None
        if error == 0.0:
            return 0.5 if estimate == bound else float(estimate > bound)
        return float(t.cdf((estimate - bound) / error, self.n_effective - 1))

    def _standard_error(self, resampled: Floats) -> float | None:
        """Give the jackknife's standard error: sqrt((B - 1) / B * sum of (figure without b - their mean)²)."""
        n = self.n_blocks
        if n < 2 or np.isnan(resampled).any():
            return None
        return float(np.sqrt((n - 1) / n * ((resampled - resampled.mean()) ** 2).sum()))


def draw_blocks(
    blocks: NDArray[np.integer] | NDArray[np.str_], rng: np.random.Generator, n_resamples: int = N_RESAMPLES
) -> Resamples:
    """Draw resamples of whole blocks; the same ones for every candidate make comparisons paired.

    Args:
        blocks: shape (n_rows,), the block (day, group) of each row; of rows that do not hang together, each its own.
        rng: of the draws; unused below 20 blocks.
        n_resamples: how many, where blocks are drawn.

    Source: Efron and Tibshirani 1993, chapters 6 and 11; Cameron, Gelbach and Miller 2008 on few blocks.
    """
    names, block = np.unique(blocks, return_inverse=True)
    n_blocks = len(names)
    if n_blocks < 2:
        return Resamples(block, np.empty((0, n_blocks)), is_drawn=False)
    if n_blocks < MINIMUM_BLOCKS:
        return Resamples(block, 1.0 - np.eye(n_blocks), is_drawn=False)
    drawn = rng.integers(0, n_blocks, size=(n_resamples, n_blocks)) + np.arange(n_resamples)[:, None] * n_blocks
    weights = np.bincount(drawn.ravel(), minlength=n_resamples * n_blocks).reshape(n_resamples, n_blocks)
    return Resamples(block, weights.astype(np.float64), is_drawn=True)


def sum_by_block(values: Floats, block: NDArray[np.intp], n_blocks: int) -> Floats:
    """Sum rows by block: shape (n_blocks,) or (n_blocks, n_columns), in float64."""
    columns = np.asarray(values, dtype=np.float64)
    if columns.ndim == 1:
        return np.bincount(block, weights=columns, minlength=n_blocks).astype(np.float64)
    summed = [np.bincount(block, weights=column, minlength=n_blocks) for column in columns.T]
    return np.column_stack(summed) if summed else np.empty((n_blocks, 0))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Divide, NaN by nothing."""
    return np.asarray(np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0))
