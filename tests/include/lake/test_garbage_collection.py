"""What may go, and what must stay: every snapshot that is current, was lately, or is named, can be read whole."""

import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, insert, text

from include.errors import LakeConflict
from include.lake import files, garbage_collection
from include.lake.catalog import find_table, load_table, open_catalog
from include.lake.garbage_collection import (
    expire_snapshots,
    find_orphans,
    named_snapshots,
    remove_earlier_attempts,
    remove_orphans,
)
from include.lake.reading import current_snapshot, open_rows, planned_files
from include.lake.upkeep import compact
from include.lake.writing import publish_files, replace_partition
from include.names import PARTITION_KEY
from include.warehouse.tables.learning import MODEL_VERSION, SCORED_PARTITION
from include.warehouse.tables.quality import PARTITION_AUDIT
from include.warehouse.tables.review import REVIEW_BATCH

PROBLEM = "flights"
TABLE = f"lake.{PROBLEM}"
JANUARY, FEBRUARY = "2013-01", "2013-02"
KEYS = (JANUARY, FEBRUARY)
SCHEMA = pa.schema([(PARTITION_KEY, pa.string()), ("v", pa.float64())])
LATER = datetime.now(UTC) + timedelta(days=2)


@pytest.fixture
def patch():
    """Change a name for a time; the house's own environment stays when it is undone."""
    with pytest.MonkeyPatch.context() as held:
        yield held


def write(value, key=JANUARY):
    return replace_partition(TABLE, key, pa.table({PARTITION_KEY: [key], "v": [value]}))


def stage(key, *values):
    """Write files as a staging does, one a value, and clean up as it does; nothing is published yet."""
    folder = files.partition_folder(TABLE, key)
    rows = [pa.table({PARTITION_KEY: [key], "v": [value]}, SCHEMA) for value in values]
    paths = [files.write_parquet(folder, SCHEMA, [row])[0] for row in rows]
    remove_earlier_attempts(TABLE, key, paths)
    return paths


def publish(key, *values):
    return publish_files(TABLE, key, stage(key, *values), SCHEMA)


def values_of(snapshot_id=None):
    rows = open_rows(TABLE, snapshot_id=snapshot_id).to_pyarrow().to_pylist()
    return sorted((row[PARTITION_KEY], row["v"]) for row in rows)


def filled(table, **values):
    """Give a row of a table, of which only `values` matter."""
    kinds = {
        "TEXT": "x",
        "INTEGER": 0,
        "BIGINT": 0,
        "FLOAT": 0.5,
        "DOUBLE": 0.5,
        "NUMERIC": 0.5,
        "BOOLEAN": False,
        "JSONB": {},
    }
    kinds |= {"TIMESTAMP": datetime(2013, 1, 1, tzinfo=UTC), "DATETIME": datetime(2013, 1, 1, tzinfo=UTC)}
    held = {column.name: kinds[str(column.type).partition("(")[0].partition(" ")[0]] for column in table.columns}
    return held | {"problem": PROBLEM} | values


def name_by_model(house, snapshot_id, version="v1"):
    row = filled(MODEL_VERSION, model_version=version, snapshot_id=snapshot_id)
    with house.engine.begin() as connection:
        connection.execute(insert(MODEL_VERSION), [row])


def test_a_models_snapshot_outlives_the_expiry_of_the_one_that_wrote_its_files(landing):
    publish(JANUARY, 1.0)
    named = publish(FEBRUARY, 2.0)
    name_by_model(landing.house, named)
    publish(JANUARY, 3.0)
    expire_snapshots(TABLE, named_by=PROBLEM)
    publish(JANUARY, 4.0)
    assert values_of(named) == [(JANUARY, 1.0), (FEBRUARY, 2.0)]


def test_a_snapshot_that_wrote_several_partitions_at_once_keeps_its_files(landing):
    publish(JANUARY, 1.0, 2.0)
    publish(FEBRUARY, 3.0, 4.0)
    assert compact(TABLE) == 2
    named = current_snapshot(TABLE)
    expected = values_of()
    for value in (5.0, 6.0):
        publish(JANUARY, value)
    assert values_of(named) == expected


