"""Guesses whether another log of a problem holds its labels: which, by which key, and how long after a row."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from scripts.problem_files.columns import Profile
from scripts.problem_files.guesses import Key, Time

Held = tuple[Sequence[Profile], Time]

# Of the other log's keys so many must name a row of the sample, and so many of its rows come after theirs.
LEAST_MATCHED = LEAST_AFTER = 0.5
SHARE_WITHIN = 0.95
DEFAULT_DAYS = 30


@dataclass(frozen=True)
class LabelLog:
    """A log whose rows say what became of the rows of another.

    Attributes:
        name: of the log.
        on: a row's columns to those of the log; empty where they are the row's key, under the same names.
        within_days: so long after a row's event its label may come.
        why: what was seen in the samples, in words.
    """

    name: str
    on: Mapping[str, str]
    within_days: int
    why: str


def guess_label_log(held: Held, key: Key, others: Mapping[str, Held], wanted: str | None = None) -> LabelLog | None:
    """Find the log whose rows name rows of the problem and come after them.

    Args:
        held: columns and time of the problem's rows.
        key: of the problem's rows.
        others: log to its columns and time.
        wanted: the log that somebody named; without it one that comes before the rows it names, such as a list of
            customers, is none of labels.
    """
    for name, other in others.items():
        if wanted not in (None, name):
            continue
        on = _shared_key(held[0], key, other[0])
        if not on:
            continue
        waits, share = _waits(held, other, on)
        is_after = share is not None and share >= LEAST_AFTER and any(waits)
        if not (is_after or wanted == name):
            continue
        is_key = list(on) == list(key.columns) and list(on.values()) == list(key.columns)
        days, why = _within(waits)
        return LabelLog(name, {} if is_key else on, days, why)
    return None


def _shared_key(own: Sequence[Profile], key: Key, theirs: Sequence[Profile]) -> dict[str, str]:
    """Give the columns by which another log names rows: the row's key, or one column of the same values."""
    by_name = {profile.name: profile for profile in own}
    whole = [(by_name.get(name), _like(by_name.get(name), theirs)) for name in key.columns]
    pairs = [(mine, other) for mine, other in whole if mine is not None and other is not None]
    if len(pairs) == len(whole):
        return {mine.name: other.name for mine, other in pairs}
    named = [by_name[name] for name in key.columns if name in by_name]
    for profile in [*named, *own]:
        if (other := _like(profile, theirs)) is not None and profile.n_distinct * 2 > profile.n_records:
            return {profile.name: other.name}
    return {}


def _like(profile: Profile | None, theirs: Sequence[Profile]) -> Profile | None:
    """Find the column of another log that names the same: of the same kind, with values in common, the same name first.

    Times and numbers with a fraction name nothing.
    """
    if profile is None or profile.type not in {"string", "integer"} or profile.pii not in {"none", "identifier"}:
        return None
    held = set(profile.texts)
    for other in sorted(theirs, key=lambda one: one.name != profile.name):
        if (other.type, other.pii) != (profile.type, profile.pii) or not other.values:
            continue
        # Small whole numbers are in every column of counts: only a name says that they are the same.
        is_telling = other.name == profile.name or (profile.type == "string" and other.n_distinct > 1)
        n_found = sum(text in held for text in set(other.texts))
        if is_telling and n_found >= LEAST_MATCHED * other.n_distinct:
            return other
    return None


def _waits(held: Held, other: Held, on: Mapping[str, str]) -> tuple[list[timedelta], float | None]:
    """Say how long after their rows the other log's rows came, and which share came after; None where no time says."""
    happened, came = _times_by_key(held, tuple(on)), _times_by_key(other, tuple(on.values()))
    waits = [moment - happened[key][0] for key, moments in came.items() if key in happened for moment in moments]
    if not waits:
        return [], None
    after = [wait for wait in waits if wait >= timedelta(0)]
    return after, len(after) / len(waits)


def _times_by_key(held: Held, columns: tuple[str, ...]) -> dict[tuple[str, ...], list[datetime]]:
    """Give the times of each key's rows, the earliest first; none where a record lacks one, or a rule makes them."""
    profiles, time = held
    by_name = {profile.name: profile for profile in profiles}
    moment = by_name.get(time.column or "")
    keys = [by_name[name] for name in columns]
    if moment is None or any(len(one.values) != one.n_records for one in [moment, *keys]):
        return {}
    times = moment.times()
    if len(times) != len(moment.values):
        return {}
    found: dict[tuple[str, ...], list[datetime]] = {}
    for *key, at in sorted(zip(*(one.texts for one in keys), times, strict=True), key=lambda row: row[-1]):
        found.setdefault(tuple(key), []).append(at)
    return found


def _within(waits: Sequence[timedelta]) -> tuple[int, str]:
    """Round up to days how long 95 of 100 labels took."""
    if not waits:
        return DEFAULT_DAYS, "the sample does not show how long labels take"
    days = float(np.quantile([wait / timedelta(days=1) for wait in waits], SHARE_WITHIN))
    return max(math.ceil(days), 1), f"95 of 100 in the sample came within {days:.1f} days"
