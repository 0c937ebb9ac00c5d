"""Decides which objects are new, and where records go that cannot say so themselves. No store, no clock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from include.engine.object_store.objects import RawObject
from include.problems.sections.computed import columns_in
from include.problems.sections.source import Source

_HOW_READ = {"from_field", "path", "missing", "format"}


@dataclass(frozen=True)
class ReadObject:
    """What reading one object found.

    Attributes:
        seen: the object as it was listed.
        fingerprint: sha256 of its bytes.
        home_partition: partition of its records that have no usable time.
        n_rows: records by partition; those without a usable time are counted in the home partition.
        n_unplaced: records without a usable time.
        flaw: what is wrong with the object as a whole; None when nothing is.
        read_as: the format that its records were read in; None where it could not be told.
        arrived_at: when its bytes were last written, as its store says; None where it does not.
    """

    seen: RawObject
    fingerprint: str
    home_partition: str
    n_rows: Mapping[str, int]
    n_unplaced: int = 0
    flaw: str | None = None
    read_as: str | None = None
    arrived_at: datetime | None = None


@dataclass(frozen=True)
class KnownObject:
    """What the ledger says about one object.

    Attributes:
        version, fingerprint, home_partition: as when it was last read.
        n_rows: records by partition.
        n_unplaced: records without a usable time; None where nobody counted them.
        placed_by: the rules it was placed by, from `placing_rules`; None where nobody wrote them down.
        arrived_at: when its bytes were last written; None where nobody wrote it down.
    """

    version: str
    fingerprint: str
    home_partition: str
    n_rows: Mapping[str, int]
    n_unplaced: int | None
    placed_by: str | None
    arrived_at: datetime | None = None


def placing_rules(source: Source) -> str:
    """Write down what decides where a record goes: objects that were placed by other rules are placed anew."""
    rules = {
        "format": source.format,
        "grain": source.grain,
        "event_time": source.event_time,
        "earliest": source.earliest.astimezone(UTC).isoformat(),
        # Without a bound it is the clock's: as one that is later than any.
        "latest": (source.latest or datetime.max.replace(tzinfo=UTC)).astimezone(UTC).isoformat(),
    }
    how = _reading_rules(source)
    return json.dumps(rules | {"reading": how} if how else rules)


def _reading_rules(source: Source) -> dict[str, object]:
    """Write down how the event time is read, where that is more than a field of its column's name in ISO 8601."""
    rule = source.event_time_rule
    named = {source.event_time} if rule is None else columns_in(rule.sql or "", source.declared)
    read = {name: source.declared[name].model_dump(include=_HOW_READ, exclude_defaults=True) for name in sorted(named)}
    how: dict[str, object] = {name: said for name, said in read.items() if said}
    if rule is not None:
        how = {name: {"type": source.declared[name].type, **read[name]} for name in read}
        how["rule"] = rule.model_dump(exclude_none=True)
    return how | ({"missing": source.missing} if source.missing else {})


def choose_changed(listed: Sequence[RawObject], known: Mapping[str, KnownObject], rules: str) -> list[RawObject]:
    """Choose the objects that are new, have another version than when they were last read, or lie by other rules.

    Args:
        rules: those of today, from `placing_rules`.
    """
    return [
        item
        for item in listed
        if item.key not in known or known[item.key].version != item.version or _may_move(known[item.key], rules)
    ]


def choose_unmoved(listed: Sequence[RawObject], known: Mapping[str, KnownObject], rules: str) -> list[str]:
    """Choose the objects that other rules have put where today's would put them, too: no need to read them."""
    chosen = {item.key for item in choose_changed(listed, known, rules)}
    return [item.key for item in listed if item.key not in chosen and known[item.key].placed_by != rules]


def moved_partitions(known: KnownObject, read: ReadObject, rules: str) -> set[str]:
    """Name the partitions whose records are others than before, now that an object was read again.

    Where only the range of the times has changed, a partition that is nobody's home and has as many records as before
    has the same ones. Where anything else has, equal numbers say nothing. The same bytes by the same rules lie where
    they lay: an object that was only copied or restored, or whose version is written in another form than before.
    """
    fed = known.n_rows.keys() | read.n_rows.keys()
    is_unknown = known.placed_by is None  # then the rules were most likely these
    if known.fingerprint != read.fingerprint or not (is_unknown or _differ_in_range_only(known.placed_by, rules)):
        return set(fed)
    has_strays = known.placed_by not in (None, rules) and bool(known.n_unplaced or read.n_unplaced)
    homes = {known.home_partition, read.home_partition} if has_strays else set()
    return {key for key in fed if known.n_rows.get(key) != read.n_rows.get(key)} | (homes & fed)


def _may_move(known: KnownObject, rules: str) -> bool:
    """Say whether today's rules may put a record elsewhere than those by which its object was placed."""
    if known.placed_by == rules:
        return False
    if known.n_unplaced != 0 or not _differ_in_range_only(known.placed_by, rules):
        return True
    before, now = json.loads(str(known.placed_by)), json.loads(rules)
    return not (now["earliest"] <= before["earliest"] and before["latest"] <= now["latest"])


def _differ_in_range_only(before: str | None, now: str) -> bool:
    """Say whether two sets of rules differ in nothing but the range of times they take; unknown ones may in all."""
    if before is None:
        return False
    old, new = json.loads(before), json.loads(now)
    return all(old.get(name) == new.get(name) for name in ("format", "grain", "event_time", "reading"))


def choose_home(counts: Mapping[str, int], fallback: str) -> str:
    """Choose where an object's records without a usable time belong: with most of the others, the earliest on a tie.

    Args:
        counts: placeable records by partition key.
        fallback: partition for an object none of whose records can be placed.
    """
    return min(counts, key=lambda key: (-counts[key], key)) if counts else fallback


def place_records(
    seen: RawObject,
    fingerprint: str,
    counts: Mapping[str | None, int],
    fallback: str,
    flaw: str | None = None,
    read_as: str | None = None,
    arrived_at: datetime | None = None,
) -> ReadObject:
    """Say which partitions an object feeds, with how many records each.

    Args:
        counts: records by partition key; under None those without a usable time.
    """
    placed = {key: n for key, n in counts.items() if key is not None}
    home = choose_home(placed, fallback)
    if counts.get(None):
        placed[home] = placed.get(home, 0) + counts[None]
    return ReadObject(seen, fingerprint, home, placed, counts.get(None, 0), flaw, read_as, arrived_at)


def split_batches(objects: Iterable[RawObject], max_bytes: int) -> list[list[RawObject]]:
    """Split objects, in their order, into batches of at most so many stored bytes; a larger one is alone."""
    batches: list[list[RawObject]] = []
    room = 0
    for item in objects:
        if not batches or item.size_bytes > room:
            batches.append([])
            room = max_bytes
        batches[-1].append(item)
        room -= item.size_bytes
    return batches
