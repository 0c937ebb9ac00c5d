"""Objects are withdrawn and ingested anew for real: landing, ingest, and withdrawal walk together."""

import json
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
import yaml
from sqlalchemy import Engine, event, select

from include.errors import BadForm, PartitionRefused
from include.lake.reading import open_rows
from include.lake.steps import choose_quarantined, publish_partition, publish_replay, stage_partition, stage_replay
from include.lake.writing import replace_partition
from include.landing.steps import find_new_partitions, list_withdrawn, withdraw_objects
from include.names import Coverage, Stage, predictions_table
from include.quality.steps import audit_partition, audit_replay
from include.warehouse.coverage import mark, passed_partitions, read_statuses, settled_prefix
from include.warehouse.tables.landing import WITHDRAWAL
from include.warehouse.tables.quality import PARTITION_AUDIT
from tests.include.lake.conftest import PROBLEM

JANUARY, FEBRUARY = "2013-01", "2013-02"
ASKED = {"problem": "flights", "reason": "gates of another airport", "actor": "kim"}
pytestmark = pytest.mark.slow


def hand_on(outcome):
    return json.loads(json.dumps(outcome))


def stage(key):
    about = {"problem": "flights", "partition_key": key, "run_id": f"ingest-{key}"}
    staged = hand_on(stage_partition(**about))
    return {**about, "staged": staged, "audit": hand_on(audit_partition(**about, staged=staged))}


def ingest(*keys):
    return [publish_partition(**stage(key))["verdict"] for key in keys]


def land_and_ingest():
    return ingest(*find_new_partitions(problem="flights")["partitions"])


def withdraw(*objects, run_id="w1", **more):
    return withdraw_objects(objects=list(objects), run_id=run_id, **ASKED, **more)


def ids():
    return sorted(open_rows("lake.flights").to_pyarrow()["flight_id"].to_pylist())


@pytest.fixture
def ask(landing):
    def read(function, *arguments):
        with landing.house.engine.begin() as connection:
            return function(connection, "flights", *arguments)

    return read


@pytest.fixture
def counts(landing):
    """Read what the warehouse counts of a partition: in, published, quarantined, duplicate, withdrawn."""

    def read(key):
        names = ("n_in", "n_published", "n_quarantined", "n_duplicate", "n_withdrawn", "n_in_lake", "verdict")
        query = select(*(PARTITION_AUDIT.c[name] for name in names)).where(PARTITION_AUDIT.c.partition_key == key)
        with landing.house.engine.connect() as connection:
            return tuple(connection.execute(query).one())

    return read


@pytest.fixture
def wrong(landing, flight):
    """Land a good and a wrong file for January, the wrong one with a row of February; ingest them."""
    landing.drop("good.jsonl", flight("a"), flight("b", delay="x"), flight("z\u2028|long" * 2000))
    rows = [flight("a", delay=9.0), flight("c"), flight("d", delay="bad")]
    landing.drop("a wrong|file \u2028.jsonl", *rows, flight("e", "2013-02-03T00:00:00Z"))
    land_and_ingest()
    return "flights/a wrong|file \u2028.jsonl"


def test_rows_leave_lake_and_quarantine_and_the_counts_say_so(wrong, counts, ask):
    assert counts(JANUARY) == (6, 3, 2, 1, 0, 3, "published")
    found = withdraw(wrong)
    assert (found["n_objects"], found["n_rows"], found["partitions"]) == (1, 4, [JANUARY, FEBRUARY])
    assert list_withdrawn(problem="flights", run_id="w1")["partitions"] == [JANUARY]  # it takes February along
    assert ingest(JANUARY, FEBRUARY) == ["published", "withdrawn"]
    assert counts(JANUARY) == (6, 2, 1, 0, 3, 2, "published")
    assert counts(FEBRUARY) == (1, 0, 0, 0, 1, 0, "withdrawn")
    assert [name[:2] for name in ids()] == ["a", "z\u2028"]
    assert open_rows("lake.flights__quarantine").count().to_pyarrow().as_py() == 1
    assert ask(settled_prefix) == [JANUARY]
    assert ask(passed_partitions) == {FEBRUARY: "all 1 records are of withdrawn objects"}


