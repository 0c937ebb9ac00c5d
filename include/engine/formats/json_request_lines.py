"""Reads access logs that a server writes as JSON, one object a line, under the names of its own variables.

Nginx leaves the names to whoever writes `log_format`; nearly all take those of the variables, which are read here.
Fields with other names stay as they are, and a problem may declare them.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime

from include.engine.formats.request_fields import split_request

# The first of several that is there is taken. Source: nginx, "Alphabetical index of variables".
NAMES = {
    "remote_host": ("remote_host", "remote_addr", "client", "client_ip", "clientip"),
    "user": ("user", "remote_user"),
    "time": ("time", "time_iso8601", "time_local", "timestamp", "@timestamp", "msec"),
    "request": ("request",),
    "method": ("method", "request_method"),
    "path": ("path", "request_uri", "uri"),
    "protocol": ("protocol", "server_protocol"),
    "status": ("status",),
    "n_bytes": ("n_bytes", "body_bytes_sent", "bytes_sent"),
    "referer": ("referer", "http_referer", "http_referrer"),
    "user_agent": ("user_agent", "http_user_agent"),
    "virtual_host": ("virtual_host", "host", "http_host", "server_name"),
    "forwarded_for": ("forwarded_for", "http_x_forwarded_for"),
}
_TIME_FORMATS = ("%d/%b/%Y:%H:%M:%S %z", "%d/%b/%Y:%H:%M:%S.%f %z")
_NOTHING = ("-", "", None)


def read_line(line: str) -> dict[str, object] | None:
    """Read one line.

    Returns:
        its fields; None where it is no JSON object, or one without a time.
    """
    try:
        held = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(held, dict):
        return None
    fields: dict[str, object] = dict.fromkeys(NAMES)
    for name, own_names in NAMES.items():
        found = next((own for own in own_names if held.get(own) not in _NOTHING), None)
        if found is not None:
            fields[name] = held.pop(found)
    if fields["time"] is None:
        return None
    fields["time"] = iso_time(str(fields["time"]))
    for name, value in split_request(None if fields["request"] is None else str(fields["request"])).items():
        if fields[name] is None:
            fields[name] = value
    return fields | {name: None if value in ("-", "") else value for name, value in held.items() if name not in NAMES}


def iso_time(text: str) -> str:
    """Turn 10/Oct/2000:13:55:36 -0700, or seconds since 1970, into ISO 8601; anything else stays.

    What stays is read or refused as a time later.
    """
    for form in _TIME_FORMATS:
        with suppress(ValueError):
            return datetime.strptime(text, form).isoformat()  # noqa: DTZ007 - both forms have a zone
    whole, point, fraction = text.partition(".")
    # Nginx's msec; whole numbers are left to the reader of times, which knows seconds and milliseconds.
    if point and whole.isdigit() and fraction.isdigit():
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(float(text), UTC).isoformat()
    return text
