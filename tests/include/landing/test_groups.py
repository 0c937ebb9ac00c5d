import pytest
from sqlalchemy import select, update

from include.landing.groups import MOST_BYTES, MOST_PARTITIONS, choose_groups, form_groups
from include.names import Coverage, Stage
from include.warehouse.coverage import mark, read_group
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.landing import LANDING_OBJECT, LANDING_PARTITION
from include.warehouse.tables.runs import COVERAGE

DAYS = [f"2013-01-{day:02d}" for day in range(1, 32)]


def test_every_partition_is_in_one_group_and_each_is_named_after_its_oldest():
    sizes = {f"2013-{month:02d}-{day:02d}": 1 for month in range(12, 0, -1) for day in range(28, 0, -1)}
    groups = choose_groups(sizes)
    assert [key for group in groups.values() for key in group] == sorted(sizes)
    assert [group[0] for group in groups.values()] == list(groups)
    assert [len(group) for group in groups.values()] == [MOST_PARTITIONS] * 5 + [336 - 5 * MOST_PARTITIONS]


@pytest.mark.parametrize(
    ("sizes", "groups"),
    [
        ([], []),
        ([MOST_BYTES * 9], [1]),
        ([MOST_BYTES, 0, 1], [2, 1]),
        ([1, MOST_BYTES, MOST_BYTES], [1, 1, 1]),
        ([MOST_BYTES // 2, MOST_BYTES // 2, 1], [2, 1]),
    ],
)
def test_a_group_is_never_larger_than_its_bound_unless_it_is_one_partition(sizes, groups):
    found = choose_groups(dict(zip(DAYS, sizes, strict=False)))
    assert [len(group) for group in found.values()] == groups


@pytest.fixture
def landed(house):
    """Give a connection to a warehouse where one object of two bounds feeds 30 days, and another the last one."""
    with house.engine.begin() as connection:
        row = {"problem": "p", "version": "", "fingerprint": "", "home_partition": DAYS[0], "placed_by": None}
        row |= {"n_unplaced": 0, "flaw": "", "seen_at_utc": "2013-02-01T00:00:00Z"}
        sizes = {"many": (MOST_BYTES * 2, 30), "one": (10, 1)}
        objects = [row | {"object_key": key, "size_bytes": size, "n_rows": n} for key, (size, n) in sizes.items()]
        upsert_rows(connection, LANDING_OBJECT, objects)
        feeds = [{"problem": "p", "partition_key": day, "object_key": "many", "n_rows": 1} for day in DAYS[:30]]
        feeds.append({"problem": "p", "partition_key": DAYS[30], "object_key": "one", "n_rows": 1})
        upsert_rows(connection, LANDING_PARTITION, feeds)
        for day in DAYS:
            mark(connection, "p", Stage.INGEST, day, Coverage.WAITING)
        yield connection


def test_an_object_counts_for_a_partition_by_its_share_of_the_records(landed):
    assert form_groups(landed, "p", DAYS) == [DAYS[0], DAYS[15], DAYS[30]]
    assert read_group(landed, "p", DAYS[15], "run") == DAYS[15:30]
    assert read_group(landed, "p", DAYS[3], "run") == [DAYS[3]]


def test_a_run_takes_along_only_what_is_not_done(landed):
    form_groups(landed, "p", DAYS[:4])
    for day, status in zip(DAYS, (Coverage.DONE, Coverage.DONE, Coverage.REFUSED, Coverage.FAILED), strict=False):
        mark(landed, "p", Stage.INGEST, day, status)
    assert read_group(landed, "p", DAYS[0], "run") == [DAYS[0], DAYS[2], DAYS[3]]


def test_a_run_leaves_alone_what_another_run_is_at(landed):
    form_groups(landed, "p", DAYS[:3])
    mark(landed, "p", Stage.INGEST, DAYS[1], Coverage.RUNNING, run_id="other")
    mark(landed, "p", Stage.INGEST, DAYS[2], Coverage.RUNNING, run_id="run")
    assert read_group(landed, "p", DAYS[0], "run") == [DAYS[0], DAYS[2]]


def test_a_partition_that_failed_again_and_again_goes_alone(landed):
    suspect = (COVERAGE.c.problem == "p", COVERAGE.c.partition_key == DAYS[2])
    landed.execute(update(COVERAGE).where(*suspect).values(n_failures=2))
    assert form_groups(landed, "p", DAYS[:5]) == [DAYS[0], DAYS[2], DAYS[3]]
    assert read_group(landed, "p", DAYS[2], "run") == [DAYS[2]]


def test_what_lands_later_for_one_does_not_take_up_what_was_refused_beside_it(landed):
    form_groups(landed, "p", DAYS[:3])
    mark(landed, "p", Stage.INGEST, DAYS[1], Coverage.REFUSED)
    mark(landed, "p", Stage.INGEST, DAYS[2], Coverage.FAILED)
    assert form_groups(landed, "p", [DAYS[0]]) == [DAYS[0]]
    assert read_group(landed, "p", DAYS[0], "run") == [DAYS[0], DAYS[2]]


def test_groups_of_one_problem_are_not_those_of_another(landed):
    form_groups(landed, "p", DAYS[:2])
    mark(landed, "q", Stage.INGEST, DAYS[0], Coverage.WAITING)
    assert form_groups(landed, "q", [DAYS[0]]) == [DAYS[0]]
    groups = landed.execute(select(COVERAGE.c.problem, COVERAGE.c.group_key).where(COVERAGE.c.group_key.is_not(None)))
    assert {tuple(row) for row in groups} == {("p", DAYS[0])}
    assert form_groups(landed, "p", []) == []
