"""How far the fitted models are to be believed about the pool, and what the control arm says of choosing by them.

A store file; what is believed decides whether a batch follows uncertainty or covers the pool (`selection/covering.py`).
"""

from dataclasses import dataclass
from typing import cast

from sqlalchemy import Connection, func, select

from include.problems.sections.learning import ModelName
from include.warehouse.tables.learning import MODEL_METRIC, MODEL_VERSION
from include.warehouse.tables.review import REVIEW_ESTIMATE

BASE_RATE = "dummy"
AUC_GAINED = "auc_gained"


@dataclass(frozen=True)
class Fitted:
    """What is known of a fitted version before it is asked about the pool.

    Attributes:
        model_name: the candidate that was fitted: it says what is read of a text.
        gain: 0..1: by how much of the base rate's log loss it is better, on rows it was not fitted on.
    """

    model_name: ModelName
    gain: float


@dataclass(frozen=True)
class ChoosingGained:
    """What choosing added to the AUC of as many labels of chance, with its 95 % interval, at the newest round."""

    n_labels: int
    value: float
    low: float
    high: float

    @property
    def is_none(self) -> bool:
        """Whether no gain is shown: the control arm alone is as good."""
        return self.value <= 0.0

    def __str__(self) -> str:
        """Say it in a sentence."""
        return (
            f"with {self.n_labels} labels choosing has gained {self.value:+.3f} AUC over chance "
            f"({self.low:+.3f} to {self.high:+.3f})"
        )


def read_choosing_gained(connection: Connection, problem: str) -> ChoosingGained | None:
    """Read what choosing gained by the newest round for which it is known; None where it is for none."""
    query = (
        select(REVIEW_ESTIMATE)
        .where(REVIEW_ESTIMATE.c.problem == problem, REVIEW_ESTIMATE.c.quantity == AUC_GAINED)
        .order_by(func.length(REVIEW_ESTIMATE.c.batch_id).desc(), REVIEW_ESTIMATE.c.batch_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else ChoosingGained(row.n_labels, row.value, row.low, row.high)


def read_fitted(connection: Connection, problem: str) -> dict[str, Fitted]:
    """Read of each fitted version what it is, and its gain; that of a version without a measured loss is 0."""
    versions = connection.execute(
        select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.model_name).where(MODEL_VERSION.c.problem == problem)
    ).all()
    losses = {
        (row.model_version, row.candidate): float(row.value)
        for row in connection.execute(
            select(MODEL_METRIC.c.model_version, MODEL_METRIC.c.candidate, MODEL_METRIC.c.value).where(
                MODEL_METRIC.c.problem == problem, MODEL_METRIC.c.metric == "log_loss"
            )
        )
    }
    return {
        version: Fitted(cast(ModelName, name), gain_of(losses.get((version, name)), losses.get((version, BASE_RATE))))
        for version, name in versions
    }


def gain_of(loss: float | None, loss_of_base_rate: float | None) -> float:
    """Say by which share a model's log loss is below the base rate's: 0 where it is not, 1 where it is never wrong."""
    if loss is None or not loss_of_base_rate or loss_of_base_rate < 0:
        return 0.0
    return min(max(1.0 - loss / loss_of_base_rate, 0.0), 1.0)
