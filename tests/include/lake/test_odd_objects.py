"""Objects as odd as real ones, one next to the other: each is read for what it says, or says truly why it is not."""

import gzip
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from include.engine.formats.json_records import IS_ARRAY
from include.lake.reading import open_rows
from include.landing.steps import find_new_partitions
from include.warehouse.database import open_warehouse
from include.warehouse.tables.landing import LANDING_OBJECT
from tests.include.lake.fuzzing import COLUMNS, LOG_COLUMNS
from tests.include.lake.test_bad_input import EVENTS, QUARANTINE, accounted, ingest_all, lines, object_flaws, write

AT = "2013-01-05T10:00:00Z"
HEADER = b"flight_id,at,note\n"
GOOD = HEADER + b"good,%s,fine\n" % AT.encode()
ADVICE = "write it as UTF-8: iconv -f UTF-16 -t UTF-8"
FOREIGN = "which is not what the problem's file says"


def published(*names):
    rows = open_rows(EVENTS).order_by(["_object_key", "_line_number"]).to_pyarrow().to_pylist()
    found = {}
    for row in rows:
        found.setdefault(row["_object_key"].removeprefix("flights/"), []).append(tuple(row[name] for name in names))
    return found


def reasons(column="reason"):
    rows = open_rows(QUARANTINE).order_by(["_object_key", "_line_number"]).to_pyarrow().to_pylist()
    found = {}
    for row in rows:
        found.setdefault(row["_object_key"].removeprefix("flights/"), []).append(row[column])
    return found


def test_every_odd_csv_is_read_for_what_it_says_or_told_truly(landing):
    landing.write_problem(format="csv", columns=COLUMNS)
    row = b"%s," + AT.encode() + b",%s\n"
    write(
        landing,
        backslash__csv=HEADER + row % (b"b1", b'"he said \\"hi\\" twice"') + row % (b"b2", b"plain"),
        blank__csv=b"\n" + HEADER + b"\n" + row % (b"l1", b'"one\n\nthree\n \nfive"') + b"\n" + row % (b"l2", b"x"),
        doubled__csv=HEADER.replace(b"note", b"at") + row % (b"d", AT.encode()),
        encoding__csv="flight_id,at,이름\nk,{AT},길\n".encode("euc-kr"),
        good__csv=GOOD,
        mac__csv=(HEADER + row % (b"m1", b"x") + row % (b"m2", b'"a\rb"')).replace(b"\n", b"\r"),
        mark__csv=b"\xef\xbb\xbf" + HEADER + row % (b"u1", b"x") + b"\xef\xbb\xbf" + HEADER + row % (b"u2", b"x"),
        open__csv=HEADER + row % (b"o1", b"x") + row % (b"o2", b'"12 inch') + row % (b"o3", b"x"),
        order__csv=HEADER + row % (b"s1", b"x") + b"note,at,flight_id\n" + row % (b"s2", b"x"),
        packed__csv=gzip.compress(gzip.compress(GOOD)),
        quote__csv=HEADER + b'"q1,%s,x\n"q2",%s,x\n' % ((AT.encode(),) * 2) + row % (b"q3", b"x"),
        return__csv=HEADER + row % (b"r\r1", b"x") + row % (b"r2", b'"a\rb"'),
        returned__csv=b"flight_id,a\rt,note\n" + row % (b"x", b"x"),
        semicolon__csv=GOOD.replace(b",", b";"),
        spaced__csv=b"flight_id, at ,note,,\n" + b"e1,%s,x,,\n" % AT.encode(),
        tar__csv=b"a.csv".ljust(257, b"\0") + b"ustar" + GOOD,
        wide__csv=GOOD.decode().encode("utf-16"),
        wide_bare__csv=GOOD.decode().encode("utf-16-le"),
    )
    ingest_all()
    assert published("flight_id", "note") == {
        "backslash.csv": [("b2", "plain")],
        "blank.csv": [("l1", "one\n\nthree\n \nfive"), ("l2", "x")],
        "good.csv": [("good", "fine")],
        "mac.csv": [("m1", "x"), ("m2", "a\rb")],
        "mark.csv": [("u1", "x"), ("u2", "x")],
        "open.csv": [("o1", "x")],
        "order.csv": [("s1", "x")],
        "quote.csv": [("q3", "x")],
        "return.csv": [("r2", "a\rb")],
        "spaced.csv": [("e1", "x")],
    }
    flaws = {
        "doubled.csv": "object has two columns 'at'",
        "encoding.csv": "object has a header that cannot be read: it is not UTF-8",
        "open.csv": "object ends inside of a quoted field",
        "order.csv": "object has a second header, with other columns or in another order",
        "packed.csv": f"object is gzip in gzip, {FOREIGN}",
        "returned.csv": "object has a header that cannot be read: it has a carriage return outside of quotes",
        "semicolon.csv": "object has semicolons between its fields, not commas; with format: auto it is read",
        "tar.csv": f"object is tar, {FOREIGN}",
        "wide.csv": f"object is UTF-16, {FOREIGN}; {ADVICE}",
        "wide_bare.csv": f"object is UTF-16, {FOREIGN}; {ADVICE}",
    }
    assert object_flaws(landing) == flaws
    below = "record stands below a second header, with other columns or in another order"
    assert reasons() == {name: [flaw] for name, flaw in flaws.items()} | {
        "backslash.csv": ["record has text behind a closing quote"],
        "mark.csv": ["record repeats the header"],
        "order.csv": [below, below, flaws["order.csv"]],
        "quote.csv": ["record has text behind a closing quote"],
        "return.csv": ["record has a carriage return outside of quotes"],
    }
    assert "r\r1" in reasons("record")["return.csv"][0]
    accounted(landing)


