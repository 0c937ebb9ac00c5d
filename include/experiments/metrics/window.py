"""What the metrics of one window say: of each variant, and of what may be sent.

What belongs here: putting sums, comparisons, guardrails and the primary metric together. What does not: any of their
formulas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.experiments.checks import Check
from include.experiments.decision import Evidence
from include.experiments.design import Rules
from include.experiments.metrics.comparison import MetricVariant, compare_metric
from include.experiments.metrics.definitions import GUARDRAIL, PRIMARY, Metric
from include.experiments.metrics.guardrails import check_guardrail
from include.experiments.metrics.log import MetricSum
from include.experiments.metrics.primary import weigh_primary


@dataclass(frozen=True)
class Measured:
    """What one window measured.

    Attributes:
        rows: every metric of every variant.
        evidence: what a decision is taken from; that of the rewards where no metric is the primary one.
        checks: of the guardrails.
    """

    rows: Sequence[MetricVariant]
    evidence: Evidence | None
    checks: Sequence[Check]


def weigh_metrics(
    metrics: Sequence[Metric],
    sums: Sequence[Mapping[str, MetricSum]],
    rules: Rules,
    by_reward: Evidence | None,
    n_rewarded: Mapping[str, int],
    *,
    has_covariate: bool = False,
) -> Measured:
    """Compare every metric, and ask the guardrails of what would be sent.

    Args:
        metrics, sums: what is asked, and for each what every variant's units sum up to.
        rules: of the file.
        by_reward: what the rewards say, None while a variant has no mature unit.
        n_rewarded: mature units of the pilot per variant whose reward came.
        has_covariate: whether lifts are told without what was so before, too. Decisions rest on the plain ones.
    """
    evidence, rows, guardrails = by_reward, list[MetricVariant](), list[tuple[Metric, Mapping[str, MetricVariant]]]()
    for metric, its_sums in zip(metrics, sums, strict=True):
        compared = compare_metric(metric, its_sums, rules.control, rules.claim_level, has_covariate=has_covariate)
        rows += compared.values()
        if metric.role == PRIMARY and by_reward is not None:
            evidence = weigh_primary(compared, n_rewarded, rules.control, rules.price, rules.claim_level)
        elif metric.role == GUARDRAIL:
            guardrails.append((metric, compared))
    sent = evidence.choice.variant if evidence else None
    checks = [check_guardrail(metric, compared, sent, rules.control) for metric, compared in guardrails]
    return Measured(rows, evidence, checks)
