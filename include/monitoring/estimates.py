"""What a model's figures will be, said from its probabilities alone before labels come, and what they were afterwards.

What belongs here: expected sums on the engine, and the figures that follow from them. What does not: how far such an
estimate was off in earlier partitions, which the view `bi.performance_estimate` adds to its interval.

Where probabilities are calibrated, the label of a row is a coin with the probability p, whatever the rows are: a figure
that is a mean over rows of f(p, label) has the expectation mean of p f(p, 1) + (1 - p) f(p, 0), and its sampling
variance is the mean of p (1 - p) (f(p, 1) - f(p, 0))² over the number of rows.

Source: confidence-based performance estimation, Garg et al. 2022 and NannyML's CBPE; the variance is ours.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import sqrt

import ibis
import ibis.expr.types as ir

from include.monitoring.aggregates import IS_POSITIVE, MODEL_VERSION, P_POSITIVE, Scored
from include.names import PARTITION_KEY
from include.problems.decision_policy import Policy
from include.problems.sections.learning import Value
from include.stats.probabilities import LEAST_PROBABILITY

Rows = list[dict[str, object]]

LET_BE, ACT, ASK = "let_be", "act", "ask"
# Added up as decimals of twelve places: sums are the same in whatever order an engine adds.
_EXACT = "decimal(18, 12)"


@dataclass
class ActionSums:
    """Rows of one partition and model about which the same is done.

    Attributes:
        n_rows: rows.
        p: sum of the probabilities.
        variance: sum of p (1 - p), which is the expected sum of the squared errors, too.
        error_variance: sum of p (1 - p) (1 - 2 p)², the variance of the squared errors' sum.
        loss: expected sum of the log loss, in nats.
        loss_variance: sum of p (1 - p) (ln(p / (1 - p)))², the variance of that sum.
        n_positive, squared_error, actual_loss: what happened, where labels are known.
    """

    n_rows: int = 0
    p: float = 0.0
    variance: float = 0.0
    error_variance: float = 0.0
    loss: float = 0.0
    loss_variance: float = 0.0
    n_positive: int = 0
    squared_error: float = 0.0
    actual_loss: float = 0.0


@dataclass(frozen=True)
class Figure:
    """One figure of some rows.

    Attributes:
        estimate: what is expected of it.
        standard_error: of chance in the labels alone; the probabilities are taken at their word.
        actual: what it was, where labels are known.
    """

    estimate: float
    standard_error: float
    actual: float


def sum_expected(rows: ibis.Table, policy: Policy | None) -> dict[Scored, dict[str, ActionSums]]:
    """Add up what a model's probabilities promise of the rows of each partition and model.

    Args:
        rows: scored rows; a label that is not known counts as none in the actual sums.
        policy: at which probabilities something is done; None where nothing is.

    Returns:
        for each partition and model the sums of each action that has rows.
    """
    p = rows[P_POSITIVE]
    safe = p.clip(lower=LEAST_PROBABILITY, upper=1 - LEAST_PROBABILITY)
    variance, happened = p * (1 - p), rows[IS_POSITIVE].fill_null(False)
    log_odds = safe.ln() - (1 - safe).ln()
    error = happened.ifelse(1 - p, p)
    exact = {
        "p": p,
        "variance": variance,
        "error_variance": variance * (1 - 2 * p) * (1 - 2 * p),
        "loss": -(p * safe.ln() + (1 - p) * (1 - safe).ln()),
        "loss_variance": variance * log_odds * log_odds,
        "squared_error": error * error,
        "actual_loss": -happened.ifelse(safe.ln(), (1 - safe).ln()),
    }
    groups = rows.group_by(PARTITION_KEY, MODEL_VERSION, action=_action(p, policy)).aggregate(
        n_rows=rows.count(),
        n_positive=happened.ifelse(1, 0).sum(),
        **{name: term.cast(_EXACT).sum().cast("float64") for name, term in exact.items()},
    )
    found: defaultdict[Scored, dict[str, ActionSums]] = defaultdict(dict)
    for row in groups.to_pyarrow().to_pylist():
        sums = ActionSums(**{field.name: row[field.name] for field in fields(ActionSums)})
        found[row[PARTITION_KEY], row[MODEL_VERSION]][row["action"]] = sums
    return dict(found)


def _action(p: ir.FloatingValue, policy: Policy | None) -> ir.StringValue:
    """Name what is done at a probability."""
    if policy is None:
        return ibis.literal(LET_BE)
    acted = (p >= policy.act_from).ifelse(ACT, LET_BE)
    if policy.ask_from is None or policy.ask_until is None:
        return acted
    return ((p >= policy.ask_from) & (p < policy.ask_until)).ifelse(ASK, acted)


def figures_of(by_action: dict[str, ActionSums], value: Value | None) -> dict[str, Figure]:
    """Give every figure of some rows: the share that is positive, Brier score, log loss, and profit where it is priced.

    Args:
        by_action: what `sum_expected` says of one partition and model; at least one row.
        value: what actions earn; None where the problem says nothing of it.
    """
    every = ActionSums()
    for action in sorted(by_action):
        for field in fields(ActionSums):
            setattr(every, field.name, getattr(every, field.name) + getattr(by_action[action], field.name))
    n = every.n_rows
    figures = {
        "positive_ratio": Figure(every.p / n, sqrt(every.variance) / n, every.n_positive / n),
        "brier_score": Figure(every.variance / n, sqrt(every.error_variance) / n, every.squared_error / n),
        "log_loss_nats": Figure(every.loss / n, sqrt(every.loss_variance) / n, every.actual_loss / n),
    }
    if value is not None:
        profits = [_profit(by_action[action], *_earned(action, value)) for action in sorted(by_action)]
        expected, variance, actual = (sum(part) for part in zip(*profits, strict=True))
        figures["profit"] = Figure(expected / n, sqrt(variance) / n, actual / n)
    return figures


def _earned(action: str, value: Value) -> tuple[float, float]:
    """Say what a positive and a negative row earn under an action; a person who is asked finds the truth."""
    if action == ASK:
        return value.true_positive + value.review, value.true_negative + value.review
    if action == ACT:
        return value.true_positive, value.false_positive
    return value.false_negative, value.true_negative


def _profit(sums: ActionSums, positive: float, negative: float) -> tuple[float, float, float]:
    """Give the expected profit of some rows, its variance, and what it was."""
    expected = positive * sums.p + negative * (sums.n_rows - sums.p)
    actual = positive * sums.n_positive + negative * (sums.n_rows - sums.n_positive)
    return expected, (positive - negative) ** 2 * sums.variance, actual


def measure_estimates(
    problem: str, scored: ibis.Table | None, labelled: ibis.Table | None, value: Value | None, policy: Policy | None
) -> Rows:
    """Estimate the figures of each partition and model before labels, and where there are labels hold them against it.

    Args:
        scored: every prediction of the partitions; None while there is none.
        labelled: rows with `p_positive` and `is_positive`, from the log or from people; None when there are none.
        value, policy: what actions earn, and which action is taken when.

    Returns:
        rows of `core.performance_estimate` but for `label_arm`, sorted.
    """
    everything = sum_expected(scored, policy) if scored is not None else {}
    known = sum_expected(labelled.filter(labelled[IS_POSITIVE].notnull()), policy) if labelled is not None else {}
    return [row for pair in sorted({*everything, *known}) for row in _rows_of(problem, pair, everything, known, value)]


def _rows_of(
    problem: str,
    pair: Scored,
    everything: dict[Scored, dict[str, ActionSums]],
    known: dict[Scored, dict[str, ActionSums]],
    value: Value | None,
) -> Iterator[dict[str, object]]:
    """Make the rows of one partition and model, one for each figure."""
    of_all = figures_of(everything[pair], value) if pair in everything else {}
    of_known = figures_of(known[pair], value) if pair in known else {}
    for metric in of_all or of_known:
        one, other = of_all.get(metric), of_known.get(metric)
        yield {
            "problem": problem,
            "partition_key": pair[0],
            "model_version": pair[1],
            "metric": metric,
            "n_rows": sum(sums.n_rows for sums in everything.get(pair, {}).values()),
            "estimate": one.estimate if one else None,
            "standard_error": one.standard_error if one else None,
            "n_labelled": sum(sums.n_rows for sums in known.get(pair, {}).values()),
            "labelled_estimate": other.estimate if other else None,
            "labelled_standard_error": other.standard_error if other else None,
            "actual": other.actual if other else None,
        }
