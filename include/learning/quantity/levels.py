"""What is said of a row whose label is a number, what each miss costs, and which quantiles follow from that.

What belongs here: arithmetic on answers and costs. What does not: fitting (`candidates.py`), making intervals hold
(`conformal.py`).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from include.learning.protocols import Flags, Probabilities
from include.problems.sections.learning import Label, Value

Loss = Literal["squared", "absolute", "quantile"]


@dataclass(frozen=True)
class Levels:
    """Which numbers are said of a row.

    Attributes:
        loss: squared predicts the mean, absolute the median, quantile the action.
        interval: share of rows that the interval shall hold, 0..1; as many may be below it as above.
        action: quantile of the action, 0..1.
    """

    loss: Loss
    interval: float
    action: float

    @property
    def low(self) -> float:
        """Quantile of the lower end, 0..1."""
        return (1 - self.interval) / 2

    @property
    def high(self) -> float:
        """Quantile of the upper end, 0..1."""
        return (1 + self.interval) / 2

    @property
    def quantiles(self) -> tuple[float | None, float, float, float]:
        """Quantiles of the prediction, the ends and the action; None is the mean."""
        centre = {"squared": None, "absolute": 0.5, "quantile": self.action}[self.loss]
        return centre, self.low, self.high, self.action


@dataclass(frozen=True)
class Answers:
    """What is said of rows, each of shape (n_rows,) and in the label's unit.

    Attributes:
        predicted: the mean, the median, or what costs least.
        low: lower end of the interval.
        high: upper end.
        action: what to plan with: the number that costs least on average.
    """

    predicted: Probabilities
    low: Probabilities
    high: Probabilities
    action: Probabilities

    @classmethod
    def from_table(cls, table: Probabilities) -> "Answers":
        """Read a table of shape (n_rows, 4); ends that crossed both become their middle."""
        middle = (table[:, 1] + table[:, 2]) / 2
        low, high = np.minimum(table[:, 1], middle), np.maximum(table[:, 2], middle)
        return cls(table[:, 0], low, high, table[:, 3])

    def to_table(self) -> Probabilities:
        """Write them as a table of shape (n_rows, 4)."""
        return np.column_stack([self.predicted, self.low, self.high, self.action])

    def where(self, places: Flags | NDArray[np.intp]) -> "Answers":
        """Take some of the rows."""
        return Answers(self.predicted[places], self.low[places], self.high[places], self.action[places])

    def is_held(self, actual: Probabilities) -> Flags:
        """Say of which rows the interval holds the number, its ends included: shape (n_rows,)."""
        return np.asarray((actual >= self.low) & (actual <= self.high), dtype=np.bool_)


@dataclass(frozen=True)
class Costs:
    """What each unit of a miss costs.

    Attributes:
        over: planned too much, above 0.
        under: planned too little, above 0.
    """

    over: float
    under: float

    @property
    def level(self) -> float:
        """Quantile that costs least on average: under / (over + under), 0..1.

        Source: the newsvendor's critical ratio, Arrow, Harris and Marschak 1951; Koenker and Bassett 1978.
        """
        return self.under / (self.over + self.under)

    def profit(self, planned: Probabilities, actual: Probabilities) -> Probabilities:
        """Say what each row earned: shape (n_rows,), at most 0; over * too much + under * too little, taken off."""
        miss = np.asarray(planned, dtype=np.float64) - actual
        return np.where(miss > 0, -self.over * miss, self.under * miss)


def costs_of(value: Value) -> Costs:
    """Read what a miss costs; the problem file has both."""
    return Costs(value.over or 1.0, value.under or 1.0)


def levels_of(label: Label, value: Value) -> Levels:
    """Read from the problem file which numbers are said of a row."""
    if label.quantity is None:
        return Levels("squared", 0.9, costs_of(value).level)
    return Levels(label.quantity.loss, label.quantity.interval, costs_of(value).level)


def row_pinball(level: float, said: Probabilities, actual: Probabilities) -> Probabilities:
    """Give each row's pinball loss of one quantile: shape (n_rows,), in the label's unit.

    level * (actual - said) where the number is above, (1 - level) * (said - actual) where it is below.

    Source: Koenker and Bassett 1978.
    """
    miss = np.asarray(actual, dtype=np.float64) - said
    return np.maximum(level * miss, (level - 1) * miss)
