"""Reads access logs as JSON text: of Apache and Nginx in the common and the combined format, and what is alike.

A problem declares their fields like any others, by these names: remote_host, identity, user, time (ISO 8601), request,
method, path, protocol, status, n_bytes, referer, user_agent. What the server wrote as '-' is missing. In front of
a line may stand the name of the virtual host (virtual_host), the addresses that a proxy forwarded for (forwarded_for),
or both. Lines of load balancers, JSON of Nginx and extended logs are told line by line, and have the same names.
"""

import json
import re
from collections.abc import Iterator, Sequence

import pyarrow as pa

from include.engine.formats import extended_log_lines, json_request_lines, load_balancer_lines
from include.engine.formats.byte_lines import read_lines
from include.engine.formats.decompression import Content
from include.engine.formats.record_batches import BROKEN_OFF, batch_of_rows
from include.engine.formats.request_fields import split_request

WRONG_WIDTH = "record has another number of fields than its #Fields line"
NOT_A_LINE = "record is not a line of an access log"
UNKNOWN_FRONT = "record has something else than host, identity and user before its time"
OPEN_QUOTE = "record ends inside of a quote"
QUOTE_IN_QUOTES = "record has a quote inside of its referer or user agent"
# Apache and Nginx take 8 kB of a request line and as much of each header; an escaped byte is four letters.
MAX_LINE_BYTES = 256 << 10
_QUOTED = r'"((?:[^"\\]|\\.)*+)"'
# Source: LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-agent}i\"", Apache's mod_log_config.
# Each part is looked for once, and none can be read in two ways: a long line takes no longer than its length.
_TIME = re.compile(r' \[([^\[\]]{1,64})\] (?=")')
_REQUEST_AND_STATUS = re.compile(rf"{_QUOTED} (\d{{3}}) (\d+|-)(?=\s|$)", re.DOTALL)
_REFERER_AND_AGENT = re.compile(rf" {_QUOTED} {_QUOTED}(?=\s|$)", re.DOTALL)
# A second quoted value begins, or text stands right behind the first: neither is where one of two values ends.
_TWO_QUOTED = re.compile(rf' {_QUOTED}(?: "|\S)', re.DOTALL)
_QUOTES = re.compile(r'\\.|"', re.DOTALL)
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?|\[?[0-9A-Fa-f]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*\]?(?::\d+)?")
_N_PLAIN = 3  # host, identity, user


def cut_lines(key: str, content: Content) -> Iterator[pa.RecordBatch]:
    """Cut an access log into its requests; a line such as `#Fields: ...` is no record."""
    columns: Sequence[str] | None = None
    for lines in read_lines(content, MAX_LINE_BYTES):
        places = zip(lines.numbers.tolist(), lines.offsets.tolist(), lines.texts.to_pylist(), strict=True)
        rows = []
        for i, (number, offset, text) in enumerate(places):
            if extended_log_lines.DIRECTIVE.match(text):
                columns = extended_log_lines.read_fields(text) or columns
                continue
            document, flaw = (None, lines.flaws[i]) if i in lines.flaws else read_line(text, columns)
            if content.breaks_off_in(text):
                document, flaw = None, flaw or BROKEN_OFF
            rows.append((number, offset, text, document, flaw))
        yield batch_of_rows(key, rows)


def read_line(line: str, columns: Sequence[str] | None = None) -> tuple[str | None, str | None]:
    """Read one line of any access log.

    Args:
        columns: those that a `#Fields:` line above it names; None where there is none.

    Returns:
        its fields as JSON text, and None; or None, and why it is no line of such a log.
    """
    if columns is not None:
        fields = extended_log_lines.read_line(line.rstrip("\r\n"), columns)
        return (None, WRONG_WIDTH) if fields is None else (json.dumps(fields), None)
    if line.startswith("{"):
        held = json_request_lines.read_line(line)
        return (None, NOT_A_LINE) if held is None else (json.dumps(held), None)
    balanced = load_balancer_lines.read_line(line)
    return read_request(line) if balanced is None else (json.dumps(balanced), None)


def read_request(line: str) -> tuple[str | None, str | None]:
    """Read one line.

    Returns:
        its fields as JSON text, and None; or None, and why it is no line of such a log.
    """
    time = _TIME.search(line)
    asked = _REQUEST_AND_STATUS.match(line, time.end()) if time else None
    if time is None or asked is None:
        return None, NOT_A_LINE
    front = _read_front(line[: time.start()])
    if front is None:
        return None, UNKNOWN_FRONT
    sent = _REFERER_AND_AGENT.match(line, asked.end())
    if _QUOTES.findall(line, sent.end() if sent else asked.end()).count('"') % 2:
        return None, OPEN_QUOTE
    if sent is None and _TWO_QUOTED.match(line, asked.end()):
        return None, QUOTE_IN_QUOTES
    names = ("request", "status", "n_bytes", "referer", "user_agent")
    values = (*asked.groups(), *(sent.groups() if sent else (None, None)))
    fields = {name: None if value in {"-", ""} else value for name, value in zip(names, values, strict=True)}
    asked_for = split_request(fields["request"])
    return json.dumps({**front, "time": json_request_lines.iso_time(time[1]), **fields, **asked_for}), None


def _read_front(text: str) -> dict[str, str | None] | None:
    """Read what stands in front of the time: host, identity and user, and what a server was told to put before them.

    Returns:
        None where it can be read in more than one way, or in none: columns would be shifted.
    """
    words = _join_list(text.strip().split(" "))
    more: dict[str, str | None] = {}
    if len(words) > _N_PLAIN and not _is_host_list(words[0]) and _is_host_list(words[1].strip(",")):
        more["virtual_host"] = words[0]
        words = _join_list(words[1:])
    if len(words) > _N_PLAIN and _is_host_list(words[0]) and _is_host_list(words[1]):
        more["forwarded_for"] = words.pop(0)
    if len(words) < _N_PLAIN or not all(words):
        return None
    host, identity, user = words[0], words[1], " ".join(words[2:])
    # Only the user may hold blanks; where the identity is missing, as nearly always, it is plain where the user starts.
    if " " in user and (identity != "-" or user.startswith("- ") or user.endswith(" -")):
        return None
    if "," in host:
        more["forwarded_for"], host = host, host.partition(",")[0]
    named = {"remote_host": host, "identity": identity, "user": user, **more}
    return {name: None if value == "-" else value for name, value in named.items()}


def _join_list(words: list[str]) -> list[str]:
    """Put a list of addresses at the front together: it is one value, and its commas say so."""
    while len(words) > 1 and words[0].endswith(","):
        words = [f"{words[0]} {words[1]}", *words[2:]]
    return words


def _is_host_list(word: str) -> bool:
    """Say whether a word is an address, or several with commas between them."""
    return all(_ADDRESS.fullmatch(part) for part in word.replace(" ", "").split(","))