def test_a_row_that_the_wrong_file_displaced_comes_back(landing, flight):
    landing.drop("1-wrong.jsonl", flight("a", delay=9.0))
    landing.drop("2-good.jsonl", flight("a", delay=5.0))
    land_and_ingest()
    withdraw("flights/1-wrong.jsonl")
    ingest(JANUARY)
    assert open_rows("lake.flights").to_pyarrow()["delay"].to_pylist() == [5.0]


def test_the_same_bytes_stay_out_under_any_name_until_restored(landing, wrong, flight, counts):
    withdraw(wrong)
    ingest(JANUARY, FEBRUARY)
    path = landing.house.home / "landing" / wrong
    (path.parent / "upload (2).jsonl").write_bytes(path.read_bytes())
    found = find_new_partitions(problem="flights", run_id="land-2")
    assert "withdrawn by kim (gates of another airport)" in found["flaws"]["flights/upload (2).jsonl"]
    assert ingest(*found["partitions"]) == ["published", "withdrawn"]
    assert counts(JANUARY) == (9, 2, 1, 0, 6, 2, "published")
    back = withdraw("flights/upload (2).jsonl", run_id="w2", action="restore")
    assert (back["n_objects"], back["objects"][0]) == (2, wrong)
    assert ingest(JANUARY, FEBRUARY) == ["published", "published"]
    assert {"c", "e"} <= set(ids())


def test_mended_bytes_under_the_same_name_are_read(landing, wrong, flight):
    withdraw(wrong)
    landing.drop("a wrong|file \u2028.jsonl", flight("mended"))
    assert find_new_partitions(problem="flights")["partitions"] == [JANUARY, FEBRUARY]
    assert ingest(JANUARY) == ["published"]
    assert set(ids()) & {"mended", "c"} == {"mended"}


def test_where_names_say_what_rows_are_only_the_named_object_goes(landing, flight):
    landing.write_problem(key=["_object", "_line"])
    landing.drop("1.jsonl", flight("a"))
    landing.drop("2.jsonl", flight("a"))
    land_and_ingest()
    assert withdraw("flights/1.jsonl")["objects"] == ["flights/1.jsonl"]
    ingest(JANUARY)
    assert open_rows("lake.flights").to_pyarrow()["_object_key"].to_pylist() == ["flights/2.jsonl"]


def test_twice_is_nothing_more_and_a_repeated_run_announces_again(wrong, landing):
    first = withdraw(wrong)
    assert withdraw(wrong, run_id="w2") == {**first, "objects": [], "partitions": [], "n_objects": 0, "n_rows": 0} | {
        "reason": "nothing to do: somebody did it before"
    }
    assert list_withdrawn(problem="flights", run_id="w2")["partitions"] == []
    for _ in range(2):  # as after a crash between the two tasks
        assert list_withdrawn(problem="flights", run_id="w1")["partitions"] == [JANUARY]
    with landing.house.engine.connect() as connection:
        assert set(connection.scalars(select(WITHDRAWAL.c.run_id))) == {"w1"}


def test_two_at_once_withdraw_once(wrong, landing):
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda run: withdraw(wrong, run_id=run), ["w1", "w2"]))
    assert sorted(one["n_objects"] for one in done) == [0, 1]
    with landing.house.engine.connect() as connection:
        assert connection.execute(select(WITHDRAWAL)).rowcount == 2  # a row for each partition


