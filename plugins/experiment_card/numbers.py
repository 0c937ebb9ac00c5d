"""Writes numbers for people: as many digits as mean something, and a dash where there is none.

What does not belong here: words, which hang on the language (`texts/`).
"""

NONE = "–"
_SMALL = 0.01


def write_whole(number: float | None) -> str:
    """Write a count."""
    return NONE if number is None else f"{number:,.0f}"


def write_sized(number: float | None) -> str:
    """Write a number with two digits that mean something: 1,250, 25, 2.5, 0.25, 0.0025."""
    if number is None:
        return NONE
    size = abs(number)
    if size >= 10:
        return f"{number:,.0f}"
    if size >= 1:
        return f"{number:.1f}"
    return f"{number:.2f}" if size >= _SMALL or not size else f"{number:.1g}"


def write_of_100(ratio: float | None) -> str:
    """Write a share as how many of 100."""
    return NONE if ratio is None else write_sized(100 * ratio)


def write_chance(probability: float | None) -> str:
    """Write a probability as of 100; what is next to nothing is no power of ten."""
    if probability is not None and 0 < 100 * probability < _SMALL:
        return f"<{_SMALL}"
    return write_of_100(probability)


def write_p(probability: float | None) -> str:
    """Write a p-value with two digits."""
    return NONE if probability is None else f"{probability:.2g}"


def write_between(low: float | None, high: float | None, scale: float = 1.0) -> str:
    """Write an interval; a dash where it has no ends."""
    if low is None or high is None:
        return NONE
    return f"{write_sized(scale * low)} – {write_sized(scale * high)}"
