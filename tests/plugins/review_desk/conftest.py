"""The desk's app over a real warehouse, with people whose rights a test can choose instead of Airflow's login."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine, QueuePool, create_engine, event

from include.warehouse.database import engine_for
from review_desk import app as page
from tests.laid_desk import clear

COOKIE = "test_login"
ORIGIN = "http://testserver"


@dataclass
class Rights:
    """Who may do what; a name that is in neither set is a stranger to the problem."""

    readers: set[str] = field(default_factory=lambda: {"ada", "ben", "vic"})
    answerers: set[str] = field(default_factory=lambda: {"ada", "ben"})
    roles: dict[str, list[str]] = field(default_factory=dict)
    announced: list[tuple[str, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def _engine(module_warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(module_warehouse_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: Engine, module_warehouse_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", module_warehouse_url)
    yield _engine
    wait_for_requests(engine_for(module_warehouse_url))
    clear(_engine)
    engine_for(module_warehouse_url).dispose()


def wait_for_requests(engine: Engine) -> None:
    """Wait until no request holds a connection: a page that was closed may have asked for something a moment before."""
    pool, returned = engine.pool, threading.Event()
    assert isinstance(pool, QueuePool)
    event.listen(pool, "checkin", lambda *_: returned.set())
    give_up_at = time.monotonic() + 10
    while pool.checkedout() and time.monotonic() < give_up_at:
        returned.wait(0.1)
        returned.clear()


@pytest.fixture
def rights(monkeypatch: pytest.MonkeyPatch) -> Rights:
    rights = Rights()
    monkeypatch.setattr(page, "may_read", lambda user, *_: user.get_name() in rights.readers)
    monkeypatch.setattr(page, "may_answer", lambda user, _: user.get_name() in rights.answerers)

    def announce(engine: Engine, problem: str, batch_id: str) -> bool:
        rights.announced.append((problem, batch_id))
        return True

    monkeypatch.setattr(page, "announce_labels", announce)
    return rights


@pytest.fixture
def desk_app(engine: Engine, rights: Rights) -> FastAPI:
    """Give the app where Airflow would mount it; the cookie names who asks, and without one nobody does."""

    def find_user(request: Request) -> Any:
        name = request.cookies.get(COOKIE)
        if not name:
            raise HTTPException(401, "Not authenticated")
        return SimpleNamespace(get_name=lambda: name, roles=rights.roles.get(name, []))

    desk = page.create_app()
    desk.dependency_overrides[get_user] = find_user
    airflow = FastAPI()
    airflow.add_api_route("/login", show_login, methods=["GET"], response_model=None)
    airflow.add_api_route("/welcome", welcome, methods=["GET"], response_model=None)
    airflow.mount("/mulgil/desk", desk)
    return airflow


def show_login() -> HTMLResponse:
    """Stand in for Airflow's login form."""
    return HTMLResponse('<form action="/welcome"><input name="username" autofocus><button>Log in</button></form>')


def welcome(username: str) -> RedirectResponse:
    """Give whoever logs in a cookie as Airflow does: no script may read it, and no other page may send it."""
    response = RedirectResponse("/mulgil/desk/")
    response.set_cookie(COOKIE, username, httponly=True, samesite="lax")
    return response


class Caller:
    """Somebody's page: sends what a browser would."""

    def __init__(self, app: FastAPI, name: str | None, language: str = "en") -> None:
        self.client = TestClient(app, base_url=ORIGIN, cookies={COOKIE: name} if name else {})
        self.headers = {"Accept-Language": language}

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(f"/mulgil/desk/{path}", params=query, headers=self.headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        sent = self.headers | {"Origin": ORIGIN} | headers
        return self.client.post(f"/mulgil/desk/{path}", json=body, headers=sent)


@pytest.fixture
def ada(desk_app: FastAPI) -> Caller:
    return Caller(desk_app, "ada")


@pytest.fixture
def served(desk_app: FastAPI, serve: Callable[[FastAPI], str]) -> str:
    """Serve the app and its login on a port of this machine; gives its address."""
    return serve(desk_app)
