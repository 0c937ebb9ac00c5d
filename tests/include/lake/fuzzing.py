"""Broken logs by the hundred, from a seed, and what readers that are not ours read of them."""

import csv
import gzip
import io
import json
import math
import random
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = {
    "flight_id": {"type": "string"},
    "at": {"type": "timestamp"},
    "delay": {"type": "number"},
    "gate": {"type": "integer"},
    "is_cancelled": {"type": "boolean"},
    "note": {"type": "string"},
}
LOG_COLUMNS = {
    "remote_host": {"type": "string"},
    "time": {"type": "timestamp"},
    "request": {"type": "string"},
    "status": {"type": "integer"},
    "user": {"type": "string"},
}
NASTY = [
    *(
        b'"',
        b'""',
        b"\\",
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\xff",
        b"\xef\xbb\xbf",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
    ),
    *(
        b"NaN",
        b"1e400",
        b"-0",
        b"1.10",
        b"\\ud83d",
        b"\\u0000",
        b"\xe2\x80\xa8",
        b"null",
        b"9" * 19,
        b",}",
        b"- - ",
        b"\t",
    ),
    *(b'"flight_id":"x",', b"flight_id,at", b", 10.0.0.1", b"2013-01-05 10:00:00,5", b"\x1f\x8b", b"\xff\xfe"),
]
TEXTS = ["plain", "caf\u00e9, \u4e2d", "a\nb", 'say "hi"', "", "1.10", "x" * 300, "-", "\u2028"]
N_RECORDS = 5


def make_records(rng, name):
    """Make the records of one sound object."""
    return [
        {
            "flight_id": f"{name}-{i}",
            "at": f"2013-01-{rng.randint(1, 28):02}T{rng.randint(0, 23):02}:00:00Z",
            "delay": rng.choice([5.0, -1.25, 0.1, 1e300, None]),
            "gate": rng.choice([0, 3, 2**53 + 1, None]),
            "is_cancelled": rng.random() < 0.5,
            "note": rng.choice(TEXTS),
        }
        for i in range(N_RECORDS)
    ]


def write_jsonl(records):
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def write_csv(records):
    held = io.StringIO()
    writer = csv.DictWriter(held, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return held.getvalue().encode()


def write_parquet(records):
    held = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(records), held)
    return held.getvalue().to_pybytes()


def write_log(records):
    line = '%s - %s [%02d/Jan/2013:10:00:00 +0000] "GET /%s HTTP/1.1" 200 5 "-" "curl"\n'
    return "".join(
        line % (f"10.0.0.{i}", record["flight_id"], i + 1, record["flight_id"]) for i, record in enumerate(records)
    ).encode()


WRITERS = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet, "access_log": write_log}


