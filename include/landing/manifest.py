"""Decides which objects are new, and where records go that cannot say so themselves. No store, no clock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from include.engine.objects import RawObject


@dataclass(frozen=True)
class ReadObject:
    """What reading one object found.

    Attributes:
        seen: the object as it was listed.
        fingerprint: sha256 of its bytes.
        home_partition: partition of its records that have no usable time.
        n_rows: records by partition; those without a usable time are counted in the home partition.
        flaw: what is wrong with the object as a whole; None when nothing is.
    """

    seen: RawObject
    fingerprint: str
    home_partition: str
    n_rows: Mapping[str, int]
    flaw: str | None = None


def choose_changed(listed: Sequence[RawObject], known_versions: Mapping[str, str]) -> list[RawObject]:
    """Choose the objects that are new, or have another version than when they were last read."""
    return [item for item in listed if known_versions.get(item.key) != item.version]


def choose_home(counts: Mapping[str, int], fallback: str) -> str:
    """Choose where an object's records without a usable time belong: with most of the others, the earliest on a tie.

    Args:
        counts: placeable records by partition key.
        fallback: partition for an object none of whose records can be placed.
    """
    return min(counts, key=lambda key: (-counts[key], key)) if counts else fallback


def place_records(
    seen: RawObject, fingerprint: str, counts: Mapping[str | None, int], fallback: str, flaw: str | None = None
) -> ReadObject:
    """Say which partitions an object feeds, with how many records each.

    Args:
        counts: records by partition key; under None those without a usable time.
    """
    placed = {key: n for key, n in counts.items() if key is not None}
    home = choose_home(placed, fallback)
    if counts.get(None):
        placed[home] = placed.get(home, 0) + counts[None]
    return ReadObject(seen, fingerprint, home, placed, flaw)


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