def test_every_odd_json_is_read_for_what_it_says_or_told_truly(landing, flight):
    landing.write_problem(columns=COLUMNS)
    deep = b'{"flight_id":"deep","at":"%s","x":%s}' % (AT.encode(), b"[" * 5_000 + b"]" * 5_000)
    two = lines(flight("a1"), flight("a2")).splitlines()
    good = lines(flight("good"))
    skippable = b"\x50\x2a\x4d\x18\x08\0\0\0" + b"12345678"
    held = pa.BufferOutputStream()
    with pa.CompressedOutputStream(held, "zstd") as stream:
        stream.write(lines(flight("zstd")))
    write(
        landing,
        array__jsonl=b"[" + b",".join(two) + b"]",
        array_pretty__jsonl=b"[\n" + b",\n".join(two) + b"\n]\n",
        comma__jsonl=good.replace(b'"}', b'",}').replace(b"false}", b"false, }").replace(b"good", b"c1"),
        deep__jsonl=deep + b"\n" + good.replace(b"good", b"beside"),
        doubled__jsonl=good.replace(b"{", b'{"delay":1,').replace(b"good", b"d1") + good.replace(b"good", b"d2"),
        good__jsonl=good,
        half__jsonl=good.replace(b"good", b"h1 \\ud83d"),
        mac__jsonl=lines(flight("mac1"), flight("mac2")).replace(b"\n", b"\r"),
        marks__gz=b"".join(gzip.compress(b"\xef\xbb\xbf" + lines(flight(f"g{i}"))) for i in range(2)) + bytes(512),
        nan__jsonl=lines(flight("n1", delay=float("nan"), gate=float("inf")), flight("n2", delay="1e400")),
        number__jsonl=good.replace(b"{", b'{"note": 1.10,').replace(b"good", b"1.10"),
        large__jsonl=lines(flight("l1", gate=2**63), flight("l2", gate=-(2**63) - 1), flight("l3", gate=2**63 - 1)),
        zero__jsonl=lines(flight("z\0"), flight("z2", **{"x\0y": 1}), flight("z3", note="a\0b")),
        zstd__jsonl=skippable + held.getvalue().to_pybytes(),
    )
    (done,) = ingest_all().values()
    found = published("flight_id", "note", "delay", "gate", "_unknown_fields")
    assert {name: [row[0] for row in rows] for name, rows in found.items()} == {
        "deep.jsonl": ["deep", "beside"],
        "doubled.jsonl": ["d2"],
        "good.jsonl": ["good"],
        "large.jsonl": ["l3"],
        "mac.jsonl": ["mac1", "mac2"],
        "marks.gz": ["g0", "g1"],
        "nan.jsonl": ["n1"],
        "number.jsonl": ["1.10"],
        "zero.jsonl": ["z2", "z3"],
        "zstd.jsonl": ["zstd"],
    }
    assert found["nan.jsonl"][0][2:] == (None, None, '{"delay":"NaN","gate":"Infinity"}')
    assert found["number.jsonl"][0][1] == "1.10"
    assert [row[1] for row in found["zero.jsonl"]] == [None, "a\0b"]
    assert done["unknown_fields"] == {"delay": 1, "gate": 1, "x": 1, "x\ufffdy": 1}
    array = IS_ARRAY
    assert object_flaws(landing) == {"array.jsonl": array, "array_pretty.jsonl": array}
    assert reasons() == {
        "array.jsonl": [array],
        "array_pretty.jsonl": [array],
        "comma.jsonl": ["record is not JSON"],
        "doubled.jsonl": ["record has the field delay twice"],
        "half.jsonl": ["record holds half of a character: one of two surrogates without the other"],
        "large.jsonl": ["gate is larger than 9223372036854775807", "gate is smaller than -9223372036854775808"],
        "nan.jsonl": ["delay is larger than 1.7976931348623157e308"],
        "zero.jsonl": ["flight_id holds the character U+0000"],
    }
    assert reasons("detail")["large.jsonl"][0].endswith("(it holds '9223372036854775808')")
    accounted(landing)


