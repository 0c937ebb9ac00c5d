import numpy as np
import pytest

from include.errors import MulgilError
from include.stats.truth_inference import Answers, gain_of_asking, index_answers, infer_truth, settle


def answers_of(rows, n_classes=2):
    item, person, label = (np.array(column, dtype=np.intp) for column in zip(*rows, strict=True))
    return Answers(item, person, label, int(item.max()) + 1, int(person.max()) + 1, n_classes)


def crowd(seed, right, *, n_items=300, n_classes=2):
    """Everybody answers everything; each person is right as often as `right` says."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, n_classes, n_items)
    item, person = (grid.ravel() for grid in np.meshgrid(np.arange(n_items), np.arange(len(right)), indexing="ij"))
    wrong = (truth[item] + rng.integers(1, n_classes, len(item))) % n_classes
    label = np.where(rng.random(len(item)) < np.array(right)[person], truth[item], wrong)
    return Answers(item, person, label, n_items, len(right), n_classes), truth


def test_a_tie_of_equals_is_nobodys():
    label, sure = settle(*(lambda one: (one, infer_truth(one)))(answers_of([(0, 0, 0), (0, 1, 1)])))
    assert label.tolist() == [-1]
    assert sure[0] == pytest.approx(0.5, abs=0.01)


def test_two_against_one_of_equals_is_most_peoples():
    one = answers_of([(0, 0, 1), (0, 1, 1), (0, 2, 0)])
    assert settle(one, infer_truth(one))[0].tolist() == [1]


def test_a_single_answer_is_never_overruled():
    # Person 2 always differs from two who agree: alone with an item, they are believed all the same.
    rows = [(item, person, (item + (person == 2)) % 2) for item in range(60) for person in range(3)]
    one = answers_of([*rows, (60, 2, 0), (61, 2, 1)])
    assert settle(one, infer_truth(one))[0][60:].tolist() == [0, 1]


def test_who_is_often_right_outweighs_two_who_toss_coins():
    one, truth = crowd(0, [0.95, 0.95, 0.95, 0.5, 0.5, 0.5, 0.5])
    label, _ = settle(one, infer_truth(one))
    votes = one.count_votes()
    assert (label == truth).mean() > (votes.argmax(axis=1) == truth).mean() + 0.02


def test_renaming_the_classes_renames_the_truth_and_nothing_else():
    one, _ = crowd(1, [0.9, 0.8, 0.7], n_classes=3)
    turned = Answers(one.item, one.person, (one.label + 1) % 3, one.n_items, one.n_people, 3)
    assert np.allclose(infer_truth(one).posterior, np.roll(infer_truth(turned).posterior, -1, axis=1), atol=1e-6)


def test_confusion_is_found_again():
    one, _ = crowd(2, [0.9, 0.9, 0.9, 0.6], n_items=2_000)
    right = np.trace(infer_truth(one).confusion, axis1=1, axis2=2) / 2
    assert right == pytest.approx([0.9, 0.9, 0.9, 0.6], abs=0.04)


def test_what_the_others_say_leaves_the_own_answer_out():
    one = answers_of([(0, 0, 0), (0, 1, 1), (1, 0, 1)])
    others = infer_truth(one).others
    assert others[0].argmax() == 1
    assert others[1].argmax() == 0
    assert others[2] == pytest.approx([0.5, 0.5])


def test_it_says_whether_it_converged():
    one, _ = crowd(3, [0.9, 0.8, 0.7])
    assert infer_truth(one).has_converged


def test_a_model_breaks_ties_where_it_agrees_with_people_and_is_ignored_where_not():
    one, truth = crowd(4, [0.75, 0.75])
    right = np.where(np.arange(2) == truth[:, np.newaxis], 0.9, 0.1)
    with_model, against = infer_truth(one, right), infer_truth(one, right[:, ::-1])
    assert with_model.model_weight > 0
    assert against.model_weight == 0
    assert (settle(one, with_model)[0] == truth).mean() > (settle(one, against)[0] == truth).mean() + 0.1


@pytest.mark.parametrize(("n_classes", "shape"), [(1, None), (2, (1, 3)), (2, (5, 2))])
def test_one_class_or_another_shape_is_refused(n_classes, shape):
    one = Answers(*(np.zeros(1, dtype=np.intp),) * 3, 1, 1, n_classes)
    with pytest.raises(MulgilError, match="two classes"):
        infer_truth(one, None if shape is None else np.full(shape, 0.5))


def test_an_item_nobody_answered_stays_open_and_breaks_nothing():
    one = Answers(*(np.array([0], dtype=np.intp),) * 3, 2, 1, 2)
    label, sure = settle(one, infer_truth(one))
    assert label.tolist() == [0, -1]
    assert np.isfinite(sure).all()


def test_asking_gains_most_where_people_are_split_and_nothing_where_all_is_sure():
    typical = np.array([[0.8, 0.2], [0.2, 0.8]])
    gain = gain_of_asking(np.array([[0.5, 0.5], [0.7, 0.3], [1.0, 0.0]]), typical)
    assert gain.tolist() == pytest.approx([0.3, 0.1, 0.0])


def test_answers_are_numbered_by_name_and_a_stranger_class_is_refused():
    one, items, people = index_answers(["b", "a"], ["eva", "tom"], ["ham", "spam"], ["ham", "spam"])
    assert (items, people) == (["a", "b"], ["eva", "tom"])
    assert one.item.tolist() == [1, 0]
    assert one.label.tolist() == [0, 1]
    with pytest.raises(KeyError):
        index_answers(["a"], ["eva"], ["egg"], ["ham", "spam"])


@pytest.mark.parametrize(
    ("share", "right", "alarms", "n_people"), [(0.05, 0.8, 0.025, 2), (0.05, 0.8, 0.025, 3), (0.3, 0.8, 0.1, 3)]
)
def test_equal_people_are_not_overruled_and_are_as_sure_as_right(share, right, alarms, n_people):
    rng = np.random.default_rng(1)
    truth = rng.random(1_000) < share
    item = np.repeat(np.arange(1_000), n_people)
    person = np.concatenate([rng.permutation(6)[:n_people] for _ in range(1_000)])
    label = (rng.random(len(item)) < np.where(truth[item], right, alarms)).astype(np.intp)
    answers = Answers(item, person, label, 1_000, 6, 2)
    settled, confidence = settle(answers, infer_truth(answers))
    votes = answers.count_votes()
    is_counted = votes[:, 0] != votes[:, 1]
    assert (settled[is_counted] == votes.argmax(axis=1)[is_counted]).all()
    is_settled = settled >= 0
    assert confidence[is_settled].mean() == pytest.approx((settled == truth)[is_settled].mean(), abs=0.02)
