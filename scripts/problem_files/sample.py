"""Reads a bounded sample of any supported file, whatever its size, with the readers that ingest has."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from include.engine.formats.decompression import Content, name_foreign, name_packing
from include.engine.formats.format_recognition import recognise_format
from include.engine.formats.json_request_lines import NAMES, read_line
from include.engine.formats.read_records import read_records
from include.engine.formats.record_batches import DOCUMENT, FLAW
from include.errors import BadLanding

MOST_RECORDS = 20_000
MOST_BYTES = 64 << 20
_HEAD_BYTES = 1 << 20
# Beside UTF-8: what exports of Windows and of Korean programs are written in, the pickier first.
_ENCODINGS = ("cp949", "cp1252", "latin-1")
_UTF = ("UTF-16", "UTF-32")
_READABLE = (
    "Read are CSV with a header, JSON lines, JSON arrays, Parquet and access logs, plain or packed by gzip or zstd. "
    "Convert it to one of them."
)
# Names of variables that Nginx alone has: two of them make JSON lines an access log.
_OF_NGINX = re.compile(r"(remote|http|body|server|time)_\w+|msec|request(_\w+)?")

Record = dict[str, object]


@dataclass(frozen=True)
class Sample:
    """The first records of a file.

    Attributes:
        path: of the file.
        read_as: format that they were read in, one of `recognise_format`.
        encoding: of the text, where it is another one than UTF-8; landing reads UTF-8 alone.
        records: those that could be read.
        flaws: what was wrong with the others, and how often.
        is_whole: whether the file has no more records.
    """

    path: Path
    read_as: str
    encoding: str | None
    records: tuple[Record, ...]
    flaws: dict[str, int]
    is_whole: bool

    @property
    def n_seen(self) -> int:
        """How many records were looked at."""
        return len(self.records) + sum(self.flaws.values())


def read_sample(path: Path, most_records: int = MOST_RECORDS) -> Sample:
    """Read the first records of a file.

    Raises:
        BadLanding: there is no such file, it is empty, or nothing in it can be read; the message says what it is.
    """
    if not path.is_file():
        raise BadLanding(f"There is no file {path}. FROM= takes the path of one file, plain or packed.")
    if not path.stat().st_size:
        raise BadLanding(f"{path} is empty: there is nothing to propose from. Take a file with a few hundred records.")
    with path.open("rb") as stream:
        encoding = _find_encoding(path, stream)
        content = _in_utf8(stream, encoding) if encoding else stream
        read_as = recognise_format(content)
        if read_as == "jsonl" and _is_request_log(content):
            read_as = "access_log"
        return _sample(path, content, read_as, encoding, most_records)


def _sample(path: Path, content: BinaryIO, read_as: str, encoding: str | None, most_records: int) -> Sample:
    """Read records until there are enough."""
    records: list[Record] = []
    flaws: Counter[str] = Counter()
    n_bytes, is_whole = 0, encoding is None or path.stat().st_size <= MOST_BYTES
    for batch in read_records(str(path.name), content, read_as):
        for document, flaw in _rows(batch):
            if len(records) + flaws.total() >= most_records or n_bytes > MOST_BYTES:
                is_whole = False
                break
            record = _read_object(document) if flaw is None else None
            n_bytes += len(document or "")
            if record is None:
                flaws[flaw or "record is not a JSON object"] += 1
            else:
                records.append(record)
        else:
            continue
        break
    if not records:
        raise BadLanding(_explain_nothing(path, flaws))
    return Sample(path, read_as, encoding, tuple(records), dict(flaws), is_whole)


def _rows(batch: pa.RecordBatch) -> Iterator[tuple[str | None, str | None]]:
    """Give documents and flaws."""
    return zip(batch[DOCUMENT].to_pylist(), batch[FLAW].to_pylist(), strict=True)


def _read_object(document: str | None) -> Record | None:
    """Read one record; None where it is no object."""
    try:
        held = json.loads(document or "")
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) else None


def _explain_nothing(path: Path, flaws: Counter[str]) -> str:
    """Say why no record could be read."""
    if not flaws:
        return f"{path} has a header and no record below it, or nothing but blanks: there is nothing to propose from."
    reason, n = flaws.most_common(1)[0]
    return f"{path}: 0 of the first {flaws.total()} records can be read ({n} times: {reason}). {_READABLE}"


def _is_request_log(content: BinaryIO) -> bool:
    """Say whether JSON lines are a server's access log: they have a time, and two names more that servers give."""
    line = Content(content, head_bytes=1 << 16).head.splitlines()[0].decode("utf-8", "replace")
    content.seek(0)
    held = _read_object(line) or {}
    theirs = {own for own_names in NAMES.values() for own in own_names if _OF_NGINX.fullmatch(own)}
    return len(theirs & held.keys()) > 1 and read_line(line) is not None


def _find_encoding(path: Path, stream: BinaryIO) -> str | None:
    """Tell the encoding of a plain text that is not UTF-8; None where it is, or is no plain text.

    Raises:
        BadLanding: it is no text, and nothing that is read.
    """
    head = stream.read(_HEAD_BYTES)
    stream.seek(0)
    if head.startswith(b"PAR1") or name_packing(head):
        return None
    foreign = name_foreign(head)
    if foreign in _UTF:
        return foreign
    if foreign is not None or b"\0" in head[:4_096]:
        raise BadLanding(f"{path} is {foreign or 'binary'}, and no log that is read here. {_READABLE}")
    whole = head[: head.rfind(b"\n") + 1] or head
    for encoding in ("utf-8", *_ENCODINGS):
        try:
            whole.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if encoding == "utf-8" else encoding
    return None


def _in_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    """Give the beginning of a text in UTF-8."""
    text = stream.read(MOST_BYTES).decode(encoding.lower(), "ignore")
    return io.BytesIO(text.encode())
