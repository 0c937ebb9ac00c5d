"""Which variant a unit gets, from a published allocation.json alone: the standard library, no service, no state.

Copy this file. It says the same as the decision service, as `evaluate.mjs` and as the SQL in docs/assignment.md:
`vectors.json` holds units that all of them were asked about.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

FORMAT, FORMAT_OF_SLICES = "mulgil-allocation/1", "mulgil-allocation/2"  # the second: also a slice, a start or an end
Experiment = Mapping[str, Any]  # salt, phase, window, ranges: each a variant, low and high; perhaps slice, start, end
Allocation = Mapping[str, Any]  # format, problem, revision, and experiments by name


def read_allocation(text: str) -> Allocation:
    """Read a published file, without asking who signed it.

    Args:
        text: of allocation.json.

    Returns:
        the allocation, with its experiments by name.

    Raises:
        ValueError: it is no allocation of this format.
    """
    allocation: Allocation = json.loads(json.loads(text)["signed"])
    if allocation.get("format") not in (FORMAT, FORMAT_OF_SLICES):
        raise ValueError(
            f"The file is of format {allocation.get('format')!r}; this program reads {FORMAT_OF_SLICES!r}."
        )
    return allocation


def place(unit: str, salt: str) -> float:
    """Give a unit its place, in [0, 1): the first 52 bits of md5(salt:unit), which a double holds exactly."""
    digest = hashlib.md5(f"{salt}:{unit}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:13], 16) / 2**52


def evaluate(experiment: Experiment, unit: str, now: float | None = None) -> str | None:
    """Name the variant of a unit; None where it takes no part.

    Args:
        experiment: one of the allocation's.
        unit: the raw id, as the log has it.
        now: seconds since 1970; the clock's without it.
    """
    if experiment.keys() & {"start", "end"}:
        now = time.time() if now is None else now
        if not experiment.get("start", now) <= now < experiment.get("end", float("inf")):
            return None
    part = experiment.get("slice")
    if part is not None and not part["low"] <= place(unit, part["salt"]) < part["high"]:
        return None
    at = place(unit, experiment["salt"])
    return next((str(one["variant"]) for one in experiment["ranges"] if one["low"] <= at < one["high"]), None)
