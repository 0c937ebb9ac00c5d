"""Which recorded units tell what a decision did, when the log was made before the decision.

What belongs here: keeping the sums that agree with the policy. What does not: making sums of rows (`rewards.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from include.experiments.rewards import HOLDBACK, PILOT, WAVE, ClusterSum, UnitSum
from include.stats.clustered_ratio import ratio_design_effect


@dataclass(frozen=True)
class VariantSum:
    """Running sums of one phase and variant; the columns of `core.variant_sum`.

    Attributes:
        n_units: units exposed.
        n_mature, n_rewarded: of the units that agree with the policy.
        n_off_policy: units that do not; counted, never used. At most n_units.
        clusters: sums over the clusters of all units in the pilot, later of those that agree; None without clusters.
    """

    phase: str
    variant: str
    n_units: int
    n_mature: int
    n_rewarded: int
    n_off_policy: int
    clusters: ClusterSum | None = None

    @property
    def n_drawn(self) -> int:
        """What was drawn by chance: clusters, or units where each was drawn by itself."""
        return self.n_units if self.clusters is None else self.clusters.n_clusters

    @property
    def design_effect(self) -> float:
        """How many times the variance of the rate is that of units drawn one by one; 1 without mature clusters."""
        if self.clusters is None or not self.n_mature:
            return 1.0
        sums = self.clusters
        return ratio_design_effect(
            sums.n_mature_clusters,
            self.n_mature,
            self.n_rewarded,
            sums.sum_mature_squares,
            sums.sum_mature_rewarded,
            sums.sum_rewarded_squares,
        )


def keep_on_policy(sums: Sequence[UnitSum], *, decided: str | None, control: str) -> list[VariantSum]:
    """Keep what the policy would have done, and count the rest.

    In the pilot everything was sent as recorded; a unit of a wave counts when its variant is the one that the wave's
    shares gave to its place. Afterwards a unit of the rest tells something only when its recorded variant is the
    decided one, a held-back unit only when it is the control, and both only from the decision on. Because the recorded
    variants were drawn at random, the units that agree stand for all.

    Args:
        sums: by phase, variant and whether the decision was in force.
        decided: what the rest gets; None while nothing is decided.
        control: what held-back units get.

    Returns:
        one row per phase and variant, sorted; n_units is the same with every policy.

    Source: off-policy replay by rejection sampling, Li, Chu, Langford and Wang 2011, algorithm 2.
    """
    kept: dict[tuple[str, str], list[int]] = {}
    clusters: dict[tuple[str, str], ClusterSum] = {}
    for part in sums:
        policy = control if part.phase == HOLDBACK else decided
        is_decided = part.is_after_decision and decided is not None and part.variant == policy
        is_kept = is_decided if part.phase not in (PILOT, WAVE) else part.phase == PILOT or part.is_after_decision
        total = kept.setdefault((part.phase, part.variant), [0, 0, 0, 0])
        total[0] += part.n_units
        if is_kept:
            total[1] += part.n_mature
            total[2] += part.n_rewarded
            if part.clusters is not None:
                key = (part.phase, part.variant)
                clusters[key] = clusters[key] + part.clusters if key in clusters else part.clusters
        else:
            total[3] += part.n_units
    return [
        VariantSum(*place, units, mature, rewarded, off_policy, clusters.get(place))
        for place, (units, mature, rewarded, off_policy) in sorted(kept.items())
    ]
