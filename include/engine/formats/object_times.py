"""What an object as a whole says about the time of its records: when it arrived, or what its name holds."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from include.problems.sections.columns import NAME_DIRECTIVES
from include.problems.sections.source import Source

UNTIMED_NAME = "object has a name that holds no time as source.event_time.pattern has it: "
# Clocks go wrong, and zones are forgotten; what is further ahead of its own arrival is a mistake.
LONGEST_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class Arrival:
    """When an object came.

    Attributes:
        arrived_at: the store's time of its last change, as it was when its bytes were first counted; None where nobody
            wrote it down.
        read_at: when landing counted it.
    """

    arrived_at: datetime | None = None
    read_at: datetime | None = None


@dataclass(frozen=True)
class ObjectTime:
    """What holds for every record of an object.

    Attributes:
        time: when they happened, in ISO 8601; None where each says that itself.
        latest: later ones are mistakes; None where the problem's file has a bound of its own, or nobody knows.
        flaw: why the object cannot be used; None when it can.
    """

    time: str | None = None
    latest: datetime | None = None
    flaw: str | None = None


def object_times(source: Source, arrivals: Mapping[str, Arrival]) -> dict[str, ObjectTime]:
    """Say by object key what holds for every record of each object."""
    return {key: _time_of(source, key, arrival) for key, arrival in arrivals.items()}


def _time_of(source: Source, key: str, arrival: Arrival) -> ObjectTime:
    """Say what holds for the records of one object."""
    latest = arrival.read_at + LONGEST_AHEAD if source.latest is None and arrival.read_at else None
    rule = source.event_time_rule
    if rule is not None and rule.from_what == "object":
        return ObjectTime(arrival.arrived_at.isoformat() if arrival.arrived_at else None, latest)
    if rule is not None and rule.pattern is not None:
        moment = read_name(key, rule.pattern)
        flaw = f"{UNTIMED_NAME}{rule.pattern}" if moment is None else None
        return ObjectTime(moment.isoformat() if moment else None, latest, flaw)
    return ObjectTime(None, latest)


def read_name(key: str, pattern: str) -> datetime | None:
    """Find the time that an object's key holds, in UTC; of several the last; None where it holds none."""
    parts = re.split(r"(%.)", pattern)
    shape = "".join(NAME_DIRECTIVES.get(part) or re.escape(part) for part in parts)
    # Digits that go on are another number: 20130101 holds no year 0130.
    found = [match[1] for match in re.finditer(rf"(?<!\d)(?=({shape})(?!\d))", key)]
    for text in reversed(found):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None