def mutate(rng, content):
    """Break an object in one to three places, and pack it now and then."""
    for _ in range(rng.randint(1, 3)):
        at, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
        end = min(end, at + 40)
        content = rng.choice(
            [
                lambda c, a, e: c[:a] + rng.choice(NASTY) + c[a:],
                lambda c, a, e: c[:a] + rng.choice(NASTY) + c[e:],
                lambda c, a, e: c[:a] + c[e:],
                lambda c, a, e: c[:a] + c[a:e] * 2 + c[e:],
                lambda c, a, e: c[:a] + bytes([c[a - 1] ^ 1 << rng.randrange(8)]) + c[a:] if a else c,
                lambda c, a, e: c[: max(e, len(c) // 2)],
            ]
        )(content, at, end)
    packed = rng.random()
    if packed < 0.1:
        whole = gzip.compress(content, mtime=0)
        return whole if packed < 0.05 else whole[: rng.randrange(len(whole))]
    return content


ODD_COLUMNS = [
    ("delay", pa.array([float("nan"), math.inf, 1.5, None, -0.0])),
    ("delay", pa.array([1, 2, 3, 4, None], pa.decimal128(38, 10))),
    ("gate", pa.array([2**64 - 1, 0, 1, 2, None], pa.uint64())),
    ("gate", pa.array([1.0, 2.5, 1e300, math.nan, None])),
    ("note", pa.array([b"ok", b"\xff\xfe", b"caf\xc3\xa9", None, b""])),
    ("note", pa.array([b"ok", b"\xff\xfe", b"\xc3\xa9", None, b"--"][::-1]).dictionary_encode()),
    ("note", pa.array([2**31 - 1, -(2**31), 0, 1, None], pa.date32())),
    ("note", pa.array([[2**62], [], None, [0], [1]], pa.list_(pa.timestamp("us")))),
    ("at", pa.array([2**62, -(2**62), 1357380000000000, 0, None], pa.timestamp("us", tz="Asia/Seoul"))),
    ("at", pa.array([1357380000000000000, 1357380000000000001, 0, None, -1], pa.timestamp("ns"))),
    ("more", pa.array([2**62, 5, 0, None, -(2**63)], pa.duration("us"))),
    ("more", pa.array([{"a": b"\xff"}, {"a": None}, None, {"a": b"x"}, None])),
    ("more", pa.array([1, 86_399_999_999_999, 0, None, 5], pa.time64("ns"))),
]


def mutate_parquet(rng, content):
    """Put an odd column in place of another, or beside them; or break bytes."""
    if rng.random() < 0.5:
        return mutate(rng, content)
    table = pq.read_table(io.BytesIO(content))
    name, column = rng.choice(ODD_COLUMNS)
    if name in table.schema.names and rng.random() < 0.9:
        table = table.drop_columns([name])
    table = table.append_column(name, column)
    held = pa.BufferOutputStream()
    pq.write_table(table, held)
    return held.getvalue().to_pybytes()


def make_objects(log_format, seed, n_objects):
    """Make broken objects and sound ones between them, by name; say which are sound, with their records."""
    rng = random.Random(seed)  # noqa: S311 - to break logs with
    objects, sound = {}, {}
    for i in range(n_objects):
        name = f"{i:04}"
        records = make_records(rng, name)
        content = WRITERS[log_format](records)
        if i % 5 == 0:
            objects[name], sound[name] = content, records
        else:
            objects[name] = mutate_parquet(rng, content) if log_format == "parquet" else mutate(rng, content)
    return objects, sound


# ---------------------------------------------------------------- independent readers


def unpack(content):
    """Give the bytes inside, as far as they go."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        found = b""
        try:
            while piece := stream.read1(1):
                found += piece
        except (OSError, EOFError):
            pass
        return found


def read_json(content):
    """Read every JSON object that starts anywhere, with Python's reader."""
    text = unpack(content).decode("utf-8", "surrogateescape")
    decoder = json.JSONDecoder(strict=False)
    for at, letter in enumerate(text):
        if letter == "{":
            try:
                yield decoder.raw_decode(text, at)[0]
            except ValueError:
                continue


def read_csv(content):
    """Read every record with Python's reader, as leniently as it can."""
    text = unpack(content).decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    reader = csv.reader(io.StringIO(text, newline=""))
    header = None
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            continue
        if header is None:
            header = [name.strip() for name in values] or None
        elif values:
            values[0] = values[0].removeprefix("\ufeff")
            yield {name: value or None for name, value in zip(header, values, strict=False)}


def read_parquet(content):
    """Read every row with PyArrow, value by value; `...` is what it has no value for."""
    try:
        table = pq.ParquetFile(io.BytesIO(content)).read()
    except Exception:
        return
    if len(set(table.schema.names)) < len(table.schema.names):
        return  # nobody can say which of two columns is meant
    for i in range(table.num_rows):
        row = {}
        for name in table.schema.names:
            try:
                value = table[name][i].as_py()
            except (ValueError, OverflowError):
                value = ...
            row[name] = value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
        yield row


READERS = {"jsonl": read_json, "csv": read_csv, "parquet": read_parquet}


def as_published(kind, value):
    """Give a value that an independent reader read as it is to be published; raise where it is not of its type."""
    if value is None:
        return None
    if kind == "string":
        return str(value.isoformat()) if hasattr(value, "isoformat") else value
    if kind == "timestamp":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value).strip().upper())
        moment = moment.to_pydatetime(warn=False) if hasattr(moment, "to_pydatetime") else moment
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).astimezone(UTC)
    if kind == "boolean":
        return {"true": True, "false": False, "1": True, "0": False}[str(value).strip().lower()]
    number = float(value)
    if not math.isfinite(number):
        return None
    return number if kind == "number" else int(number) if isinstance(value, float) else int(float_free(value))


def float_free(value):
    """Write a whole number without its point."""
    text = str(value).strip()
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text.lower() else text


def is_read(row, candidates):
    """Say whether an independent reader read a row as it was published; a text that is no text there is anything."""
    return any(all(_is_same(row[name], name, found) for name in COLUMNS) for found in candidates)


def _is_same(published, name, found):
    value = found.get(name)
    if COLUMNS[name]["type"] == "string" and value is not None and not isinstance(value, str):
        return published is not None
    try:
        return as_published(COLUMNS[name]["type"], value if value != "" or name == "note" else None) == published
    except (ValueError, KeyError, OverflowError, TypeError):
        return False
