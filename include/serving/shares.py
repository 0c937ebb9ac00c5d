"""Turns the shares in force into experiments as they are published.

What belongs here: rows of `core.allocation` in, experiments out. What does not: reading and signing them.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from include.problems.schema import Problem
from include.problems.sections.experiment import Experiment as Section
from include.serving.clients.evaluate import Experiment

PAUSED = "paused"  # phase in which the file lets nobody be sent anything
_PERIOD = TypeAdapter(timedelta)


def list_experiments(
    problem: Problem, rows: Sequence[Mapping[str, object]], now: datetime | None = None
) -> dict[str, Experiment]:
    """Say of each experiment of a problem which places get which variant.

    A window's ranges are places under the salt of the plan that made them, whatever the file says by now. An experiment
    that the file has no more is nobody's to ask for; one whose file does not name a variant of the ranges any more
    holds until its next window, one whose file ends it earlier by now ends so, and one that it pauses is paused.

    Args:
        problem: as its file is now.
        rows: of `core.allocation`, of each experiment's newest window, each with the `plan` that the window was made
            with; none where an older version made it: then the file counts. A row without a range leaves its units out.
        now: when it is asked whether the file pauses one; the clock's without it.

    Returns:
        experiments by name; those that hold have no range.
    """
    found: dict[str, Experiment] = {}
    for row in rows:
        name = str(row["experiment"])
        written = problem.named_experiments.get(name)
        if written is None:
            continue
        plan = row["plan"]
        if not isinstance(plan, Mapping):
            plan = _document_of(problem, written)
        about = {"phase": str(row["phase"]), "window": str(row["partition_key"]), "ranges": []}
        takes_part = _who_takes_part(plan)
        if written.ends_at is not None:
            takes_part["end"] = min(takes_part.get("end", math.inf), written.ends_at.timestamp())
            if takes_part.get("start", -math.inf) >= takes_part["end"]:
                del takes_part["start"]  # it was moved to before what the plan says, and is over
        one = found.setdefault(name, {"salt": plan["salt"], "unit": plan["unit"], **about, **takes_part})
        if row["low"] is not None:
            one["ranges"].append({"variant": row["variant"], "low": row["low"], "high": row["high"]})
    now = datetime.now(UTC) if now is None else now
    for name, one in found.items():
        since = problem.named_experiments[name].paused_since(now)
        if since is not None and one["phase"] != "ended":
            found[name] = {**one, "phase": PAUSED, "ranges": [], "paused_since": since.timestamp()}
        elif one["phase"] == PAUSED:
            found[name] = {**one, "phase": "hold"}  # it goes on with its next window
        elif any(part["variant"] not in problem.named_experiments[name].variants for part in one["ranges"]):
            found[name] = {**one, "phase": "hold", "ranges": []}
    return found


def _document_of(problem: Problem, written: Section) -> dict[str, object]:
    """Write a section of the file as plans are kept."""
    layers = {written.layer: problem.layers[written.layer].model_dump(mode="json")} if written.layer else {}
    return written.model_dump(mode="json") | {"layers": layers}


def _who_takes_part(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Say which slice of a layer is an experiment's own, from when to when, and whom a program may ask for.

    Returns:
        `slice`, places under the layer's salt; `start` and `end` in seconds since 1970; `eligible`, as the file has it,
        for whoever asks: nobody here knows a unit's columns. Each only where the plan has it.
    """
    found: dict[str, Any] = {}
    if plan.get("layer") is not None:
        low, high = plan["traffic"]
        found["slice"] = {"salt": plan["layers"][plan["layer"]]["salt"], "low": low, "high": high}
    if plan.get("start") is not None:
        start = datetime.fromisoformat(plan["start"])
        found["start"] = start.timestamp()
        if (after := (plan.get("end") or {}).get("after")) is not None:
            found["end"] = (start + _PERIOD.validate_python(after)).timestamp()
    if plan.get("eligible") is not None:
        found["eligible"] = plan["eligible"]
    return found