def test_what_a_foreign_writer_committed_without_saying_where_keeps_its_files(landing):
    publish(FEBRUARY, 2.0)
    (path,) = stage(JANUARY, 1.0)
    with load_table(TABLE).transaction() as transaction:
        transaction.add_files([files.absolute(path)])
    foreign = current_snapshot(TABLE)
    for value in (3.0, 4.0):
        publish(JANUARY, value)
    assert values_of(foreign) == [(JANUARY, 1.0), (FEBRUARY, 2.0)]


def test_leftovers_of_killed_runs_go_and_what_is_to_be_published_stays(landing):
    publish(JANUARY, 1.0)
    live = planned_files(load_table(TABLE))
    (left,) = stage(JANUARY, 2.0)
    with files.unfinished_file(files.partition_folder(TABLE, JANUARY)) as unfinished:
        unfinished.write_bytes(b"half")
        foreign = unfinished.with_name("somebody-elses.parquet")
        foreign.write_bytes(b"whole")
        to_publish = stage(JANUARY, 3.0)
        assert not unfinished.exists()
        assert foreign.exists()
    held = files.list_folder(files.partition_folder(TABLE, JANUARY))
    assert left not in held
    assert {*live, *to_publish} <= set(held)
    assert remove_earlier_attempts(TABLE, "2019-01", []) == 0


def write_what_a_compaction_will_write(key):
    """Write the file that a compaction of a partition makes, and publish nothing: what a killed one leaves."""
    paths = planned_files(load_table(TABLE), [key])
    rows = [pq.read_table(files.absolute(path), schema=SCHEMA) for path in paths]
    return files.write_parquet(files.partition_folder(TABLE, key), SCHEMA, rows)[0]


