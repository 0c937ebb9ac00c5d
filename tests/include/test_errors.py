"""The tree of errors: which of them a retry can help, and what a person reads."""

import inspect
import pickle

import pytest

from include import errors
from include.errors import AlertRefused, DeskRefused, MulgilError, NothingThere

ALL = [one for _, one in inspect.getmembers(errors, inspect.isclass) if one.__module__ == errors.__name__]


def test_every_error_hangs_on_the_one_root_and_says_what_it_means():
    assert len(ALL) > 20
    for error in ALL:
        assert issubclass(error, MulgilError)
        assert (error.__doc__ or "").strip()


def test_what_does_not_exist_is_one_kind_what_may_return_is_not():
    gone = {error.__name__ for error in ALL if issubclass(error, NothingThere)}
    assert {"UnknownPartitionKey", "NotInLake", "UnknownVersion", "UnknownBatch"} <= gone
    assert {"StagedFileGone", "LakeConflict", "WarehouseAway", "SnapshotExpired"} & gone == set()


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        (DeskRefused("not_held"), "The desk refused it: not held."),
        (DeskRefused("too_long", length=12, most=10), "The desk refused it: too long (length 12, most 10)."),
        (DeskRefused("wrong_class", given="a | b"), "The desk refused it: wrong class (given 'a | b')."),
    ],
)
def test_a_refusal_of_the_desk_reads_as_a_sentence_and_keeps_its_code(refused, sentence):
    assert str(refused) == sentence
    assert sentence.startswith(f"The desk refused it: {refused.code.replace('_', ' ')}")


MADE = {
    DeskRefused: DeskRefused("too_long", length=12, most=10),
    AlertRefused: AlertRefused("not_open", "The alert is not open any more."),
}


def test_an_error_survives_the_way_from_a_worker_to_the_scheduler():
    """Processes hand errors on pickled; one that cannot be made again would hide what went wrong."""
    for error in ALL:
        made = MADE.get(error) or error("what is wrong")
        again = pickle.loads(pickle.dumps(made))  # noqa: S301 (our own bytes)
        assert type(again) is error
        assert (str(again), vars(again)) == (str(made), vars(made))
