"""Who of an audience is listed, and why the others are not: every row has exactly one reason.

Pure: rows, what stands and who is listed already in, lists and counts out. What does not belong here: reading them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from include.experiments.assignment import HashRange, assign_units

LISTED, ALREADY_LISTED, HELD_BACK = "listed", "already_listed", "unit_held_back"
MISSING, TOO_LONG, TWICE, UNPLACED = "unit_missing", "unit_too_long", "unit_twice_in_audience", "unit_in_no_range"
# As long as the decision service reads one; what is longer is no id.
LONGEST_UNIT = 1_024  # characters

Texts = NDArray[np.object_]


@dataclass(frozen=True)
class Chosen:
    """What becomes of the rows of an audience.

    Attributes:
        places: of the rows that are listed now, in their order.
        variants: what each of these gets.
        counts: rows by reason, those listed by this partition before among `listed`; they sum to all rows.
    """

    places: NDArray[np.int64]
    variants: Texts
    counts: Mapping[str, int]


def choose_units(
    units: Texts,
    not_taking_part: Texts,
    *,
    salt: str,
    ranges: Sequence[HashRange],
    listed: Mapping[str, bool],
    idle: str | None,
    held_variant: str | None,
) -> Chosen:
    """List each unit of an audience that takes part and was not listed before.

    Args:
        units: raw ids, shape (n_rows,); None where a row has none.
        not_taking_part: why a row is none of the experiment's; None where it is one.
        salt: of the experiment.
        ranges: of places, and what they get.
        listed: raw ids that were listed before, and whether by this very partition.
        idle: the phase, where nobody is listed in it; None otherwise.
        held_variant: what the holdback keeps; who would get it is held back. None where there is no holdback.
    """
    reasons = np.array([_why_no_unit(unit) for unit in units], dtype=object)
    seen: set[str] = set()
    for place in np.flatnonzero(reasons == None):  # noqa: E711 - elementwise
        unit = units[place]
        if unit in seen:
            reasons[place] = TWICE
        elif unit in listed:
            reasons[place] = LISTED if listed[unit] else ALREADY_LISTED
        elif idle is not None:
            reasons[place] = f"experiment_{idle}"
        else:
            reasons[place] = not_taking_part[place]
        # Another row of the same unit may take part: it may be eligible there.
        if reasons[place] is None or reasons[place] != not_taking_part[place]:
            seen.add(unit)
    open_places = np.flatnonzero(reasons == None)  # noqa: E711
    variants = assign_units(units[open_places], salt, ranges)
    is_placed = np.array([variant is not None for variant in variants], dtype=bool)
    is_held = (variants == held_variant) & is_placed
    reasons[open_places] = np.where(is_placed, np.where(is_held, HELD_BACK, LISTED), UNPLACED)
    is_chosen = is_placed & ~is_held
    return Chosen(open_places[is_chosen], variants[is_chosen], dict(Counter(reasons.tolist())))


def _why_no_unit(unit: str | None) -> str | None:
    """Say why a text names nobody; None where it may."""
    if unit is None or not unit:
        return MISSING
    return TOO_LONG if len(unit) > LONGEST_UNIT else None
