"""Answers of OpenFeature's remote evaluation protocol: which variant a unit gets, as every provider of it reads them.

What belongs here: requests and answers as plain values. What does not: HTTP (`web/app.py`), and files.

Source: OpenFeature Remote Evaluation Protocol, https://openfeature.dev/specification/appendix-c.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from include.names import flag_key
from include.serving.clients.evaluate import Allocation, Experiment, evaluate
from include.serving.refusals import RequestRefused

LARGEST_BODY = 64 << 10  # bytes
LONGEST_UNIT = 1_024  # characters
PARSE_ERROR, INVALID_CONTEXT, GENERAL = "PARSE_ERROR", "INVALID_CONTEXT", "GENERAL"
FLAG_NOT_FOUND, TARGETING_KEY_MISSING = "FLAG_NOT_FOUND", "TARGETING_KEY_MISSING"

Answer = dict[str, object]


@dataclass(frozen=True)
class Flag:
    """An experiment as programs ask for it.

    Attributes:
        key: `problem.experiment`.
        problem, name: the same, apart.
        revision: of the file it was published in.
        experiment: its salt, phase, window and ranges.
    """

    key: str
    problem: str
    name: str
    revision: int
    experiment: Experiment


def list_flags(allocations: Mapping[str, Allocation]) -> dict[str, Flag]:
    """Give every experiment of the published files by its key."""
    flags = (
        Flag(flag_key(problem, name), problem, name, int(allocation["revision"]), experiment)
        for problem, allocation in sorted(allocations.items())
        for name, experiment in sorted(allocation["experiments"].items())
    )
    return {flag.key: flag for flag in flags}


def read_object(body: bytes) -> Mapping[str, object]:
    """Read a request's JSON object.

    Raises:
        RequestRefused: it is none, or holds NaN, an infinite number, or one of thousands of digits.
    """
    try:
        read = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        found = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise RequestRefused(400, PARSE_ERROR, f"The body is no JSON: {found:.200}.") from error
    if not isinstance(read, Mapping):
        raise RequestRefused(400, PARSE_ERROR, f"The body must be a JSON object; it is a {type(read).__name__}.")
    return read


def _refuse_constant(name: str) -> None:
    """Refuse what Python takes for JSON and nobody else does.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{name} is no JSON number; null says missing")


def read_unit(body: bytes) -> str:
    """Read whom a request is about: the context's targeting key.

    Raises:
        RequestRefused: there is no context, it is no object, or it has no targeting key that is a text.
    """
    request = read_object(body)
    context = request.get("context")
    if context is not None and not isinstance(context, Mapping):
        raise RequestRefused(400, INVALID_CONTEXT, f"'context' must be an object; it is a {type(context).__name__}.")
    unit = context.get("targetingKey") if context is not None else None
    if unit is None or unit == "":
        raise RequestRefused(400, TARGETING_KEY_MISSING, "'context.targetingKey' must hold the unit's raw id.")
    if not isinstance(unit, str):
        raise RequestRefused(
            400, INVALID_CONTEXT, f"'context.targetingKey' must be a text, as the log has it; it is {unit!r:.60}."
        )
    if len(unit) > LONGEST_UNIT or any("\ud800" <= character <= "\udfff" for character in unit):
        raise RequestRefused(
            400, INVALID_CONTEXT, f"'context.targetingKey' must be Unicode of at most {LONGEST_UNIT:,} characters."
        )
    return unit


def evaluate_flag(flag: Flag, unit: str) -> Answer:
    """Answer for one flag.

    Returns:
        the protocol's success: with a value where the unit takes part; without one where the program's own default
        applies, with reason DISABLED where the file pauses the experiment, else DEFAULT.
    """
    metadata: Answer = {
        "problem": flag.problem,
        "experiment": flag.name,
        "phase": flag.experiment["phase"],
        "revision": flag.revision,
    }
    if "paused_since" in flag.experiment:
        metadata["paused_since"] = datetime.fromtimestamp(flag.experiment["paused_since"], UTC).isoformat()
    if "eligible" in flag.experiment:
        metadata["eligible"] = flag.experiment["eligible"]
    variant = evaluate(flag.experiment, unit)
    if variant is None:
        reason = "DISABLED" if "paused_since" in flag.experiment else "DEFAULT"
        return {"key": flag.key, "reason": reason, "variant": "", "metadata": metadata}
    return {"key": flag.key, "value": variant, "reason": "SPLIT", "variant": variant, "metadata": metadata}


def find_flag(flags: Mapping[str, Flag], key: str, may_see: Callable[[Flag], bool]) -> Flag:
    """Find a flag.

    Args:
        may_see: says which flags a refusal may name: those that who asks may ask for.

    Raises:
        RequestRefused: there is none of that key.
    """
    if key not in flags:
        known = ", ".join(name for name, flag in flags.items() if may_see(flag))
        there = f"there are {known}" if known else "nothing that this key may ask for is published yet"
        raise RequestRefused(404, FLAG_NOT_FOUND, f"There is no flag {key!r:.100}; {there}.")
    return flags[key]


def propensity(flag: Flag, variant: str) -> float:
    """Say which share of the units gets a variant, 0..1: what an analysis weighs an exposure by."""
    return float(sum(part["high"] - part["low"] for part in flag.experiment["ranges"] if part["variant"] == variant))


def entity_tag(flags: Mapping[str, Flag], unit: str) -> str:
    """Name what a unit would be answered about all flags: another name where one was published anew, began or ended."""
    now = time.time()
    times = [
        (flag.experiment.get("start", now) <= now, flag.experiment.get("end", math.inf) <= now)
        for flag in flags.values()
    ]
    known = [[flag.key, flag.revision, *one] for flag, one in zip(flags.values(), times, strict=True)]
    said = json.dumps([*known, unit], ensure_ascii=True)
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'
