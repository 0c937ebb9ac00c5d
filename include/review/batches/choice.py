"""One item of a batch as a plan decides it.

What belongs here: the record that planning hands over. What does not: deciding (`selection/batch_plan.py`), and keeping
(`batches/store.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One item of a batch, and why it is in it; the columns of `core.review_item` that the plan decides."""

    item_id: str
    partition_key: str
    arm: str
    inclusion_probability: float
    entropy_nats: float | None
    p_positive: float | None
    strategy_score: float | None = None
    n_answers_wanted: int = 1
    n_answers_most: int | None = None
    gold_label: str | None = None
    skill: str | None = None
    is_sensitive: bool = False
    is_for_others: bool = False
    reason: str | None = None