def test_an_ingest_that_read_the_object_before_changes_nothing(wrong, landing, ask):
    landing.drop("late.jsonl", {"flight_id": "f", "at": "2013-01-09T00:00:00Z"})
    find_new_partitions(problem="flights")
    staged = stage(JANUARY)
    withdraw(wrong)
    found = publish_partition(**staged)
    assert found["verdict"] == "outdated"
    assert "was withdrawn since" in found["reason"]
    assert ask(read_statuses, Stage.INGEST)[JANUARY] == Coverage.WAITING


def test_a_refusal_of_the_rest_keeps_no_withdrawn_row(landing, flight, counts):
    ceiling = {"expect": "ExpectTableRowCountToBeBetween", "severity": "stop", "arguments": {"min_value": 2}}
    (landing.problems_dir / "flights.yaml").write_text(
        yaml.safe_dump(PROBLEM | {"quality": {"expectations": [ceiling]}})
    )
    landing.drop("good.jsonl", flight("a"))
    landing.drop("wrong.jsonl", flight("b"))
    land_and_ingest()
    withdraw("flights/wrong.jsonl")
    with pytest.raises(PartitionRefused, match="was not published"):
        ingest(JANUARY)
    assert counts(JANUARY) == (2, 0, 0, 0, 1, 0, "refused")
    assert ids() == []
    landing.drop("more.jsonl", flight("c"))
    assert land_and_ingest() == ["published"]
    landing.drop("good.jsonl")  # from here on too few again: what was published without the wrong file stays
    with pytest.raises(PartitionRefused, match="was not published"):
        land_and_ingest()
    assert ids() == ["a", "c"]


def test_a_replay_of_what_was_withdrawn_waits_for_the_ingest(wrong):
    run = {"problem": "flights", "run_id": "r"}
    assert choose_quarantined(reason="mended now", actor="kim", **run)["partitions"] == [JANUARY]
    withdraw(wrong)
    assert "waits for its ingest" in stage_replay(partition_key=JANUARY, **run)["reason"]
    ingest(JANUARY)
    again = choose_quarantined(reason="mended now", actor="kim", problem="flights", run_id="r2")
    assert again["partitions"] == [JANUARY]
    about = {"problem": "flights", "partition_key": JANUARY, "run_id": "r2"}
    staged = hand_on(stage_replay(**about))
    audit = hand_on(audit_replay(**about, staged=staged))
    assert publish_replay(**about, staged=staged, audit=audit)["n_quarantined"] == 1


@pytest.mark.parametrize(
    ("objects", "more", "sentence"),
    [
        (
            ["flights/god.jsonl", "flights/good.jsonl"],
            {},
            r"1 of the 2 names.*'flights/god.jsonl', is it 'flights/good",
        ),
        (["nowhere/*"], {}, "1 of the 1 names fit no object"),
        ([" "], {}, r"at least one object \(0 given\)"),
        (["flights/good.jsonl"], {"action": "delete"}, "'delete' given"),
    ],
)
def test_a_wrong_form_changes_nothing_and_says_why(wrong, ask, objects, more, sentence):
    with pytest.raises(BadForm, match=sentence):
        withdraw(*objects, **more)
    assert set(ask(read_statuses, Stage.INGEST).values()) == {Coverage.DONE}


def test_a_star_names_many_and_a_name_with_a_star_itself(landing, flight):
    for name in ("2013-01-01.jsonl", "2013-01-02.jsonl", "*.jsonl"):
        landing.drop(name, flight(name))
    find_new_partitions(problem="flights")
    assert withdraw("flights/*.jsonl")["objects"] == ["flights/*.jsonl"]
    assert withdraw("flights/2013-01-*", run_id="w2")["n_objects"] == 2


