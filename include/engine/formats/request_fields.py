"""What the lines of all access logs share: their fields, and what a request says."""

import re

Fields = dict[str, str | None]

_REQUEST = re.compile(r"([A-Z][A-Z_-]*) (\S+)(?: (HTTP/[\d.]+))?")
_WHOLE_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)(.*)")


def split_request(request: str | None) -> Fields:
    """Read a request: method, path and protocol.

    A scanner's request may be anything; then the three are missing, and it stays whole in `request`.
    """
    found = _REQUEST.fullmatch(request or "")
    return dict(zip(("method", "path", "protocol"), found.groups() if found else (None,) * 3, strict=True))


def split_address(path: str | None) -> Fields:
    """Read the virtual host and the path from a whole address, as balancers write it; nothing from any other path."""
    found = _WHOLE_ADDRESS.fullmatch(path or "")
    return {} if found is None else {"virtual_host": found[1], "path": found[2] or "/"}
