import pytest

from include.experiments.checks import Check
from include.experiments.comparison import Comparison
from include.experiments.decision import Evidence, decide, settle_tie
from include.experiments.posteriors import Posterior
from include.experiments.sending import Choice


def make_checks(*failed: str) -> list[Check]:
    names = ("sample_ratio", "exclusions", "maturity", "minimum_units", "minimum_rewards")
    return [Check(name, name not in failed, 0.5, 1.0, f"About {name}.") for name in names]


def make_evidence(
    sent: str = "large", probability: float = 0.97, *, is_tie: bool = False, verdict="better"
) -> Evidence:
    return Evidence(
        posteriors={name: Posterior(100, 30, 0.3, 0.2, 0.4, probability, 0.1) for name in ("none", "large")},
        compared={"none": Comparison("control"), "large": Comparison(verdict)},
        choice=Choice(sent, {"none": 0.2, "large": 0.01}, is_tie),
        claim="'large' beats the control 'none'.",
    )


def choose(*failed: str, is_pilot_over: bool = True, **evidence):
    return decide(make_checks(*failed), make_evidence(**evidence), is_pilot_over=is_pilot_over, control="none")


def test_what_loses_least_is_sent_and_what_is_shown_is_claimed():
    decision = choose()
    assert (decision.outcome, decision.variant, decision.is_final, decision.is_claimed) == ("send", "large", True, True)
    assert (decision.best_probability, decision.expected_loss_ratio) == (0.97, 0.01)
    assert decision.reason == (
        "'large' is sent: it loses least, 0.01 a unit against the best (the control 'none' 0.2), "
        "and is the best with probability 0.9700."
    )
    assert decision.claim == "'large' beats the control 'none'."


def test_what_is_sent_need_not_be_proven():
    decision = choose(verdict="unclear", probability=0.6)
    assert (decision.outcome, decision.variant, decision.is_claimed) == ("send", "large", False)


def test_a_control_that_loses_least_is_kept_and_claims_nothing_of_itself():
    decision = choose(sent="none")
    assert (decision.outcome, decision.variant, decision.is_final) == ("keep_control", "none", True)
    assert decision.is_claimed is False
    assert "The control 'none' is kept: it loses least, 0.2" in decision.reason


def test_what_is_practically_as_good_is_said_to_be():
    assert "practically as good as the control: the control 'none' is kept" in choose(sent="none", is_tie=True).reason
    assert "practically as good as the control: 'large' is sent" in choose(is_tie=True).reason


def test_near_certainty_does_not_read_as_certainty():
    assert "above 0.9999" in choose(probability=0.99999).reason


@pytest.mark.parametrize(
    ("failed", "is_pilot_over", "outcome"),
    [
        ((), False, "wait"),
        (("maturity", "minimum_units"), False, "wait"),
        (("maturity",), True, "wait"),
        (("maturity", "minimum_units"), True, "wait"),
        (("minimum_units",), True, "blocked"),
        (("minimum_rewards",), True, "blocked"),
        (("sample_ratio",), True, "blocked"),
        (("exclusions", "maturity"), False, "blocked"),
        (("sample_ratio", "maturity"), False, "blocked"),
    ],
)
def test_what_is_too_early_waits_and_what_is_wrong_blocks(failed, is_pilot_over, outcome):
    decision = choose(*failed, is_pilot_over=is_pilot_over)
    assert (decision.outcome, decision.variant, decision.is_final) == (outcome, None, False)
    assert (decision.best_probability, decision.is_claimed, decision.claim) == (None, None, None)


def test_a_block_says_which_checks_failed():
    assert choose("minimum_units").reason == "About minimum_units."
    assert choose("sample_ratio", "exclusions").reason == "About sample_ratio. About exclusions."


def test_without_evidence_nothing_is_decided():
    assert decide(make_checks(), None, is_pilot_over=True, control="none").outcome == "blocked"


def test_where_the_file_asks_a_person_a_tie_is_no_decision_yet():
    decision = decide(
        make_checks(), make_evidence(is_tie=True), is_pilot_over=True, control="none", asks_about_ties=True
    )
    assert (decision.outcome, decision.variant, decision.is_final) == ("ask", None, False)
    assert decision.asked_variant == "large"
    assert "practically as good as the control 'none': a person is asked which is sent" in decision.reason


@pytest.mark.parametrize("is_tie", [True, False])
def test_a_person_is_asked_about_ties_alone_and_only_when_nothing_holds(is_tie):
    def ask(*failed):
        evidence = make_evidence(is_tie=is_tie)
        return decide(make_checks(*failed), evidence, is_pilot_over=True, control="none", asks_about_ties=True).outcome

    assert ask() == ("ask" if is_tie else "send")
    assert (ask("sample_ratio"), ask("maturity"), ask("minimum_units")) == ("blocked", "wait", "blocked")


@pytest.mark.parametrize(
    ("is_approved", "end"), [(True, ("send", "large", True)), (False, ("keep_control", "none", False))]
)
def test_what_a_person_says_of_a_tie_is_final(is_approved, end):
    decision = settle_tie(make_evidence(is_tie=True), "none", is_approved=is_approved, told="ada said so.")
    assert (decision.outcome, decision.variant, decision.is_claimed) == end
    assert decision.is_final
    assert decision.reason.endswith("ada said so.")
