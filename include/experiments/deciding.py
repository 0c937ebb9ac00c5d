"""What follows from the checks and the posterior: wait, stop, send the winner, or send the control.

What belongs here: the rule. What does not: reading sums, and writing the decision down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from include.experiments.checks import MATURITY, SAMPLE_RATIO, Check
from include.experiments.posteriors import Posterior

WAIT = "wait"
BLOCKED = "blocked"
WINNER = "winner"
NO_WINNER = "no_winner"


@dataclass(frozen=True)
class Decision:
    """What was decided after a window; columns of `core.experiment_decision`.

    Attributes:
        outcome: wait, blocked, winner or no_winner.
        variant: what the rest gets, the control when nobody won; None while nothing is decided.
        best_probability, expected_loss_ratio: of the front runner, also when it did not win; None while undecided.
        is_final: whether the decision is taken.
        reason: why, in one sentence.
    """

    outcome: str
    variant: str | None
    best_probability: float | None
    expected_loss_ratio: float | None
    is_final: bool
    reason: str


def decide(
    checks: Sequence[Check],
    posteriors: Mapping[str, Posterior],
    *,
    is_pilot_over: bool,
    control: str,
    decide_at_probability: float,
) -> Decision:
    """Decide once, when the whole pilot has answered: nobody peeks, so no look can be a lucky one.

    Args:
        checks: every check, with its number.
        posteriors: per variant, at least the control.
        is_pilot_over: whether the pilot's last window has passed.
        control: what is sent when nobody wins.
        decide_at_probability: a winner is the best with at least this probability, 0..1.

    Returns:
        blocked when the sample ratio is wrong, or the mature pilot is too small; wait while the pilot runs or is not
        mature; else a final winner (which may be the control) or no_winner.

    Source: ours; a fixed-horizon Bayesian test.
    """
    failed = {check.check_name: check for check in checks if not check.is_pass}
    # A wrong sample ratio is worth a stop at once; everything else may only be too early.
    if SAMPLE_RATIO in failed:
        return _undecided(BLOCKED, failed[SAMPLE_RATIO].detail)
    if not is_pilot_over:
        return _undecided(WAIT, "The pilot is still running.")
    if MATURITY in failed:
        return _undecided(WAIT, failed[MATURITY].detail)
    if failed:
        return _undecided(BLOCKED, " ".join(check.detail for check in failed.values()))
    best = max(posteriors, key=lambda name: posteriors[name].best_probability)
    return _choose(best, posteriors[best], control, decide_at_probability)


def _choose(best: str, posterior: Posterior, control: str, decide_at_probability: float) -> Decision:
    """Take the final decision between the front runner and the control."""
    is_won = posterior.best_probability >= decide_at_probability
    odds = (
        f"{best!r} is the best with probability {_spell(posterior.best_probability)} "
        f"({decide_at_probability:g} is needed) and expected loss {posterior.expected_loss_ratio:.2g}"
    )
    return Decision(
        outcome=WINNER if is_won else NO_WINNER,
        variant=best if is_won else control,
        best_probability=posterior.best_probability,
        expected_loss_ratio=posterior.expected_loss_ratio,
        is_final=True,
        reason=f"{odds}." if is_won else f"Only {odds}, so everybody gets the control {control!r}.",
    )


def _spell(probability: float) -> str:
    """Write a probability so that near certainty does not read as certainty."""
    return "above 0.9999" if probability > 0.9999 else f"{probability:.4f}"


def _undecided(outcome: str, reason: str) -> Decision:
    """Leave everything as it is."""
    return Decision(outcome, None, None, None, False, reason)
