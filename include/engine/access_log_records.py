"""Reads the access logs of Apache and Nginx, in the common and the combined format, as JSON text.

A problem declares their fields like any others, by these names: remote_host, identity, user, time (ISO 8601), request,
method, path, protocol, status, n_bytes, referer, user_agent. What the server wrote as '-' is missing.
"""

import json
import re
from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa

from include.engine.lines import read_lines
from include.engine.records import MAX_RECORD_BYTES, batch_of_rows
from include.engine.unpacking import Content

NOT_A_LINE = "record is not a line of an access log"
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
# Source: LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\"", Apache's mod_log_config.
_LINE = re.compile(
    rf"(\S+) (\S+) (.+?) \[([^\]]+)\] {_QUOTED} (\d{{3}}) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?\s*", re.DOTALL
)
_NAMES = ("remote_host", "identity", "user", "time", "request", "status", "n_bytes", "referer", "user_agent")
_REQUEST = re.compile(r"([A-Z]+) (\S+)(?: (HTTP/[\d.]+))?")


def cut_lines(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut an access log into its requests."""
    for lines in read_lines(content, MAX_RECORD_BYTES):
        places = zip(lines.numbers.tolist(), lines.offsets.tolist(), lines.texts.to_pylist(), strict=True)
        rows = []
        for i, (number, offset, text) in enumerate(places):
            document = None if i in lines.flaws else read_request(text)
            flaw = lines.flaws.get(i) or (None if document else NOT_A_LINE)
            rows.append((number, offset, text, document, flaw))
        yield batch_of_rows(key, rows)


def read_request(line: str) -> str | None:
    """Read one line as JSON text; None where it is no line of such a log."""
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    fields: dict[str, str | None] = {
        name: None if value in {None, "-", ""} else value for name, value in zip(_NAMES, found.groups(), strict=True)
    }
    fields["time"] = _iso_time(found[4])
    # A scanner's request may be anything; it stays whole in `request`.
    request = _REQUEST.fullmatch(fields["request"] or "")
    fields |= dict(zip(("method", "path", "protocol"), request.groups() if request else (None,) * 3, strict=True))
    return json.dumps(fields)


def _iso_time(text: str) -> str:
    """Turn 10/Oct/2000:13:55:36 -0700 into ISO 8601; anything else stays, and is refused as a time later."""
    try:
        return datetime.strptime(text, "%d/%b/%Y:%H:%M:%S %z").isoformat()
    except ValueError:
        return text
