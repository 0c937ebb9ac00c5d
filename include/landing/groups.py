"""Says which waiting partitions one ingest run takes along: a small one costs little more than what all share.

What belongs here: the choice, and where it is kept (`core.coverage.group_key`). What does not: ingesting a group
(`lake/group_ingest.py`).
"""

from collections.abc import Collection, Mapping

from sqlalchemy import BigInteger, Connection, cast, func, select, update

from include.names import Coverage, Stage
from include.partition_keys import sort_key
from include.warehouse.predicates import is_one_of
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.runs import COVERAGE

# What a run holds back until its slowest partition is audited, and what it has to do again when it is killed.
MOST_PARTITIONS = 64
# Of raw objects. Beyond it a partition costs by its rows, and nothing is saved by taking it along.
MOST_BYTES = 64 << 20


def choose_groups(sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """Put neighbouring partitions together, as long as they are few and small.

    Args:
        sizes: partition to the bytes of its share of raw objects.

    Returns:
        each partition once, oldest first: the first partition of a group to all of it.
    """
    groups: list[list[str]] = []
    held = 0
    for key in sorted(sizes, key=sort_key):
        if not groups or len(groups[-1]) >= MOST_PARTITIONS or held + sizes[key] > MOST_BYTES:
            groups.append([])
            held = 0
        groups[-1].append(key)
        held += sizes[key]
    return {group[0]: group for group in groups}


def form_groups(connection: Connection, problem: str, partition_keys: Collection[str]) -> list[str]:
    """Write down which of some waiting partitions are ingested together.

    Returns:
        the partitions whose runs take all of them along, oldest first.
    """
    ours = (COVERAGE.c.problem == problem, COVERAGE.c.stage == str(Stage.INGEST))
    sizes = dict.fromkeys(partition_keys, 0) | _read_sizes(connection, problem, partition_keys)
    # What failed or was killed twice goes alone: in company it might end its neighbours for ever.
    has_failed = (COVERAGE.c.n_failures > 1, is_one_of(COVERAGE.c.partition_key, partition_keys))
    suspects = connection.scalars(select(COVERAGE.c.partition_key).where(*ours, *has_failed))
    groups = choose_groups(sizes | dict.fromkeys(suspects, MOST_BYTES + 1))
    # What was refused in the company of one of these stays refused until something of its own lands.
    is_left = (is_one_of(COVERAGE.c.group_key, groups), COVERAGE.c.status == str(Coverage.REFUSED))
    connection.execute(update(COVERAGE).where(*ours, *is_left).values(group_key=None))
    for leader, group in groups.items():
        taken = is_one_of(COVERAGE.c.partition_key, group)
        connection.execute(update(COVERAGE).where(*ours, taken).values(group_key=leader if len(group) > 1 else None))
    return list(groups)


def _read_sizes(connection: Connection, problem: str, partition_keys: Collection[str]) -> dict[str, int]:
    """Read the share of raw objects that each partition has: of an object as many bytes as of its records."""
    share = LANDING_OBJECT.c.size_bytes * LANDING_PARTITION.c.n_rows / func.greatest(LANDING_OBJECT.c.n_rows, 1)
    query = (
        select(LANDING_PARTITION.c.partition_key, cast(func.sum(share), BigInteger))
        .join(
            LANDING_OBJECT,
            (LANDING_OBJECT.c.problem == LANDING_PARTITION.c.problem)
            & (LANDING_OBJECT.c.object_key == LANDING_PARTITION.c.object_key),
        )
        .where(LANDING_PARTITION.c.problem == problem)
        .where(is_one_of(LANDING_PARTITION.c.partition_key, partition_keys))
        .group_by(LANDING_PARTITION.c.partition_key)
    )
    return {key: int(size) for key, size in connection.execute(query)}
