"""What a page's request must look like: no control characters, and a write is JSON, small, from a page of this server.

What belongs here: checks of addresses and headers, before anything reads a body. What does not: who asks
(`access.py`), and what becomes of a fault (`shell.py`).
"""

import unicodedata
from collections.abc import Iterable
from typing import Annotated, NamedTuple
from urllib.parse import SplitResult, unquote_plus, urlsplit

from pydantic import AfterValidator, Field
from starlette.datastructures import Headers

READS = frozenset({"GET", "HEAD"})
LARGEST_BODY = 64 * 1024  # bytes
DEFAULT_PORTS = {"http": 80, "https": 443}


class Fault(NamedTuple):
    """What is wrong with a request: the HTTP status, a name for it, and a sentence."""

    status: int
    code: str
    message: str


def has_control_characters(text: str) -> bool:
    """Say whether a text holds what no id of ours holds: control characters, NUL among them, or half a character."""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)


def _require_plain(text: str) -> str:
    """Refuse what no id of ours holds.

    Raises:
        ValueError: it has a control character.
    """
    if has_control_characters(text):
        raise ValueError("a name has no control characters")
    return text


# A name of something: a problem, a batch, an item, a version, a request.
Name = Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_require_plain)]


def find_bad_address(path: str, query: bytes) -> Fault | None:
    """Name what is wrong with the ids in an address; None where nothing is."""
    # What is no UTF-8 becomes half characters, which are refused, too.
    if has_control_characters(path + unquote_plus(query.decode("latin-1"), errors="surrogateescape")):
        return Fault(422, "malformed", "The address holds a control character; no id has one.")
    return None


def find_bad_write(headers: Headers, own_origins: frozenset[str]) -> Fault | None:
    """Name what is wrong with a write; None where nothing is.

    A browser names the page that a write comes from. A program that names none must show a token of its own: a cookie
    alone is what another page can borrow.
    """
    origin = headers.get("origin")
    has_token = headers.get("authorization", "").lower().startswith("bearer ")
    if (normalise_origin(origin or "") not in own_origins) and not (origin is None and has_token):
        return Fault(403, "foreign_page", "This does not come from a page of this server; open the page again.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Fault(415, "not_json", "Send it as application/json.")
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return Fault(411, "too_large", "Say how long it is (Content-Length).")
    if int(length) > LARGEST_BODY:
        return Fault(413, "too_large", f"It has {int(length):,} bytes; {LARGEST_BODY:,} are allowed.")
    return None


def find_own_origins(headers: Headers, scheme: str, configured: Iterable[str]) -> frozenset[str]:
    """Name the origins whose pages may write.

    Where the deployment says under which addresses it is reached, those and no others. Elsewhere the address that the
    browser asked, which a proxy passes on in `Host`, `X-Forwarded-Host` and `X-Forwarded-Proto`: no foreign page can
    make a browser send another one without asking first.

    Args:
        scheme: http or https, as the server itself was asked.
        configured: Airflow's `[api] base_url` and the setting MULGIL_PAGE_ORIGINS; empty texts count as nothing.
    """
    known = frozenset(filter(None, map(normalise_origin, configured)))
    if known:
        return known | frozenset(filter(None, map(_other_loopback, known)))
    protocol = _first(headers.get("x-forwarded-proto")) or scheme
    host = _first(headers.get("x-forwarded-host")) or headers.get("host", "")
    return frozenset(filter(None, [normalise_origin(f"{protocol}://{host}")]))


def normalise_origin(address: str) -> str:
    """Write scheme, host and port of an address in one way: lower case, no default port; empty where it has none."""
    try:
        parts = urlsplit(address.strip())
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return ""
    return _write_origin(parts, parts.hostname, port)


def _write_origin(parts: SplitResult, host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    is_default = port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{shown}" + ("" if is_default else f":{port}")


def _other_loopback(origin: str) -> str:
    """Give the other name of an address of this very machine: people type either."""
    parts = urlsplit(origin)
    other = {"127.0.0.1": "localhost", "localhost": "127.0.0.1"}.get(parts.hostname or "")
    return _write_origin(parts, other, parts.port) if other else ""


def _first(values: str | None) -> str:
    """Give the first of the addresses that proxies have listed: the one that the browser asked."""
    return (values or "").partition(",")[0].strip()
