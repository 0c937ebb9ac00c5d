"""Numbers have as many digits as mean something."""

import pytest

from experiment_card import numbers


@pytest.mark.parametrize(
    ("number", "words"),
    [(1_250.4, "1,250"), (-25.4, "-25"), (2.54, "2.5"), (0.254, "0.25"), (0.0025, "0.003"), (0.0, "0.00"), (None, "–")],
)
def test_a_number_is_written_with_two_digits_that_mean_something(number: float | None, words: str) -> None:
    assert numbers.write_sized(number) == words


def test_a_share_is_written_of_100_and_an_interval_with_both_ends() -> None:
    assert (numbers.write_of_100(0.0058), numbers.write_of_100(None)) == ("0.58", "–")
    assert (numbers.write_between(0.01, 0.05, 100), numbers.write_between(None, 1.0)) == ("1.0 – 5.0", "–")
    assert (numbers.write_whole(1_250), numbers.write_whole(None)) == ("1,250", "–")
    assert [numbers.write_chance(p) for p in (4e-35, 0.0, 0.25, None)] == ["<0.01", "0.00", "25", "–"]
    assert (numbers.write_p(0.00161), numbers.write_p(None)) == ("0.0016", "–")
