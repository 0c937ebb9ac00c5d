"""What follows from the checks: wait, stop, send a variant, or keep the control; and what may be claimed of it.

What belongs here: the rule. What does not: which variant loses least (`sending.py`), what is shown (`comparison.py`),
reading sums, and writing the decision down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from include.experiments.checks import MATURITY, SAMPLE_RATIO, Check
from include.experiments.comparison import BETTER, Comparison
from include.experiments.exclusions import EXCLUSIONS
from include.experiments.posteriors import Posterior
from include.experiments.sending import Choice

WAIT = "wait"
BLOCKED = "blocked"
SEND = "send"
KEEP_CONTROL = "keep_control"
ASK = "ask"


@dataclass(frozen=True)
class Decision:
    """What was decided after a window; columns of `core.experiment_decision`.

    Attributes:
        outcome: wait, blocked, ask (a person says what is sent), send or keep_control.
        variant: what the rest gets; None while nothing is decided.
        best_probability: that its rate is the highest of all, 0..1; None while undecided.
        expected_loss_ratio: what sending it loses per unit on average against the best, in rewards, or in money where
            the file gives a price; None while undecided.
        is_final: whether the decision is taken.
        reason: why, in one sentence.
        is_claimed: whether it is shown to beat the control; None while undecided.
        claim: what is shown of all variants, in one sentence; None while undecided.
        asked_variant: what a person is asked about; None elsewhere.
        record_sha256: name of the record that the question is about, 64 hexadecimal digits; None elsewhere.
    """

    outcome: str
    variant: str | None
    best_probability: float | None
    expected_loss_ratio: float | None
    is_final: bool
    reason: str
    is_claimed: bool | None = None
    claim: str | None = None
    asked_variant: str | None = None
    record_sha256: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What the mature pilot says, from which a decision is taken.

    Attributes:
        posteriors, compared: per variant.
        choice: what loses least.
        claim: what is shown, in one sentence.
    """

    posteriors: Mapping[str, Posterior]
    compared: Mapping[str, Comparison]
    choice: Choice
    claim: str


def decide(
    checks: Sequence[Check],
    evidence: Evidence | None,
    *,
    is_pilot_over: bool,
    control: str,
    asks_about_ties: bool = False,
) -> Decision:
    """Decide once, when the whole pilot has answered: nobody peeks, so no look can be a lucky one.

    Sending and claiming are two questions. What is sent is what loses least, proven or not: one of the variants has to
    be sent. What is claimed needs proof, and may be less, or more, than what is sent.

    Args:
        checks: every check, with its number.
        evidence: what the pilot says; None while a variant has no mature unit.
        is_pilot_over: whether the pilot's last window has passed.
        control: what the others are compared with.
        asks_about_ties: whether a person says what is sent where the best is practically as good as the control.

    Returns:
        blocked when the sample ratio is wrong, too much was left out, or the mature pilot is too small; wait while the
        pilot runs or is not mature; ask where a person has to say; else a final send or keep_control.
    """
    failed = {check.check_name: check for check in checks if not check.is_pass}
    # A wrong sample ratio, or much left out, is worth a stop at once; everything else may only be too early.
    broken = [failed[name].detail for name in (SAMPLE_RATIO, EXCLUSIONS) if name in failed]
    if broken:
        return _undecided(BLOCKED, " ".join(broken))
    if not is_pilot_over:
        return _undecided(WAIT, "The pilot is still running.")
    if MATURITY in failed:
        return _undecided(WAIT, failed[MATURITY].detail)
    if failed or evidence is None:
        return _undecided(BLOCKED, " ".join(check.detail for check in failed.values()) or "A variant has no unit.")
    if evidence.choice.is_tie and asks_about_ties:
        return _ask(evidence, control)
    return _send(evidence, control)


def wait_while_paused(since: datetime) -> Decision:
    """Decide nothing while an experiment is paused: who is not sent anything brings no evidence either.

    Args:
        since: when the pause began.
    """
    reason = f"Paused since {since:%Y-%m-%d %H:%M} UTC by the file: nobody is sent anything, and nothing is decided."
    return _undecided(WAIT, reason)


def settle_tie(evidence: Evidence, control: str, *, is_approved: bool, told: str) -> Decision:
    """Take the final decision that a person was asked for.

    Args:
        evidence: what the question was about; its choice is the variant that looks best.
        control: what is kept where the answer is no.
        is_approved: whether what looks best is sent.
        told: who said so, in a sentence.
    """
    variant = evidence.choice.variant if is_approved else control
    chosen = replace(evidence, choice=replace(evidence.choice, variant=variant))
    decision = _send(chosen, control)
    return replace(decision, reason=f"{decision.reason} {told}")


def _ask(evidence: Evidence, control: str) -> Decision:
    """Leave it to a person which of two that are practically alike is sent."""
    best, losses = evidence.choice.variant, evidence.choice.losses
    reason = (
        f"{best!r} looks best and is practically as good as the control {control!r}: a person is asked which is sent. "
        f"{best!r} loses {losses[best]:.2g} a unit against the best, the control {losses[control]:.2g}."
    )
    return replace(_undecided(ASK, reason), claim=evidence.claim, asked_variant=best)


def _send(evidence: Evidence, control: str) -> Decision:
    """Take the final decision."""
    sent, losses = evidence.choice.variant, evidence.choice.losses
    is_kept = sent == control
    posterior = evidence.posteriors[sent]
    odds = f"the best with probability {_spell(posterior.best_probability)}"
    loss = f"{losses[sent]:.2g} a unit against the best"
    if evidence.choice.is_tie:
        which = f"the control {control!r} is kept" if is_kept else f"{sent!r} is sent"
        reason = f"What looks best is practically as good as the control: {which}; it loses {loss}."
    elif is_kept:
        reason = f"The control {control!r} is kept: it loses least, {loss}, and is {odds}."
    else:
        control_loss = f"the control {control!r} {losses[control]:.2g}"
        reason = f"{sent!r} is sent: it loses least, {loss} ({control_loss}), and is {odds}."
    return Decision(
        outcome=KEEP_CONTROL if is_kept else SEND,
        variant=sent,
        best_probability=posterior.best_probability,
        expected_loss_ratio=losses[sent],
        is_final=True,
        reason=reason,
        is_claimed=evidence.compared[sent].verdict == BETTER,
        claim=evidence.claim,
    )


def _spell(probability: float) -> str:
    """Write a probability so that near certainty does not read as certainty."""
    return "above 0.9999" if probability > 0.9999 else f"{probability:.4f}"


def _undecided(outcome: str, reason: str) -> Decision:
    """Leave everything as it is."""
    return Decision(outcome, None, None, None, False, reason)
