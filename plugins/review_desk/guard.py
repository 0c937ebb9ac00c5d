"""What no write of the desk may be: from another page, in another form than JSON, or larger than any answer.

What belongs here: checks of a request's headers, before anything reads its body. What does not: who asks (`app.py`).
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse

from review_desk.texts import choose_language, say

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
READS = {"GET", "HEAD"}
LARGEST_BODY = 64 * 1024  # bytes; a note has 2,000 characters


class Guard:
    """An ASGI middleware that refuses writes which the desk's own page would not send.

    Args:
        app: what answers the rest.
        own_url: the address people reach Airflow at, where a proxy stands before it; empty without.
    """

    def __init__(self, app: Any, own_url: str = "") -> None:
        self._app = app
        self._own_origin = origin_of(own_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] == "http" and scope["method"] not in READS:
            headers = Headers(scope=scope)
            fault = find_fault(headers, {self._own_origin, f"{scope['scheme']}://{headers.get('host', '')}"})
            if fault is not None:
                status, code = fault
                message = say(choose_language(headers.get("accept-language")), f"refused.{code}")
                await JSONResponse({"code": code, "message": message}, status_code=status)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def find_fault(headers: Headers, own_origins: set[str]) -> tuple[int, str] | None:
    """Name what is wrong with a write: the HTTP status and the code of its sentence; None where nothing is.

    A browser names the page that a write comes from. A program that names none must show a token of its own: a cookie
    alone is what another page could borrow.
    """
    origin = headers.get("origin")
    if origin is None and not headers.get("authorization", "").lower().startswith("bearer "):
        return 403, "foreign_page"
    if origin is not None and origin not in own_origins:
        return 403, "foreign_page"
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "not_json"
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return 411, "too_large"
    return (413, "too_large") if int(length) > LARGEST_BODY else None


def origin_of(url: str) -> str:
    """Give the origin of an address, as browsers write it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
