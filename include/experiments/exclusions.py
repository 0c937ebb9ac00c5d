"""What the log of an experiment holds and no sum counts: how much of it there is, and where.

What belongs here: counts by reason, variant and day in, one check out. What does not: finding them (`rewards.py`).
"""

from collections import Counter
from collections.abc import Sequence

from include.experiments.checks import Check
from include.experiments.participation import BEFORE_START, REASONS
from include.experiments.rewards import COUNTED_REWARD, NAMELESS, Exclusion

EXCLUSIONS = "exclusions"
N_NAMED = 3

_OF_UNITS = ("exposure_to_unknown_variant", "unit_in_two_variants")
_EARLY = "reward_before_exposure"
# What each reason mostly comes from, and so where to look first.
_ADVICE = {
    "exposure_to_unknown_variant": "was a variant renamed, or is it written otherwise in the log than in the file?",
    "unit_in_two_variants": "does the sender draw the variant anew for each message, or do people share an id?",
    NAMELESS: "which source writes records without an id?",
    _EARLY: "do the clocks of sender and receiver agree, or is an exposure logged only when it is over?",
}


def check_exclusions(n_units: int, left_out: Sequence[Exclusion], limit: float) -> Check:
    """Ask whether so much was left out that what is left may not stand for all.

    Units that cannot be counted are compared with all units; rewards stamped before their unit's exposure with all
    rewards of counted units that came in time or too early. Rewards of people whom nobody exposed, and rewards after
    the attribution window, are life, and are counted without being held against anybody. So are units that the file
    itself leaves to others (another slice of the layer, its holdout, who is not eligible, another time): which they are
    does not depend on their variant. They are told, with how many. Whose a row without a unit is nobody knows: of those
    of the log as large a part is taken for the experiment's as it has of the units.

    Args:
        n_units: units that are counted.
        left_out: what was not, beside the rewards that count.
        limit: 0..1; a larger share holds the decision.

    Returns:
        its value is the larger of the two shares.
    """
    by_reason: Counter[str] = Counter()
    for part in left_out:
        by_reason[part.reason] += part.n_rows
    n_known = n_units + sum(by_reason[reason] for reason in _OF_UNITS)
    n_others = sum(by_reason[reason] for reason in REASONS if reason != BEFORE_START)
    nameless = by_reason[NAMELESS] * (n_known / (n_known + n_others) if n_others else 1.0)
    bad, n_all = n_known - n_units + nameless, n_known + nameless
    n_early, n_rewards = by_reason[_EARLY], by_reason[_EARLY] + by_reason[COUNTED_REWARD]
    share = max(bad / n_all if bad else 0.0, n_early / n_rewards if n_early else 0.0)
    reasons = [reason for reason, _ in by_reason.most_common() if reason in _ADVICE and by_reason[reason]]
    detail = (
        f"{bad:,.0f} of {n_all:,.0f} units cannot be counted, and {n_early:,} of {n_rewards:,} rewards came "
        f"before their exposure: {100 * share:.2g} of 100, allowed are {100 * limit:g}."
    )
    if nameless < by_reason[NAMELESS]:
        detail += f" Of {by_reason[NAMELESS]:,} records without a unit, {nameless:,.3g} are taken for its own."
    by_file = ", ".join(f"{reason} {by_reason[reason]:,}" for reason in REASONS if by_reason[reason])
    by_file = f" Left out by the file: {by_file}." if by_file else ""
    if not reasons:
        return Check(EXCLUSIONS, True, 0.0, limit, f"Nothing that should count was left out.{by_file}")
    spread = " ".join(f"{reason}: {_spell(reason, left_out)};" for reason in reasons)
    advice = " ".join(f"{reason}: {_ADVICE[reason]}" for reason in reasons)
    return Check(EXCLUSIONS, share <= limit, share, limit, f"{detail} {spread.rstrip(';')}.{by_file}", advice)


def _spell(reason: str, left_out: Sequence[Exclusion]) -> str:
    """Name the variants and days that one reason concerns most; quotes show what hides in a name."""
    parts = [part for part in left_out if part.reason == reason]
    words = []
    for kind in ("variant", "seen_on"):
        counted: Counter[str] = Counter()
        for part in parts:
            counted[getattr(part, kind)] += part.n_rows
        names = [(repr(name) if kind == "variant" else name, n) for name, n in counted.most_common(N_NAMED)]
        shown = [f"{name} {n:,}" for name, n in names]
        rest = f" and {len(counted) - N_NAMED} more" if len(counted) > N_NAMED else ""
        words.append(", ".join(shown) + rest)
    return f"{words[0]} (on {words[1]})"