def parquet(name, **columns):
    held = pa.BufferOutputStream()
    n_rows = len(next(iter(columns.values())))
    plain = {"flight_id": [f"{name}{i}" for i in range(n_rows)], "at": [AT] * n_rows}
    pq.write_table(pa.table(plain | columns), held)
    return held.getvalue().to_pybytes()


def test_every_odd_parquet_is_read_for_what_it_says_or_told_truly(landing):
    landing.write_problem(format="parquet", columns=COLUMNS)
    no_text = pa.array([b"ok", b"\xff\xfe"])
    as_text = pa.Array.from_buffers(pa.string(), 2, no_text.buffers())
    moment, zoned = 1_357_380_000_000_000, pa.timestamp("us", tz="Asia/Seoul")
    doubled = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays([pa.array(["d"])] * 3, names=["flight_id", "at", "at"]), doubled)
    write(
        landing,
        bytes__parquet=parquet("", flight_id=pa.array([b"b1", b"b2"]), note=no_text),
        dates__parquet=parquet("date", note=pa.array([0, 2_932_897], pa.date32())),
        decimal__parquet=parquet("dec", delay=pa.array([1, 2], pa.decimal128(30, 10))),
        dictionary__parquet=parquet("dict", note=as_text.dictionary_encode()),
        doubled__parquet=doubled.getvalue().to_pybytes(),
        good__parquet=parquet("good", note=["fine"]),
        json__parquet=b'{"a":1}',
        large__parquet=parquet("large", gate=pa.array([1, 2**64 - 1], pa.uint64())),
        nan__parquet=parquet("nan", delay=[float("nan"), 1.5], gate=[float("nan"), 2.0]),
        packed__parquet=gzip.compress(b"PAR1"),
        text__parquet=parquet("text", note=as_text),
        times__parquet=parquet("t", at=pa.array([moment, 2**62, -(2**62), None], zoned)),
        unknown__parquet=parquet("u", seen=pa.array([0, 2**62], pa.timestamp("us")), blob=no_text),
    )
    ingest_all()
    found = published("flight_id", "note", "delay", "gate", "at", "_unknown_fields")
    assert {name: [row[:4] for row in rows] for name, rows in found.items()} == {
        "bytes.parquet": [("b1", "ok", None, None)],
        "dates.parquet": [("date0", "1970-01-01", None, None), ("date1", "10000-01-01", None, None)],
        "decimal.parquet": [("dec0", None, 1.0, None), ("dec1", None, 2.0, None)],
        "dictionary.parquet": [("dict0", "ok", None, None)],
        "good.parquet": [("good0", "fine", None, None)],
        "large.parquet": [("large0", None, None, 1)],
        "nan.parquet": [("nan0", None, None, None), ("nan1", None, 1.5, 2)],
        "text.parquet": [("text0", "ok", None, None)],
        "times.parquet": [("t0", None, None, None)],
        "unknown.parquet": [("u0", None, None, None), ("u1", None, None, None)],
    }
    assert found["times.parquet"][0][4] == datetime(2013, 1, 5, 10, tzinfo=UTC)
    assert json.loads(found["unknown.parquet"][1][5])["blob"] == "\\xff\\xfe"
    wide = "at is outside of the years 0000 to 9999"
    assert reasons() == {
        "bytes.parquet": ["note is not UTF-8"],
        "dictionary.parquet": ["note is not UTF-8"],
        "doubled.parquet": ["object has two columns 'at'"],
        "json.parquet": ["object is not Parquet, and the problem's file says parquet"],
        "large.parquet": ["gate is larger than 9223372036854775807"],
        "packed.parquet": [f"object is gzip, {FOREIGN}"],
        "text.parquet": ["note is not UTF-8"],
        "times.parquet": [wide, wide, "at is missing"],
    }
    accounted(landing)


