import pytest

from include.errors import MulgilError, NotEnoughLabels, TamperedModel
from include.learning import errors
from include.learning.errors import BadFeatures, BadLabels, NothingToRead, error_context


@pytest.mark.parametrize("kind", [NotEnoughLabels, BadFeatures, BadLabels, TamperedModel, NothingToRead])
def test_a_refusal_says_whose_it_is_and_that_nothing_was_replaced(kind):
    with pytest.raises(kind, match=r"^late, version v1: 3 rows. The model in production stays.$") as raised:  # noqa: SIM117
        with error_context("late", "version v1"):
            raise kind("3 rows.")
    assert isinstance(raised.value.__cause__, kind)


def test_what_is_no_refusal_passes_as_it_is():
    with pytest.raises(KeyError, match=r"^'x'$"), error_context("late", "version v1"):
        raise KeyError("x")


def test_every_refusal_of_the_room_is_one_of_the_house():
    own = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind.__module__ == errors.__name__]
    assert len(own) >= 6
    assert all(issubclass(kind, MulgilError) for kind in own)
