"""Reads logs in the Extended Log File Format, whose `#Fields:` line names the columns: CloudFront, and IIS.

Fields that mean the same as in a web server's log have its names; `cs(Cookie)` becomes `cs_cookie`, and so on.
"""

import re
from collections.abc import Sequence
from urllib.parse import unquote

from include.engine.formats.request_fields import Fields

DIRECTIVE = re.compile(r"#[A-Za-z-]+:")
_FIELDS = "#Fields:"
_NO_LETTERS = re.compile(r"[^a-z0-9]+")
# Source: W3C, "Extended Log File Format"; AWS, "Standard logs" of CloudFront.
NAMES = {
    "c-ip": "remote_host",
    "cs-username": "user",
    "cs-method": "method",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "cs-uri": "path",
    "cs-protocol-version": "protocol",
    "cs-version": "protocol",
    "sc-status": "status",
    "sc-bytes": "n_bytes",
    "cs(Referer)": "referer",
    "cs(User-Agent)": "user_agent",
    "cs(Host)": "virtual_host",
    "cs-host": "virtual_host",
    "x-forwarded-for": "forwarded_for",
}
# What CloudFront writes with %20 for a blank, and some of it twice; IIS writes + for one.
_ENCODED = {"referer", "user_agent"}


def read_fields(line: str) -> list[str] | None:
    """Read the names of the columns from a `#Fields:` line; None of any other line."""
    return line[len(_FIELDS) :].split() if line.startswith(_FIELDS) else None


def read_line(line: str, columns: Sequence[str]) -> Fields | None:
    """Read one line.

    Args:
        columns: from the last `#Fields:` line above it.

    Returns:
        its fields; None where it has another number of fields than there are columns.
    """
    values = line.split("\t") if "\t" in line else line.split(" ")
    if len(values) != len(columns):
        return None
    held = dict(zip(columns, values, strict=True))
    fields: Fields = {}
    if "date" in held and "time" in held:
        fields["time"] = f"{held.pop('date')}T{held.pop('time')}Z"
    for own, value in held.items():
        name = NAMES.get(own, _NO_LETTERS.sub("_", own.lower()).strip("_"))
        text = _decode(value) if name in _ENCODED else value
        fields[name] = None if text in {"-", ""} else text
    return fields


def _decode(value: str) -> str:
    """Write blanks and other characters as what they stand for."""
    return unquote(unquote(value)) if "%" in value else value.replace("+", " ")
