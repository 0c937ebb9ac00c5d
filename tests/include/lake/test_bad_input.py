"""What producers really send, through land and ingest: nothing is lost, nothing is twice, and nothing else stops."""

import gzip
import json
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select, update

from include.engine.object_store.objects import list_objects
from include.errors import BadLanding
from include.lake import files
from include.lake.reading import hash_files, open_rows
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.warehouse.tables.landing import LANDING_OBJECT
from include.warehouse.tables.quality import PARTITION_AUDIT

EVENTS, QUARANTINE = "lake.flights", "lake.flights__quarantine"
OTHER_MONTH = "2013-02-03T00:00:00Z"


def ingest_all():
    """Land, and ingest every partition that was announced; return what staging said of each."""
    outcomes = {}
    for key in find_new_partitions(problem="flights")["partitions"]:
        staged = json.loads(json.dumps(stage_partition(problem="flights", partition_key=key)))
        audit = {
            "verdict": "pass",
            "first_reason": None,
            "n_warnings": 0,
            "files": {path: files.hash_file(path) for path in staged["staged"]},
            "files_sha256": hash_files(staged["staged"]),
            "n_rows": staged["n_staged"],
        }
        publish_partition(problem="flights", partition_key=key, staged=staged, audit=audit)
        outcomes[key] = staged
    return outcomes


def write(landing, **objects):
    """Drop bytes as objects; a double underscore in a name is a dot."""
    folder = landing.folder / "flights"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in objects.items():
        (folder / name.replace("__", ".")).write_bytes(content)


def lines(*records):
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def published():
    return Counter(key.removeprefix("flights/") for key in open_rows(EVENTS).to_pyarrow()["_object_key"].to_pylist())


def quarantined():
    rows = open_rows(QUARANTINE).order_by(["_object_key", "_line_number"]).to_pyarrow().to_pylist()
    found = {}
    for row in rows:
        place = (row["_line_number"], row["_byte_offset"], row["reason"])
        found.setdefault(row["_object_key"].removeprefix("flights/"), []).append(place)
    return found


def accounted(landing):
    """Sum what the warehouse says came in and what became of it."""
    with landing.house.engine.begin() as connection:
        rows = connection.execute(select(PARTITION_AUDIT)).mappings().all()
    for row in rows:
        assert row["n_in"] == row["n_published"] + row["n_quarantined"] + row["n_duplicate"]
    return {name: sum(row[name] for row in rows) for name in ("n_in", "n_published", "n_quarantined", "n_duplicate")}


def object_flaws(landing):
    with landing.house.engine.begin() as connection:
        found = connection.execute(select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.flaw)).all()
    return {key.removeprefix("flights/"): flaw for key, flaw in found if flaw is not None}


