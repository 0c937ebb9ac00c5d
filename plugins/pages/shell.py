"""What every page of ours is made of: its app, who may see it, its headers, its files, and what an error looks like.

What belongs here: what all pages share. What does not: what one of them shows.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from airflow.configuration import conf
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException as StarletteHTTPException

from include.settings import read_settings
from include.warehouse.database import is_away
from pages.access import require_login
from pages.writes import READS, Fault, find_bad_address, find_bad_write, find_own_origins

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Tell = Callable[[Fault, Headers], Mapping[str, str]]

SHARED = Path(__file__).parent
PAGE_STYLE = SHARED / "static" / "page.css"  # of pages that are read, not worked on
log = logging.getLogger(__name__)
# What rows say is hostile until shown otherwise: nothing runs or loads but our own files, in a frame of Airflow's only.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FAILED = Fault(500, "failed", "Something went wrong on the server; its log says what. Nothing was changed.")


@dataclass(frozen=True)
class Site:
    """One page plugin: a folder with templates, and the files that its pages load.

    Attributes:
        title: what people call it.
        templates: renders its pages; `error.html` is everybody's.
        files: each file that a browser may ask for, to the parts that it is put together from.
        files_at: where they are, below the site's own address: empty, or `static/`.
        style: the file that all of its pages are dressed by.
    """

    title: str
    templates: Environment
    files: Mapping[str, Sequence[Path]]
    files_at: str
    style: str

    def render(self, template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
        """Render one page."""
        return HTMLResponse(self.templates.get_template(template).render(values), status_code=status)

    def send_file(self, name: str) -> Response:
        """Send one of the page's own files, and no other.

        Raises:
            HTTPException: there is no such file.
        """
        if name not in self.files:
            raise HTTPException(404, f"{self.title} has no such page.")
        text = "\n".join(path.read_text(encoding="utf-8") for path in self.files[name])
        return Response(text, media_type=MEDIA_TYPES[Path(name).suffix])


def make_site(
    title: str, folder: Path, style: str, dress: Sequence[Path], scripts: Sequence[str] = (), files_at: str = ""
) -> Site:
    """Make a page plugin's site from its folder.

    Args:
        style: name of its style sheet, as a browser asks for it.
        dress: what it is put together from, after the colours of all pages.
        scripts: names of its scripts in `static/`.
        files_at: where a browser finds the files: empty, or `static/`.
    """
    loader = FileSystemLoader([folder / "templates", SHARED / "templates"])
    templates = Environment(loader=loader, autoescape=True, trim_blocks=True)
    files = {
        style: [SHARED / "static" / "colours.css", *dress],
        "theme.js": [SHARED / "static" / "theme.js"],
        **{name: [folder / "static" / name] for name in ("icon.svg", *scripts)},
    }
    return Site(title, templates, files, files_at, style)


def tell_plainly(fault: Fault, headers: Headers) -> Mapping[str, str]:
    """Tell what is wrong in the one language of most pages."""
    del headers
    return {"code": fault.code, "message": fault.message}


def make_app(
    site: Site,
    reads: Mapping[str, Callable[..., Response]],
    writes: Mapping[str, Callable[..., Response]] | None = None,
    tell: Tell | None = None,
) -> FastAPI:
    """Make the app of a page plugin: every route asks who you are, and every answer has the headers.

    Args:
        reads: addresses to what answers them.
        writes: likewise; only pages of this server may send them.
        tell: what is said about a fault to a script of the page, in words that the request's headers choose; a site
            without has no script that reads, and says it in English.
    """
    app = FastAPI(dependencies=[require_login], docs_url=None, redoc_url=None, openapi_url=None)
    for path, route in reads.items():
        app.add_api_route(path, route, methods=["GET"], response_model=None)
    for path, route in (writes or {}).items():
        app.add_api_route(path, route, methods=["POST"], response_model=None)
    app.add_api_route(f"/{site.files_at}{{name}}", site.send_file, methods=["GET"], response_model=None)

    def answer(fault: Fault, scope: Scope) -> Response:
        headers = Headers(scope=scope)
        told = (tell or tell_plainly)(fault, headers)
        if _asks_for_a_page(headers) or (tell is None and scope["method"] in READS):
            return _show_fault(site, fault, told["message"], scope)
        return JSONResponse(dict(told), fault.status)

    def meet_http_error(request: Request, error: StarletteHTTPException) -> Response:
        if not _asks_for_a_page(request.headers):
            return JSONResponse({"detail": error.detail}, error.status_code, error.headers)
        if error.status_code == 401 and request.method in READS:
            return RedirectResponse(find_login(request), 303)
        return _show_fault(site, Fault(error.status_code, "refused", ""), str(error.detail), request.scope)

    def meet_malformed(request: Request, error: RequestValidationError) -> Response:
        del error  # what was sent stays out of the answer
        return answer(Fault(422, "malformed", "This is not what the page sends; load it again."), request.scope)

    def meet_database_error(request: Request, error: SQLAlchemyError) -> Response:
        if is_away(error):
            name = type(error).__name__
            log.warning("%s cannot reach the warehouse: %s", site.title, name)
            away = f"The warehouse does not answer just now ({name}). No data is lost."
            return answer(Fault(503, "unavailable", away), request.scope)
        log.error("%s met an error of the warehouse at %s", site.title, request.url.path, exc_info=error)
        return answer(FAILED, request.scope)

    app.exception_handler(StarletteHTTPException)(meet_http_error)
    app.exception_handler(RequestValidationError)(meet_malformed)
    app.exception_handler(SQLAlchemyError)(meet_database_error)
    app.add_middleware(Guard, answer=answer, title=site.title)
    return app


def _asks_for_a_page(headers: Headers) -> bool:
    """Tell a browser that opens a page from a script that reads."""
    return "text/html" in headers.get("accept", "")


def _show_fault(site: Site, fault: Fault, message: str, scope: Scope) -> Response:
    """Say in a page what is wrong, with a way back to where the site begins."""
    below = scope["path"].removeprefix(scope.get("root_path", ""))
    up = "../" * (below.count("/") - 1)
    values = {"site": site, "fault": fault, "message": message, "up": up}
    return site.render("error.html", values, fault.status)


def find_login(request: Request) -> str:
    """Give the address of Airflow's login, which leads back to what was asked for."""
    prefix = urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"{prefix}/api/v2/auth/login?next={quote(wanted, safe='')}"


class Guard:
    """An ASGI middleware around a whole page: refuses what no page of ours sends, and gives every answer its headers.

    Args:
        app: what answers the rest.
        answer: makes the answer to a fault.
        title: what people call the page.
    """

    def __init__(self, app: Any, answer: Callable[[Fault, Scope], Response], title: str) -> None:
        self._app = app
        self._answer = answer
        self._title = title

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_begun = False

        async def send_with_headers(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        if (fault := _find_fault(scope)) is not None:
            await self._answer(fault, scope)(scope, receive, send_with_headers)
            return
        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if has_begun:
                raise
            log.exception("%s could not answer %s", self._title, scope["path"])
            await self._answer(FAILED, scope)(scope, receive, send_with_headers)


def _find_fault(scope: Scope) -> Fault | None:
    """Name what is wrong with a request before anybody reads it."""
    fault = find_bad_address(scope["path"], scope.get("query_string", b""))
    if fault is not None or scope["method"] in READS:
        return fault
    headers = Headers(scope=scope)
    configured = [conf.get("api", "base_url", fallback=""), *read_settings().page_origins]
    return find_bad_write(headers, find_own_origins(headers, scope["scheme"], configured))
