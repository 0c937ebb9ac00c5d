"""What a page's write must look like: JSON, small, and from a page of this very server.

What belongs here: checks of a request's headers, before anything reads its body. What does not: who asks (`access.py`).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from starlette.datastructures import Headers
from starlette.responses import JSONResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

READS = frozenset({"GET", "HEAD"})
LARGEST_BODY = 64 * 1024  # bytes


class OwnPagesOnly:
    """An ASGI middleware that refuses writes which no page of ours would send.

    Args:
        app: what answers the rest.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        # Where a proxy stands before the server, a browser names the proxy's address and not the one in `Host`.
        address = urlsplit(conf.get("api", "base_url", fallback=""))
        self._own_origin = f"{address.scheme}://{address.netloc}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] == "http" and scope["method"] not in READS:
            headers = Headers(scope=scope)
            fault = find_fault(headers, {self._own_origin, f"{scope['scheme']}://{headers.get('host', '')}"})
            if fault is not None:
                status, message = fault
                await JSONResponse({"message": message}, status_code=status)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def find_fault(headers: Headers, own_origins: set[str]) -> tuple[int, str] | None:
    """Name what is wrong with a write.

    A browser names the page that a write comes from. A program that names none must show a token of its own: a cookie
    alone is what another page can borrow.

    Returns:
        the HTTP status (403 another page's, 415 not JSON, 411 and 413 of unknown or large size) and a sentence; None
        where nothing is wrong.
    """
    origin = headers.get("origin")
    has_token = headers.get("authorization", "").lower().startswith("bearer ")
    if origin not in own_origins and not (origin is None and has_token):
        return 403, "This question does not come from a page of this server; open the page again."
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "Send the question as application/json."
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return 411, "Say how long the question is (Content-Length)."
    if int(length) > LARGEST_BODY:
        return 413, f"The question has {int(length):,} bytes; {LARGEST_BODY:,} are allowed."
    return None