def test_what_cannot_be_used_is_withdrawn_too_and_blocked_nobody(landing, flight, ask):
    landing.drop("0-empty.jsonl")
    (landing.folder / "flights" / "1-other.jsonl").write_bytes(b"\x50\x4b\x03\x04 a zip file")
    landing.drop("2-good.jsonl", flight("g", "2013-03-05T00:00:00Z"))
    assert find_new_partitions(problem="flights")["partitions"] == [JANUARY, "2013-03"]
    with pytest.raises(PartitionRefused, match="no row left"):
        ingest(JANUARY)
    ingest("2013-03")
    assert ask(settled_prefix) == ["2013-03"]
    assert [reason.partition(" (")[0] for reason in ask(passed_partitions).values()] == ["no row left"]
    found = withdraw("flights/0-empty.jsonl", "flights/1-other.jsonl")
    assert (found["n_objects"], found["partitions"]) == (2, [JANUARY])
    assert ingest(JANUARY) == ["withdrawn"]
    assert ask(settled_prefix) == ["2013-03"]


def test_a_run_that_is_repeated_later_leaves_other_bytes_alone(landing, wrong, flight):
    withdraw(wrong)
    ingest(JANUARY, FEBRUARY)
    landing.drop("a wrong|file \u2028.jsonl", flight("mended"))
    find_new_partitions(problem="flights")
    ingest(JANUARY)
    query = select(WITHDRAWAL).order_by(WITHDRAWAL.c.partition_key)
    with landing.house.engine.connect() as connection:
        before = connection.execute(query).all()
    assert withdraw(wrong)["n_objects"] == 0
    with landing.house.engine.connect() as connection:
        assert connection.execute(query).all() == before
    withdraw(wrong, run_id="w2")
    withdraw(wrong, run_id="w3", action="restore")
    withdraw(wrong, run_id="w4")
    assert withdraw(wrong, run_id="w3", action="restore")["n_objects"] == 0


def test_an_empty_object_that_is_withdrawn_takes_no_good_row_along(landing, flight, ask):
    few = {"expect": "ExpectTableRowCountToBeBetween", "severity": "stop", "arguments": {"min_value": 1}}
    landing.drop("0-empty.jsonl")
    landing.drop("good.jsonl", flight("a"))
    land_and_ingest()
    withdraw("flights/0-empty.jsonl")
    quality = {"expectations": [few | {"arguments": {"min_value": 2}}]}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": quality}))
    landing.drop("good.jsonl", flight("b"))
    with pytest.raises(PartitionRefused, match="was not published"):
        land_and_ingest()
    assert ids() == ["a"]


def test_a_restore_and_an_ingest_that_publishes_wait_in_one_order(wrong):
    withdraw(wrong)
    writes = []

    def listen(connection, cursor, statement, *others):
        writes.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    withdraw(wrong, run_id="w2", action="restore")
    event.remove(Engine, "before_cursor_execute", listen)
    marked = [i for i, said in enumerate(writes) if "core.coverage" in said and not said.startswith("SELECT")]
    let_in = [i for i, said in enumerate(writes) if said.startswith("UPDATE core.withdrawal")]
    assert max(marked) < min(let_in)


def test_predictions_of_a_partition_whose_rest_is_refused_go(landing, flight):
    few = {"expect": "ExpectTableRowCountToBeBetween", "severity": "stop", "arguments": {"min_value": 2}}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | {"quality": {"expectations": [few]}}))
    landing.drop("good.jsonl", flight("a"))
    landing.drop("wrong.jsonl", flight("b"))
    land_and_ingest()
    said = pa.table({"_row_key": ["a"], "_partition_key": [JANUARY]})
    replace_partition(predictions_table("flights"), JANUARY, said)
    with landing.house.engine.begin() as connection:
        mark(connection, "flights", Stage.TRAIN, JANUARY, Coverage.DONE)
    withdraw("flights/wrong.jsonl")
    with pytest.raises(PartitionRefused, match="was not published"):
        ingest(JANUARY)
    assert open_rows(predictions_table("flights"), [JANUARY]).count().to_pyarrow().as_py() == 0
    with landing.house.engine.begin() as connection:
        assert read_statuses(connection, "flights", Stage.TRAIN) == {}
