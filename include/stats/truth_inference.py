"""What is true of items that several people answered, when some people are more often right than others.

What belongs here: answers in, probabilities of each class out, and what one more answer would be worth. What does not:
how good a person is (`stats/answer_quality.py`), and what becomes of a label (learning and review rooms).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from include.errors import MulgilError

# Before anything is known: people are right in 7 of 10 answers, worth 100 answers of all and 16 of each person. A
# person of few answers is taken for a typical one; only who has given dozens is weighed by what they alone did.
TYPICAL_RIGHT, TYPICAL_ANSWERS, PERSON_ANSWERS = 0.7, 100.0, 16.0
# Before anything is known all classes are as many, worth ten items.
SHARE_ANSWERS = 10.0
MOST_ROUNDS, TOLERANCE = 200, 1e-4
# The count of heads stands unless quality makes another class three to one.
SURE = 0.75
MODEL_WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Answers:
    """Who said what of which item, as indices from 0; one entry for each item and person.

    Attributes:
        item, person, label: shape (n_answers,).
        n_items, n_people, n_classes: how many there are, answered or not.
    """

    item: Indices
    person: Indices
    label: Indices
    n_items: int
    n_people: int
    n_classes: int

    def count_votes(self) -> Floats:
        """Count the people who gave each item each class; shape (n_items, n_classes)."""
        place = self.item * self.n_classes + self.label
        return np.bincount(place, minlength=self.n_items * self.n_classes).reshape(-1, self.n_classes).astype(float)


@dataclass(frozen=True)
class Truth:
    """What people's answers say of items and of people.

    Attributes:
        posterior: shape (n_items, n_classes): the probability of each class, rows sum to 1; all classes count alike
            before an item is answered.
        by_share: the same where a class counts, before, by how many items are of it as far as is known.
        confusion: shape (n_people, n_classes, n_classes): how often a person gives (last axis) what is true (middle).
        typical: shape (n_classes, n_classes): the same of people in general.
        others: shape (n_answers, n_classes): what the item is, by everybody's answers but this one.
        n_rounds: of the algorithm.
        has_converged: whether the last round moved no probability by 0.0001.
        model_weight: of the model's view of items, 0..1; 0 without one.
    """

    posterior: Floats
    by_share: Floats
    confusion: Floats
    typical: Floats
    others: Floats
    n_rounds: int
    has_converged: bool
    model_weight: float


def infer_truth(answers: Answers, model: Floats | None = None) -> Truth:
    """Find what is true of items and how often each person is right about it, each from the other.

    How many items are of a class is not known: which items are asked is no sample, and a share of classes learned
    beside the people lets one class swallow all others where they agree little; where all classes count alike, one
    false alarm in forty makes a single voice for a rare class beat two against it. So both are inferred, and
    `settle` believes what both say. People of few answers are drawn to what is typical, and that to 7 right answers
    in 10.

    Args:
        answers: one for each item and person.
        model: shape (n_items, n_classes): probabilities of a model that was not fitted on these answers. It counts as
            one more voice, of the weight under which the answers are most likely; by itself it settles nothing.

    Returns:
        the truth as far as it is known; an item without an answer has the model's view, or all classes alike.

    Raises:
        MulgilError: there are fewer than two classes, or the model speaks of other items or classes.

    Source: Dawid and Skene 1979, with the hierarchy of Paun et al. 2018, section 3.4, and a classifier as the prior of
    an item as in Raykar et al. 2010; CROWDLAB (Goh et al. 2022) weighs the model likewise.
    """
    shape = (answers.n_items, answers.n_classes)
    if answers.n_classes < 2 or (model is not None and model.shape != shape):
        raise MulgilError(
            f"Truth is inferred between two classes and more for {shape} items and classes; the model has "
            f"{None if model is None else model.shape}. Give it one row for each item, one column for each class."
        )
    if model is None:
        found = _alternate(answers, np.zeros(shape), 0.0)[0]
        return replace(found, by_share=_alternate(answers, np.zeros(shape), 0.0, is_share_learned=True)[0].posterior)
    view = np.log(np.clip(model, 1e-6, 1.0))
    tried = [_alternate(answers, view * weight, weight) for weight in MODEL_WEIGHTS]
    # A model that calls everything by another's name would make people wrong: what they name stays evidence for it.
    own = np.arange(answers.n_classes)
    kept = [one for one in tried if one[0].model_weight == 0 or (one[0].typical.argmax(axis=0) == own).all()]
    found = max(kept, key=lambda one: one[1])[0]
    weight = found.model_weight
    return replace(found, by_share=_alternate(answers, view * weight, weight, is_share_learned=True)[0].posterior)


def index_answers(
    items: Sequence[str], people: Sequence[str], labels: Sequence[str], classes: Sequence[str]
) -> tuple[Answers, list[str], list[str]]:
    """Number the items, people and classes of answers, one for each item and person.

    Returns:
        the answers; the names of items and of people, sorted, as they are numbered.

    Raises:
        KeyError: a label is not among the classes.
    """
    place = {label: index for index, label in enumerate(classes)}
    item_names, item = np.unique(np.asarray(items, dtype=object).astype(str), return_inverse=True)
    person_names, person = np.unique(np.asarray(people, dtype=object).astype(str), return_inverse=True)
    label = np.array([place[one] for one in labels], dtype=np.intp)
    answers = Answers(item, person, label, len(item_names), len(person_names), len(classes))
    return answers, item_names.tolist(), person_names.tolist()


def settle(answers: Answers, truth: Truth) -> tuple[Indices, Floats]:
    """Give each item the class that most people gave it, unless quality is sure of another one that somebody gave.

    Quality is sure where it is so whether classes count alike before an item is answered or by their share.

    Returns:
        shape (n_items,): the class, -1 where nobody can say; and its probability by the share of classes, 0..1 (of the
        most likely class where nothing is settled).
    """
    votes = answers.count_votes()
    most = votes.max(axis=1, keepdims=True)
    is_most = (votes == most) & (votes > 0)
    counted = np.where(is_most.sum(axis=1) == 1, is_most.argmax(axis=1), -1)
    likely = truth.by_share.argmax(axis=1)
    rows = np.arange(len(votes))
    surely = np.minimum(truth.posterior, truth.by_share)[rows, likely]
    label = np.where((surely >= SURE) & (votes[rows, likely] > 0), likely, counted)
    return label, truth.by_share[rows, np.where(label >= 0, label, likely)]


def settle_items(
    items: Sequence[str], people: Sequence[str], labels: Sequence[str], classes: Sequence[str]
) -> dict[str, int]:
    """Say of each item the place of the class that it is settled as, -1 where nobody can say.

    Args:
        items, people, labels: one of each for every item and person.
        classes: two and more.

    Raises:
        KeyError: a label is not among the classes.
    """
    numbered, names, _ = index_answers(items, people, labels, classes)
    places, _ = settle(numbered, infer_truth(numbered))
    return dict(zip(names, places.tolist(), strict=True))


def gain_of_asking(posterior: Floats, typical: Floats) -> Floats:
    """Say how much surer one more typical answer is expected to make each item.

    Args:
        posterior: shape (n_items, n_classes).
        typical: shape (n_classes, n_classes), as of `Truth`.

    Returns:
        shape (n_items,): the expected fall of the chance that the most likely class is wrong, 0..1.

    Source: one step of value of information; Sheng, Provost and Ipeirotis 2008 ask likewise where labels are unsure.
    """
    joint = posterior[:, :, np.newaxis] * typical[np.newaxis]
    gain: Floats = joint.max(axis=1).sum(axis=1) - posterior.max(axis=1)
    return np.maximum(gain, 0.0)


def _alternate(
    answers: Answers, prior: Floats, weight: float, *, is_share_learned: bool = False
) -> tuple[Truth, float]:
    """Learn people from items and items from people in turn; give also the logarithm of how likely the answers are."""
    posterior = _normalise(answers.count_votes() * np.exp(prior) + 1e-12)
    log_prior = prior - np.log(np.exp(prior).sum(axis=1, keepdims=True))
    # An item that one person alone answered would only say that they agree with themselves; a model is somebody else.
    is_telling = (np.bincount(answers.item, minlength=answers.n_items)[answers.item] > 1) | (weight > 0)
    n_rounds, moved, likelihood = 0, np.inf, -np.inf
    typical, confusion = _learn_people(answers, posterior, is_telling)
    said = np.zeros((len(answers.item), answers.n_classes))
    while n_rounds < MOST_ROUNDS and moved >= TOLERANCE:
        if is_share_learned:
            share = posterior.sum(axis=0) + SHARE_ANSWERS / answers.n_classes
            weighed = prior + np.log(share / share.sum())
            log_prior = weighed - np.log(np.exp(weighed).sum(axis=1, keepdims=True))
        said = np.log(confusion)[answers.person, :, answers.label]
        evidence = log_prior + _sum_by_item(answers, said)
        highest = evidence.max(axis=1, keepdims=True)
        total = np.exp(evidence - highest).sum(axis=1, keepdims=True)
        likelihood = float((highest + np.log(total)).sum())
        renewed = np.exp(evidence - highest) / total
        moved, posterior = float(np.abs(renewed - posterior).max(initial=0.0)), renewed
        typical, confusion = _learn_people(answers, posterior, is_telling)
        n_rounds += 1
    evidence = (log_prior + _sum_by_item(answers, said))[answers.item] - said
    others = _normalise(np.exp(evidence - evidence.max(axis=1, keepdims=True, initial=-np.inf)))
    return Truth(posterior, posterior, confusion, typical, others, n_rounds, moved < TOLERANCE, weight), likelihood


def _learn_people(answers: Answers, posterior: Floats, is_telling: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Count what people give of what is true: in general, and each person drawn to the general.

    Args:
        answers: of everybody.
        posterior: shape (n_items, n_classes).
        is_telling: shape (n_answers,): whether an answer says something about its person.
    """
    n_people, n_classes = answers.n_people, answers.n_classes
    place = answers.person * n_classes + answers.label
    known = posterior[answers.item] * is_telling[:, np.newaxis]
    given = [np.bincount(place, weights=true, minlength=n_people * n_classes) for true in known.T]
    counts = np.stack([count.reshape(n_people, n_classes) for count in given], axis=1)
    before = np.full((n_classes, n_classes), (1 - TYPICAL_RIGHT) / (n_classes - 1))
    np.fill_diagonal(before, TYPICAL_RIGHT)
    typical = _normalise(counts.sum(axis=0) + TYPICAL_ANSWERS * before)
    return typical, _normalise(counts + PERSON_ANSWERS * typical)


def _sum_by_item(answers: Answers, said: Floats) -> Floats:
    """Add up what the answers to each item say; shape (n_items, n_classes)."""
    columns = [np.bincount(answers.item, weights=column, minlength=answers.n_items) for column in said.T]
    return np.stack(columns, axis=1)


def _normalise(weights: Floats) -> Floats:
    """Scale the last axis to sum to 1."""
    scaled: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return scaled