def test_every_odd_access_log_is_read_for_what_it_says_or_told_truly(landing):
    landing.write_problem(format="access_log", columns=LOG_COLUMNS, key=["remote_host", "request"], event_time="time")
    rest = b' [05/Jan/2013:10:00:00 +0000] "GET /%d HTTP/1.1" 200 12 "-" "curl"\n'
    fronts = {
        b"203.0.113.1 - -": ("203.0.113.1", None),
        b"203.0.113.1 - jane": ("203.0.113.1", "jane"),
        b"203.0.113.1 - Jane Doe": ("203.0.113.1", "Jane Doe"),
        b"www.shop.test:443 203.0.113.2 - -": ("203.0.113.2", None),
        b"203.0.113.3, 10.0.0.1 - -": ("203.0.113.3", None),
        b"www.shop.test 203.0.113.4, 10.0.0.1 172.16.0.1 - -": ("172.16.0.1", None),
        b"- 2001:db8::5 - -": ("2001:db8::5", None),
        b"one.test two.test - -": None,
        b"203.0.113.6 -": None,
    }
    content = b"".join(front + rest % i for i, front in enumerate(fronts))
    slow = b"203.0.113.7 - - " + b" [x" * 60_000 + b"\n"
    write(landing, a__log=content + slow + b"y" * 300_000 + b"\n" + b"203.0.113.9 - -" + rest % 99)
    ingest_all()
    expected = [found for found in fronts.values() if found] + [("203.0.113.9", None)]
    assert published("remote_host", "user") == {"a.log": expected}
    front = "record has something else than host, identity and user before its time"
    assert reasons()["a.log"] == [
        front,
        front,
        "record is not a line of an access log",
        "record is longer than 256 KiB",
    ]
    accounted(landing)


