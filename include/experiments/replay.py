"""Which recorded units tell what a decision did, when the log was made before the decision.

What belongs here: keeping the sums that agree with the policy. What does not: making sums of rows (`rewards.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from include.experiments.rewards import HOLDBACK, PILOT, UnitSum


@dataclass(frozen=True)
class VariantSum:
    """Running sums of one phase and variant; the columns of `core.variant_sum`.

    Attributes:
        n_units: units exposed.
        n_mature, n_rewarded: of the units that agree with the policy.
        n_off_policy: units that do not; counted, never used. At most n_units.
    """

    phase: str
    variant: str
    n_units: int
    n_mature: int
    n_rewarded: int
    n_off_policy: int


def keep_on_policy(sums: Sequence[UnitSum], *, decided: str | None, control: str) -> list[VariantSum]:
    """Keep what the policy would have done, and count the rest.

    In the pilot everything was sent as recorded. Afterwards a unit of the rest tells something only when its recorded
    variant is the decided one, a held-back unit only when it is the control, and both only from the decision on.
    Because the recorded variants were drawn at random, the units that agree stand for all.

    Args:
        sums: by phase, variant and whether the decision was in force.
        decided: what the rest gets; None while nothing is decided.
        control: what held-back units get.

    Returns:
        one row per phase and variant, sorted; n_units is the same with every policy.

    Source: rejection-sampling replay, Li, Chu, Langford and Wang 2011, algorithm 2.
    """
    kept: dict[tuple[str, str], list[int]] = {}
    for part in sums:
        policy = control if part.phase == HOLDBACK else decided
        is_kept = part.phase == PILOT or (part.is_after_decision and decided is not None and part.variant == policy)
        total = kept.setdefault((part.phase, part.variant), [0, 0, 0, 0])
        total[0] += part.n_units
        if is_kept:
            total[1] += part.n_mature
            total[2] += part.n_rewarded
        else:
            total[3] += part.n_units
    return [VariantSum(phase, variant, *total) for (phase, variant), total in sorted(kept.items())]
