"""How often a person is right when nobody knows what is right, and whether they look at the items at all.

What belongs here: answers and the truth inferred from all of them in, figures about people out. What does not: the
inference (`stats/truth_inference.py`), and what becomes of a person (review room).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln
from scipy.stats import beta

from include.stats.truth_inference import Answers, Floats, Truth

# Somebody who reads, for the test: four fifths as telling as people in general.
READS_AS_WELL = 0.8
# Evidence of 100 to 1 against reading: a reader is named so once in 100 people at most, however long they answer.
ENOUGH_EVIDENCE = 100.0
FEWEST_ANSWERS = 20  # before that nobody is judged


@dataclass(frozen=True)
class Quality:
    """How people answer, one entry for each.

    Attributes:
        n_shared: shape (n_people,): answers to items that somebody else answered too.
        right: the estimated share of right answers among them, 0..1; NaN without one.
        low, high: its 95 % interval.
        evidence: how much likelier their answers are if they never looked than if they read; above 0. Of who always
            says the same, against people of typical habits where that is more.
        same: share of their most frequent answer, 0..1.
    """

    n_shared: NDArray[np.int64]
    right: Floats
    low: Floats
    high: Floats
    evidence: Floats
    same: Floats

    @property
    def reads_nothing(self) -> NDArray[np.bool_]:
        """Say of whom the evidence is enough."""
        return (self.n_shared >= FEWEST_ANSWERS) & (self.evidence >= ENOUGH_EVIDENCE)


def measure_quality(answers: Answers, truth: Truth) -> Quality:
    """Measure every person against what the others' answers make of the items they share.

    A person's own answer never speaks for itself: it is compared with the item as all others leave it.

    Returns:
        figures of all people; of who shares no item the share is NaN and the evidence 1.

    Source: ours. The share is corrected for others who err: who is always right agrees with the others' most likely
    class as often as that is right. The evidence is an e-value (Ville 1939; Ramdas et al. 2023): a person's own habits,
    learned as they go (Krichevsky and Trofimov 1981), against a reader's.
    """
    n_people, n_classes = answers.n_people, answers.n_classes
    n_of_item = np.bincount(answers.item, minlength=answers.n_items)
    is_shared = n_of_item[answers.item] > 1
    person, label = answers.person[is_shared], answers.label[is_shared]
    others = truth.others[is_shared]
    n_shared = np.bincount(person, minlength=n_people)
    right, low, high = _share_right(person, others, label, n_people)
    given = np.bincount(person * n_classes + label, minlength=n_people * n_classes).reshape(n_people, n_classes)
    most = given.max(axis=1)
    evidence = _evidence(person, label, others, truth.typical, given)
    is_constant = (most == n_shared) & (n_shared > 0)
    constancy = _constancy(person, label, others, truth.typical, n_people)
    evidence = np.where(is_constant, np.maximum(evidence, constancy), evidence)
    return Quality(
        n_shared.astype(np.int64),
        right,
        low,
        high,
        evidence,
        np.divide(most, n_shared, out=np.full(n_people, np.nan), where=n_shared > 0),
    )


def _share_right(
    person: NDArray[np.intp], others: Floats, label: NDArray[np.intp], n_people: int
) -> tuple[Floats, Floats, Floats]:
    """Solve for the share of right answers with its interval.

    Where the others' likeliest class is right with probability q, somebody who is right with probability a says it with
    probability a q + (1 - a)(1 - q) / (k - 1): a line in a, so the share of agreement is turned into a by it.
    """
    k = others.shape[1]
    floor = (1 - others.max(axis=1)) / (k - 1)
    slope = others.max(axis=1) - floor
    weight = np.bincount(person, weights=slope**2, minlength=n_people)
    agreed = np.bincount(person, weights=slope * ((label == others.argmax(axis=1)) - floor), minlength=n_people)
    is_known = weight > 0
    right = np.clip(np.divide(agreed, weight, out=np.full(n_people, np.nan), where=is_known), 0.0, 1.0)
    # Nobody is surely always right: half an answer more on either side.
    near = (right * weight + 0.5) / (weight + 1.0)
    agrees = near[person] * slope + floor
    spread = np.bincount(person, weights=slope**2 * agrees * (1 - agrees), minlength=n_people)
    # As many answers about a known truth would say as much.
    n_whole = np.divide(near * (1 - near) * weight**2, spread, out=np.full(n_people, np.nan), where=is_known)
    low = beta.ppf(0.025, n_whole * right + 0.5, n_whole * (1 - right) + 0.5)
    high = beta.ppf(0.975, n_whole * right + 0.5, n_whole * (1 - right) + 0.5)
    return right, np.minimum(low, right), np.maximum(high, right)


def _evidence(
    person: NDArray[np.intp],
    label: NDArray[np.intp],
    others: Floats,
    typical: Floats,
    given: NDArray[np.intp],
) -> Floats:
    """Compare, for each person, answers that follow their habits alone with those of a reader of the same habits."""
    n_people, k = given.shape
    share = max(0.0, float((np.trace(typical) - 1) / (k - 1))) * READS_AS_WELL
    n_of = given.sum(axis=1)
    habits = (given + 0.5) / (n_of + 0.5 * k)[:, np.newaxis]
    reads = share * others[np.arange(len(label)), label] + (1 - share) * habits[person, label]
    read = np.bincount(person, weights=np.log(reads), minlength=n_people)
    return np.exp(np.clip(_log_habits(given) - read, -700.0, 700.0))


def _constancy(
    person: NDArray[np.intp], label: NDArray[np.intp], others: Floats, typical: Floats, n_people: int
) -> Floats:
    """Say how much likelier each person's answers are if they always say one class than if they were typical."""
    k = typical.shape[0]
    usual = (others @ typical)[np.arange(len(label)), label]
    log = -np.bincount(person, weights=np.log(usual), minlength=n_people) - np.log(k)
    odds: Floats = np.exp(np.clip(log, -700.0, 700.0))
    return odds


def _log_habits(given: NDArray[np.intp]) -> Floats:
    """Say how likely answers are that follow an even die, or else habits that are learned from answer to answer."""
    k = given.shape[1]
    n_of = given.sum(axis=1)
    own = (gammaln(given + 0.5) - gammaln(0.5)).sum(axis=1) - gammaln(n_of + 0.5 * k) + gammaln(0.5 * k)
    log: Floats = np.logaddexp(own, -n_of * np.log(k)) - np.log(2)
    return log