def test_a_name_that_is_no_utf8_is_read_under_an_escaped_one(landing, flight):
    write(landing, good__jsonl=lines(flight("good")))
    folder = os.fsencode(landing.folder / "flights")
    Path(os.fsdecode(folder + b"/\xb7\xce.jsonl")).write_bytes(lines(flight("beside")))
    ingest_all()
    assert published("flight_id") == {"\\xb7\\xce.jsonl": [("beside",)], "good.jsonl": [("good",)]}


def test_new_bytes_under_the_old_time_are_seen(landing, flight):
    write(landing, a__jsonl=lines(flight("old")))
    path = landing.folder / "flights" / "a.jsonl"
    os.utime(path, (10**9, 10**9))
    ingest_all()
    for rewritten in (lines(flight("new")), lines(flight("new"), flight("more"))):
        path.write_bytes(rewritten)
        os.utime(path, (10**9, 10**9))
        ingest_all()
        expected = [(json.loads(line)["flight_id"],) for line in io.BytesIO(rewritten)]
        assert published("flight_id") == {"a.jsonl": expected}


def test_an_object_that_cannot_be_opened_stops_no_other_and_is_tried_again(landing, flight, monkeypatch):
    write(landing, a__jsonl=lines(flight("a")), b__jsonl=lines(flight("b")))
    path = landing.folder / "flights" / "a.jsonl"
    held = path.read_bytes()
    path.unlink()
    # What a disk or a mount that fails gives, whoever asks: a name that is there, and cannot be opened.
    path.symlink_to("/proc/self/mem")
    assert find_new_partitions(problem="flights")["flaws"]["flights/a.jsonl"].startswith("object cannot be read: ")
    path.unlink()
    path.write_bytes(held)
    ingest_all()
    assert published("flight_id") == {"a.jsonl": [("a",)], "b.jsonl": [("b",)]}


def test_objects_of_every_format_land_in_one_problem_that_tells_them_apart(landing):
    landing.write_problem(format="auto", columns=COLUMNS)
    flight = '{"flight_id": "%s", "at": "' + AT + '", "note": "x, y"}'
    write(
        landing,
        array__json=f"[{flight % 'a1'},\n {flight % 'a2'}, 7]".encode(),
        bars__txt=f"flight_id|at|note\nb|{AT}|x, y\n".encode(),
        comma__csv=f'flight_id,at,note\nc,{AT},"x, y"\n'.encode(),
        cut__json=f"[{flight % 'd1'},\n {(flight % 'd2')[:-9]}".encode(),
        lines__log=f"{flight % 'l'}\n".encode(),
        packed__bin=gzip.compress(f"note\tat\tflight_id\nx, y\t{AT}\tt\n".encode()),
        semi__csv=f"flight_id;at;note\ns;{AT};x, y\n".encode(),
        table__dat=parquet("p", note=["x, y"]),
        wide__csv=GOOD.decode().encode("utf-16"),
    )
    ingest_all()
    assert {row[1] for rows in published("flight_id", "note").values() for row in rows} == {"x, y"}
    assert {row[0] for rows in published("flight_id").values() for row in rows} == {
        *("a1", "a2", "b", "c", "d1", "l", "t", "s", "p0")
    }
    assert reasons() == {
        "array.json": ["record is not a JSON object"],
        "cut.json": ["record is not JSON", "object ends inside of its array"],
        "wide.csv": [f"object is UTF-16, {FOREIGN}; {ADVICE}"],
    }
    with open_warehouse().connect() as connection:
        rows = connection.execute(select(LANDING_OBJECT.c.object_key, LANDING_OBJECT.c.read_as)).all()
    assert {key.removeprefix("flights/").partition(".")[0]: read_as for key, read_as in rows} == {
        "array": "json_array",
        "bars": "csv_bar",
        "comma": "csv",
        "cut": "json_array",
        "lines": "jsonl",
        "packed": "csv_tab",
        "semi": "csv_semicolon",
        "table": "parquet",
        "wide": "csv",
    }
    accounted(landing)