def test_whatever_is_sent_is_published_or_quarantined_with_its_reason_and_its_place(landing, flight):
    many = lines(*(flight(f"cut-{i}") for i in range(5_000)))
    packed = gzip.compress(many)
    good = lines(flight("good"))
    held = pa.BufferOutputStream()
    pq.write_table(pa.table({"a": [1]}), held)
    write(
        landing,
        bomb__gz=gzip.compress(bytes(300 << 20), 1),
        cut__gz=packed[: len(packed) // 2],
        empty__jsonl=b"",
        half__jsonl=good + b'{"flight_id": "h", "at": "2013-01-0',
        long__jsonl=lines(flight("long", note="x" * (50 << 20)), flight("large", note="x" * (8 << 20)), flight("z")),
        nested__jsonl=lines(flight("n1", gate=[[1]]), flight("n2", delay={"a": 1}), flight("n3", delay=[5])),
        nul__jsonl=b'{"flight_id": "\x00"}\n' + lines(flight("n\x00ul")),
        parquet__jsonl=held.getvalue().to_pybytes(),
        utf8__jsonl=lines(flight("u1")) + b'{"flight_id": "\xff\xfe"}\n' + lines(flight("u2")),
        years__jsonl=lines(flight("y1", "0102-09-01T10:00:00Z"), flight("y2", "2028-09-01T10:00:00Z"), flight("y3")),
        zip__jsonl=b"PK\x03\x04rest",
    )
    ingest_all()
    n_cut = published()["cut.gz"]
    expected = {"cut.gz": n_cut, "half.jsonl": 1, "long.jsonl": 2, "utf8.jsonl": 2, "years.jsonl": 1}
    assert published() == expected
    found = quarantined()
    assert [reason for *_, reason in found.pop("cut.gz")][-1] == "object cannot be read to its end"
    end_of_good = len(good)
    assert found == {
        "bomb.gz": [(1, 0, "object unpacks to more than 200 times its size")],
        "half.jsonl": [(2, end_of_good, "record is not JSON")],
        "long.jsonl": [(1, 0, "record is longer than 16 MiB")],
        "nested.jsonl": [
            (1, 0, "gate is not a whole number"),
            (2, len(lines(flight("n1", gate=[[1]]))), "delay is not a number"),
            (3, len(lines(flight("n1", gate=[[1]]), flight("n2", delay={"a": 1}))), "delay is not a number"),
        ],
        "nul.jsonl": [(1, 0, "record is not JSON"), (2, 19, "flight_id holds the character U+0000")],
        "parquet.jsonl": [(1, 0, "object is Parquet, which is not what the problem's file says")],
        "utf8.jsonl": [(2, len(lines(flight("u1"))), "record is not UTF-8")],
        "years.jsonl": [
            (1, 0, "at is before 2013-01-01"),
            (2, len(lines(flight("y1", "0102-09-01T10:00:00Z"))), "at is after 2014-01-01"),
        ],
        "zip.jsonl": [(1, 0, "object is zip, which is not what the problem's file says")],
    }
    assert 0 < n_cut < 5_000
    assert object_flaws(landing) == {
        "bomb.gz": "object unpacks to more than 200 times its size",
        "cut.gz": "object cannot be read to its end",
        "empty.jsonl": "object is empty",
        "parquet.jsonl": "object is Parquet, which is not what the problem's file says",
        "zip.jsonl": "object is zip, which is not what the problem's file says",
    }
    counts = accounted(landing)
    assert counts["n_published"] == sum(expected.values())
    assert counts["n_quarantined"] == sum(map(len, quarantined().values()))
    assert counts["n_duplicate"] == 0


def test_the_first_of_equal_keys_stays_inside_an_object_and_across_objects(landing, flight):
    write(
        landing,
        a__jsonl=lines(flight("x", delay=1), flight("x", delay=2), flight("y", delay=1)),
        b__jsonl=lines(flight("y", delay=2), flight("z", delay=1)),
    )
    ingest_all()
    rows = open_rows(EVENTS).order_by("flight_id").to_pyarrow()
    assert rows.select(["flight_id", "delay"]).to_pylist() == [{"flight_id": k, "delay": 1.0} for k in "xyz"]
    assert accounted(landing) == {"n_in": 5, "n_published": 3, "n_quarantined": 0, "n_duplicate": 2}


def test_one_object_feeds_three_partitions_and_a_late_one_opens_only_its_own_again(landing, flight):
    months = [f"2013-0{month}-05T00:00:00Z" for month in (1, 2, 3)]
    write(landing, a__jsonl=lines(*(flight(f"{i}-{at}", at) for i in range(3) for at in months)))
    assert {key: done["n_in"] for key, done in ingest_all().items()} == {"2013-01": 3, "2013-02": 3, "2013-03": 3}
    before = {key: open_rows(EVENTS, [key]).to_pyarrow() for key in ("2013-01", "2013-03")}
    write(landing, late__jsonl=lines(flight("late", months[1])))
    assert {key: done["n_in"] for key, done in ingest_all().items()} == {"2013-02": 4}
    assert {key: open_rows(EVENTS, [key]).to_pyarrow() for key in before} == before
    assert accounted(landing) == {"n_in": 10, "n_published": 10, "n_quarantined": 0, "n_duplicate": 0}


def test_a_csv_row_of_another_width_is_quarantined_among_good_ones(landing):
    landing.write_problem(format="csv")
    header = b"flight_id,at,delay,gate,is_cancelled\n"
    row = b"%s,2013-01-05T10:00:00Z,5.0,3,false\n"
    ragged = b"r,2013-01-05T10:00:00Z,5.0\n"
    write(landing, a__csv=header + row % b"a" + ragged + row % b'"b\nb"' + row % b"c\x00c")
    write(landing, json__csv=b'{"flight_id": "a"}\n')
    ingest_all()
    assert published() == {"a.csv": 2}
    before_zero = header + row % b"a" + ragged + row % b'"b\nb"'
    assert quarantined() == {
        "a.csv": [
            (3, len(header + row % b"a"), "record has another number of fields than the header"),
            (6, len(before_zero), "flight_id holds the character U+0000"),
        ],
        "json.csv": [(1, 0, "object holds JSON, and the problem's file says csv")],
    }
    assert accounted(landing)["n_in"] == 5


def test_an_access_log_is_ingested_by_its_fields_like_any_other(landing):
    names = {"remote_host": "string", "time": "timestamp", "method": "string", "path": "string", "status": "integer"}
    columns = {name: {"type": kind} for name, kind in names.items()} | {"n_bytes": {"type": "integer"}}
    landing.write_problem(
        format="access_log",
        key=["remote_host", "time", "path"],
        event_time="time",
        columns=columns,
        latest="2014-01-01T00:00:00Z",
    )
    line = (
        b'127.0.0.1 - frank [10/Oct/2013:13:55:36 -0700] "GET /a.gif HTTP/1.0" 200 %s "http://x/" "Mozilla/4.08 [en]"\n'
    )
    write(landing, access__log=line % b"2326" + b"not a line\n" + line.replace(b"/a.gif", b"/b.gif") % b"-")
    ingest_all()
    rows = open_rows(EVENTS).order_by("path").to_pyarrow().to_pylist()
    assert [(row["path"], row["n_bytes"], row["time"].isoformat()) for row in rows] == [
        ("/a.gif", 2326, "2013-10-10T20:55:36+00:00"),
        ("/b.gif", None, "2013-10-10T20:55:36+00:00"),
    ]
    assert json.loads(rows[0]["_unknown_fields"])["user"] == "frank"
    assert quarantined() == {"access.log": [(2, len(line % b"2326"), "record is not a line of an access log")]}


def test_a_new_field_is_kept_masked_and_counted_and_stops_nobody(landing, flight):
    write(
        landing,
        a__jsonl=lines(
            flight("a"),
            flight("b", seat="12A", mail="jane@example.org"),
            flight("c", seat=None, **{"jane@example.org": 1}),
            flight("d", gate="x", seat="call 555-1234"),
        ),
    )
    (done,) = ingest_all().values()
    assert done["unknown_fields"] == {"[email]": 1, "mail": 1, "seat": 2}
    rows = open_rows(EVENTS).order_by("flight_id").to_pyarrow()["_unknown_fields"].to_pylist()
    assert rows[0] is None
    assert [json.loads(row) for row in rows[1:]] == [
        {"mail": "[email]", "seat": "12A"},
        {"[email]": "1", "seat": None},
    ]
    (row,) = open_rows(QUARANTINE).to_pyarrow().to_pylist()
    assert json.loads(row["_unknown_fields"]) == {"seat": "call [phone]"}
    assert "555" not in row["record"]


def test_an_object_that_was_replaced_after_it_was_counted_is_not_staged(landing, flight):
    write(landing, a__jsonl=lines(flight("a")), b__jsonl=lines(flight("b")))
    find_new_partitions(problem="flights")
    write(landing, b__jsonl=lines(flight("b"), flight("c")))
    with pytest.raises(BadLanding, match=r"1 of 2 objects .* replaced since landing counted them.*flights/b\.jsonl"):
        stage_partition(problem="flights", partition_key="2013-01")
    ingest_all()
    assert published() == {"a.jsonl": 1, "b.jsonl": 2}


def test_a_refused_staging_makes_landing_look_again_whatever_it_remembers(landing, flight):
    write(landing, a__jsonl=lines(flight("a")))
    find_new_partitions(problem="flights")
    write(landing, a__jsonl=lines(flight("b"), flight("c")))
    with landing.house.engine.begin() as connection:
        # As if the new bytes had looked like the old ones when they were listed.
        seen = list_objects(landing.house.settings, "flights")[0]
        connection.execute(update(LANDING_OBJECT).values(version=seen.version))
    assert find_new_partitions(problem="flights")["n_objects"] == 0
    with pytest.raises(BadLanding, match="`land` finds the new version"):
        stage_partition(problem="flights", partition_key="2013-01")
    assert find_new_partitions(problem="flights")["n_objects"] == 1
    stage_partition(problem="flights", partition_key="2013-01")
