"""What a model says of items where there are several classes or labels, and how undecided it is about each.

What belongs here: predictions with a row for each class, as the engine ranks and compares them. What does not: two
sides, whose probability is one column (`pool.py`).
"""

from dataclasses import dataclass
from functools import reduce

import ibis
import ibis.expr.types as ir

from include.engine.session import open_engine
from include.names import CLASS_NAME, PARTITION_KEY, ROW_KEY
from include.problems.schema import Problem
from include.problems.sections.learning import Label
from include.review.selection import sql_ranking
from include.stats.probabilities import TOLERANCE

P_POSITIVE = "p_positive"
ENTROPY = "_entropy"
_P_OF = "_p_of_"  # and the number of the class


def several_of(problem: Problem) -> Label | None:
    """Give the label where it is of several classes or labels; None where there are two sides."""
    label = problem.label
    return label if label is not None and label.kind in ("several_classes", "several_labels") else None


def columns_of(label: Label) -> list[str]:
    """Name the columns of probabilities that `widen` makes, in the order of the classes."""
    return [f"{_P_OF}{place}" for place in range(len(label.classes))]


def widen(rows: ibis.Table, label: Label) -> ibis.Table:
    """Put the classes of an item side by side, with how undecided the model is over all of them.

    Args:
        rows: `_row_key`, `_partition_key`, `class_name` and `p_positive`, a row for each class.

    Returns:
        a row for each item: both keys, `_p_of_<number>` for each class (0 where it was never asked about), and
        `_entropy` in nats: over the classes, or summed over the labels.
    """
    sums = {
        column: rows[P_POSITIVE].sum(where=rows[CLASS_NAME] == name).fill_null(0.0)
        for column, name in zip(columns_of(label), label.classes, strict=True)
    }
    wide = rows.group_by([ROW_KEY, PARTITION_KEY]).aggregate(**sums)
    return wide.mutate(**{ENTROPY: entropy_of([wide[column] for column in sums], is_multiple=label.multiple)})


def entropy_of(members: list[ir.NumericValue], *, is_multiple: bool) -> ir.NumericValue:
    """Write how undecided a model is: over classes that sum to one, or summed over labels that are asked one by one.

    Source: Shannon 1948, section 6; summed over labels, Settles 2009, section 3.1, each label being a question.
    """
    parts = [*members, *(1.0 - p for p in members)] if is_multiple else members
    terms = [ibis.ifelse((p > 0) & (p < 1), -p * p.ln(), 0.0) for p in parts]
    return reduce(lambda a, b: a + b, terms)


def score_of(wide: ibis.Table, strategy: str, label: Label) -> ir.NumericValue:
    """Write the strategy that ranks items; the more an item is worth asking about, the higher.

    Returns:
        a number for each item; infinite where its numbers are no probabilities, so that these come first and are
        refused.
    """
    members = [wide[column] for column in columns_of(label)]
    if not label.multiple:
        return sql_ranking.score_expression(strategy, [members])
    is_probability = reduce(lambda a, b: a & b, [(p >= -TOLERANCE) & (p <= 1.0 + TOLERANCE) for p in members])
    return ibis.ifelse(is_probability.fill_null(False), wide[ENTROPY], float("inf"))


@dataclass(frozen=True)
class Changed:
    """How many items two models decided about, and the share, 0..1, about which they decided differently."""

    n_items: int
    ratio: float


def count_changed(items: ibis.Table, changed: ibis.Column) -> Changed | None:
    """Count the items that two models have scored, and the share whose decision differs; None where there are none.

    Args:
        items: one row for each item that both have scored.
        changed: of them, whether the decision differs.
    """
    counted = items.aggregate(n_items=items.count(), ratio=changed.cast("float64").mean())
    (row,) = open_engine().to_pyarrow(counted).to_pylist()
    return Changed(int(row["n_items"]), float(row["ratio"])) if row["n_items"] else None


def share_changed(before: ibis.Table, now: ibis.Table, label: Label) -> Changed | None:
    """Compare what two models take items for: the likeliest class, or every label from one half on.

    Args:
        before, now: `_row_key`, `_partition_key`, `class_name` and `p_positive` of each model.

    Returns:
        of the items that both have scored how many there are, and the share whose answer differs; None where they
        share none.
    """
    both = _answers(before, label, "before").inner_join(
        _answers(now, label, "now"), [ROW_KEY, PARTITION_KEY, CLASS_NAME]
    )
    differs = (both["before"] != both["now"]).cast("int64")
    items = both.group_by([ROW_KEY, PARTITION_KEY]).aggregate(changed=differs.max())
    return count_changed(items, items["changed"])


def _answers(rows: ibis.Table, label: Label, name: str) -> ibis.Table:
    """Say of each item and class whether the item is taken for it."""
    p = rows[P_POSITIVE]
    largest = p.max().over(ibis.window(group_by=[ROW_KEY, PARTITION_KEY]))
    return rows.select(ROW_KEY, PARTITION_KEY, CLASS_NAME, **{name: p >= 0.5 if label.multiple else p == largest})
