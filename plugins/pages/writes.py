"""What a page's write must look like: JSON, small, and from a page of this very server.

What belongs here: checks of a request's headers, before anything reads its body. What does not: who asks (`access.py`).
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from airflow.configuration import conf
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

READS = frozenset({"GET", "HEAD"})
LARGEST_BODY = 64 * 1024  # bytes


class Fault(NamedTuple):
    """What is wrong with a write: the HTTP status, a name for it, and a sentence."""

    status: int
    code: str
    message: str


def tell_plainly(fault: Fault, headers: Headers) -> Mapping[str, str]:
    """Tell what is wrong in the one language of most pages."""
    del headers
    return {"message": fault.message}


class OwnPagesOnly:
    """An ASGI middleware that refuses writes which no page of ours would send.

    Args:
        app: what answers the rest.
        tell: what a page answers to a fault; it may choose its words by the request's headers.
    """

    def __init__(self, app: Any, tell: Callable[[Fault, Headers], Mapping[str, str]] = tell_plainly) -> None:
        self._app = app
        self._tell = tell
        # Where a proxy stands before the server, a browser names the proxy's address and not the one in `Host`.
        address = urlsplit(conf.get("api", "base_url", fallback=""))
        self._own_origin = f"{address.scheme}://{address.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] == "http" and scope["method"] not in READS:
            headers = Headers(scope=scope)
            fault = find_fault(headers, {self._own_origin, f"{scope['scheme']}://{headers.get('host', '')}"})
            if fault is not None:
                answer = JSONResponse(self._tell(fault, headers), status_code=fault.status)
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)


def find_fault(headers: Headers, own_origins: set[str]) -> Fault | None:
    """Name what is wrong with a write; None where nothing is.

    A browser names the page that a write comes from. A program that names none must show a token of its own: a cookie
    alone is what another page can borrow.
    """
    origin = headers.get("origin")
    has_token = headers.get("authorization", "").lower().startswith("bearer ")
    if origin not in own_origins and not (origin is None and has_token):
        return Fault(403, "foreign_page", "This does not come from a page of this server; open the page again.")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Fault(415, "not_json", "Send it as application/json.")
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return Fault(411, "too_large", "Say how long it is (Content-Length).")
    if int(length) > LARGEST_BODY:
        return Fault(413, "too_large", f"It has {int(length):,} bytes; {LARGEST_BODY:,} are allowed.")
    return None
