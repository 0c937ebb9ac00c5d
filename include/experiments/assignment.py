"""Where a unit belongs, by a hash that anybody can repeat: no state, no seed, the same in Python and in SQL.

What belongs here: unit ids in, places in [0, 1) out. What does not: what is done with the people in a place.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from include.errors import BadExperiment

# 13 hexadecimal digits are 52 bits: as many as a double holds without rounding.
N_DIGITS = 13


@dataclass(frozen=True)
class HashRange:
    """The places whose units get a variant: from `low` up to, and without, `high`; both in [0, 1]."""

    variant: str
    low: float
    high: float


def assign_units(unit_ids: Iterable[str], salt: str, ranges: Sequence[HashRange]) -> NDArray[np.object_]:
    """Name the variant of each unit; None where it is in no range.

    Args:
        unit_ids: the raw ids, as the log has them.
        salt: the experiment's.
        ranges: that do not overlap.

    Returns:
        shape (n_units,).
    """
    places = place_units(unit_ids, salt)
    found = np.full(len(places), None, dtype=object)
    for part in ranges:
        found[(places >= part.low) & (places < part.high)] = part.variant
    return found


def place_units(unit_ids: Iterable[str], salt: str) -> NDArray[np.float64]:
    """Give each unit its place: evenly spread, the same for ever, and unrelated to its place under another salt.

    Args:
        unit_ids: the ids as the lake holds them.
        salt: the experiment's; another experiment takes another one, or both divide people alike.

    Returns:
        shape (n_units,), in [0, 1).

    Source: ours; the first 52 bits of md5(salt:unit), which every SQL engine has. Not a secret, and not meant as one.
    """
    digests = (hashlib.md5(f"{salt}:{unit}".encode(), usedforsecurity=False).hexdigest() for unit in unit_ids)
    return np.array([int(digest[:N_DIGITS], 16) for digest in digests], dtype=np.float64) / 16.0**N_DIGITS


def is_placed_below(unit_ids: ir.StringColumn, salt: str, share: float) -> ir.BooleanColumn:
    """Tell on the engine which units have a place below `share`: the same ones as `place_units` says.

    Hexadecimal digits of one length sort like the numbers they stand for, so no engine has to read them as numbers.

    Args:
        unit_ids: the ids.
        salt: the experiment's.
        share: 0..1; the expected share of units that are below.

    Raises:
        BadExperiment: the share is not between 0 and 1.
    """
    if not 0.0 <= share <= 1.0:
        raise BadExperiment(f"A share of {share} of the units cannot be held back; allowed is 0 to 1.")
    if share == 1.0:
        return ibis.literal(True)
    edge = f"{int(np.ceil(share * 16.0**N_DIGITS)):0{N_DIGITS}x}"
    place = (ibis.literal(f"{salt}:") + unit_ids).hexdigest("md5").substr(0, N_DIGITS)
    return place < ibis.literal(edge)