def wait_until_blocked_or_over(engine, thread):
    """Wait until the thread waits for a lock of the warehouse, or is done."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    while thread.is_alive():
        with engine.connect() as connection:
            if connection.scalar(waiting):
                return
        thread.join(0.01)


def test_a_compaction_that_commits_between_the_look_and_the_removal_loses_nothing(landing, patch):
    publish(JANUARY, 1.0, 2.0)
    write_what_a_compaction_will_write(JANUARY)
    ends = []

    def compact_at_once():
        try:
            ends.append(compact(TABLE))
        except LakeConflict as error:
            ends.append(error)

    thread, remove = threading.Thread(target=compact_at_once), files.remove_files

    def remove_late(paths):
        patch.undo()
        thread.start()
        wait_until_blocked_or_over(landing.house.engine, thread)
        remove(paths)

    patch.setattr(files, "remove_files", remove_late)
    assert remove_earlier_attempts(TABLE, JANUARY, []) == 1
    thread.join()
    assert [type(end) for end in ends] == [LakeConflict]
    assert values_of() == [(JANUARY, 1.0), (JANUARY, 2.0)]
    assert compact(TABLE) == 1


def test_files_that_were_cleared_away_before_their_commit_are_not_published(landing, patch):
    publish(JANUARY, 1.0, 2.0)
    written = files.write_parquet

    def clear_after(*arguments):
        found = written(*arguments)
        patch.undo()
        remove_earlier_attempts(TABLE, JANUARY, [])
        return found

    patch.setattr(files, "write_parquet", clear_after)
    with pytest.raises(LakeConflict, match=r"1 of 1 files .* are gone.*Nothing was changed"):
        compact(TABLE)
    assert values_of() == [(JANUARY, 1.0), (JANUARY, 2.0)]
    assert compact(TABLE) == 1


def test_old_snapshots_go_but_the_current_and_those_that_are_named(landing):
    first, second, third = write(1.0), write(2.0), write(3.0)
    name_by_model(landing.house, first)
    assert expire_snapshots(TABLE, named_by=PROBLEM, superseded_before=datetime(2020, 1, 1, tzinfo=UTC)) == []
    gone = expire_snapshots(TABLE, named_by=PROBLEM, superseded_before=LATER)
    assert second in gone
    assert not {first, third} & set(gone)
    assert values_of(first) == [(JANUARY, 1.0)]
    assert values_of() == [(JANUARY, 3.0)]
    assert first in expire_snapshots(TABLE)


def test_an_old_snapshot_that_was_current_until_lately_stays(landing):
    first = write(1.0)
    between = datetime.now(UTC)
    second = write(2.0)
    write(3.0)
    assert expire_snapshots(TABLE, superseded_before=between) == []
    after_second = datetime.fromtimestamp(find_table(TABLE).snapshot_by_id(int(second)).timestamp_ms / 1_000, UTC)
    gone = expire_snapshots(TABLE, superseded_before=after_second + timedelta(milliseconds=1))
    assert first in gone
    assert second not in gone


def test_a_snapshot_that_is_named_while_others_expire_is_kept(landing, patch):
    named, _ = write(1.0), write(2.0)
    find = garbage_collection.find_table

    def name_late(table_name):
        patch.undo()
        name_by_model(landing.house, named)
        return find(table_name)

    patch.setattr(garbage_collection, "find_table", name_late)
    assert named not in expire_snapshots(TABLE, named_by=PROBLEM)
    assert values_of(named) == [(JANUARY, 1.0)]


def test_snapshots_of_models_and_batches_are_named_and_those_of_commits_are_not(landing):
    name_by_model(landing.house, "11")
    rows = {
        REVIEW_BATCH: filled(REVIEW_BATCH, batch_id="round-001", predictions_snapshot_id="12", status="open"),
        SCORED_PARTITION: filled(SCORED_PARTITION, snapshot_id="34"),
        PARTITION_AUDIT: filled(PARTITION_AUDIT, snapshot_id="56", verdict="published"),
    }
    with landing.house.engine.begin() as connection:
        for table, row in rows.items():
            connection.execute(insert(table), [row])
        assert named_snapshots(connection, PROBLEM) == {"11", "12"}
        assert named_snapshots(connection, "other") == set()


def test_only_files_that_no_snapshot_needs_are_orphans(landing):
    first = write(1.0)
    write(2.0)
    assert find_orphans(TABLE, LATER) == []
    files.write_parquet("flights/data/2013-01", pa.schema([("x", pa.int64())]), [pa.table({"x": [1]})])
    assert [path.split("/")[1] for path in find_orphans(TABLE, LATER)] == ["data"]
    assert find_orphans(TABLE, datetime.now(UTC) - timedelta(hours=1)) == []
    assert remove_orphans(TABLE, LATER) == 1
    assert values_of(first) == [(JANUARY, 1.0)]
    expire_snapshots(TABLE)
    assert remove_orphans(TABLE, LATER) > 1
    assert len(files.list_folder("flights/data/2013-01")) == 1
    assert values_of() == [(JANUARY, 2.0)]


def test_an_orphan_that_is_published_between_the_look_and_the_removal_stays(landing, patch):
    write(1.0)
    (path,) = stage(FEBRUARY, 2.0)
    find = garbage_collection.find_orphans

    def publish_late(*arguments, **more):
        found = find(*arguments, **more)
        patch.undo()
        publish_files(TABLE, FEBRUARY, [path], SCHEMA)
        return found

    patch.setattr(garbage_collection, "find_orphans", publish_late)
    assert remove_orphans(TABLE, LATER) == 0
    assert values_of() == [(JANUARY, 1.0), (FEBRUARY, 2.0)]


def test_a_manifest_that_a_snapshot_names_is_no_orphan(landing):
    with files.unfinished_file("flights/manifests/2013-01") as path:
        path.write_text("[]")
        kept = files.keep_file(path, "flights/manifests/2013-01", "json")
    rows = pa.table({PARTITION_KEY: [JANUARY], "v": [1.0]})
    replace_partition(TABLE, JANUARY, rows, {"mulgil.manifest_path": kept})
    assert find_orphans(TABLE, LATER) == []
    write(2.0)
    expire_snapshots(TABLE)
    assert kept in find_orphans(TABLE, LATER)


def test_of_a_long_history_only_what_changed_the_partition_is_read(landing, patch):
    publish(JANUARY, 1.0)
    for value in range(12):
        publish(FEBRUARY, float(value))
    asked, plan = [], garbage_collection.planned_files

    def count(*arguments):
        asked.append(arguments)
        return plan(*arguments)

    patch.setattr(garbage_collection, "planned_files", count)
    stage(JANUARY, 2.0)
    stage(JANUARY, 3.0)
    assert len(asked) == 1 + 1  # once a staging: January's own
    assert values_of()[0] == (JANUARY, 1.0)


class Lake(RuleBasedStateMachine):
    """Everybody who changes a lake table, one after the other in any order, and who remembers what it held when."""

    house = None
    keys = st.sampled_from(KEYS)
    # Few values, so that the same files are written again and again.
    some = st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=1, max_size=3, unique=True)

    @initialize(key=keys, values=some)
    def begin(self, key, values):
        if find_table(TABLE) is not None:
            open_catalog().drop_table(TABLE)
        with self.house.engine.begin() as connection:
            connection.execute(delete(MODEL_VERSION))
        self.held, self.named, self.staged = {}, {}, {}
        self.publish(key, values)

    def now_holds(self, key, values):
        self.held[key] = sorted(values)

    def rows(self):
        return sorted((key, value) for key, values in self.held.items() for value in values)

    @rule(key=keys, values=some)
    def publish(self, key, values):
        publish(key, *values)
        self.now_holds(key, values)

    @rule(key=keys, values=some)
    def stage_and_be_killed(self, key, values):
        self.staged[key] = (stage(key, *values), values)

    @rule(key=keys)
    def publish_what_was_staged(self, key):
        paths, values = self.staged.pop(key, ([], []))
        if not paths or files.missing_files(paths):
            return
        publish_files(TABLE, key, paths, SCHEMA)
        self.now_holds(key, values)

    @rule(key=keys, value=st.sampled_from([1.0, 2.0, 3.0]))
    def replay(self, key, value):
        """Publish the files that are there, and one more beside them."""
        base = planned_files(load_table(TABLE), [key])
        if value in self.held.get(key, []):
            return
        folder = files.partition_folder(TABLE, key)
        fresh, _ = files.write_parquet(folder, SCHEMA, [pa.table({PARTITION_KEY: [key], "v": [value]}, SCHEMA)])
        publish_files(TABLE, key, [*base, fresh], SCHEMA)
        self.now_holds(key, [*self.held.get(key, []), value])

    @rule(version=st.integers(0, 2))
    def name_the_current_snapshot(self, version):
        snapshot_id = current_snapshot(TABLE)
        with self.house.engine.begin() as connection:
            connection.execute(delete(MODEL_VERSION).where(MODEL_VERSION.c.model_version == str(version)))
        name_by_model(self.house, snapshot_id, str(version))
        self.named[version] = (snapshot_id, self.rows())

    @rule()
    def compact(self):
        compact(TABLE)

    @rule(key=keys, values=some)
    def expire_and_publish_again(self, key, values):
        expire_snapshots(TABLE, named_by=PROBLEM, superseded_before=LATER)
        self.publish(key, values)

    @rule()
    def collect(self):
        remove_orphans(TABLE, LATER)

    @rule(value=st.sampled_from([1.0, 2.0, 3.0]))
    def erase(self, value):
        """Take a person out of every partition, and forget the history, named or not: models are marked instead."""
        for key in [key for key, values in self.held.items() if value in values]:
            rest = [held for held in self.held[key] if held != value]
            replace_partition(TABLE, key, pa.table({PARTITION_KEY: [key] * len(rest), "v": rest}, SCHEMA))
            self.now_holds(key, rest)
        gone = expire_snapshots(TABLE)
        remove_orphans(TABLE, LATER, with_young_metadata=True)
        self.named = {version: named for version, named in self.named.items() if named[0] not in gone}

    @invariant()
    def every_named_snapshot_is_read_whole(self):
        for snapshot_id, rows in self.named.values():
            assert values_of(snapshot_id) == rows

    @invariant()
    def the_table_is_read_whole(self):
        assert values_of() == self.rows()


@pytest.mark.slow
def test_whatever_is_done_in_whatever_order_every_named_snapshot_is_read_whole(landing):
    Lake.house = landing.house
    few = settings(
        max_examples=20,
        stateful_step_count=40,
        derandomize=True,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Lake, settings=few)
