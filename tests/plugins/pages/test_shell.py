"""Every answer of a page has the headers and says what is wrong; who is logged out is led to the login and back."""

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from airflow.api_fastapi.core_api.security import get_user, is_safe_url
from fastapi import FastAPI, HTTPException
from fastapi.responses import JSONResponse, Response
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine, text

from model_card import app as models
from pages.shell import HEADERS, make_app, make_site
from pages.writes import Name
from reports import app as reports
from review_desk import app as desk

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ORIGIN = {"Origin": "http://testserver"}
APPS = {"reports": reports, "models": models, "desk": desk}
HERE = Path(reports.__file__).parent


class Tried:
    """A page of a test that meets errors, mounted as Airflow mounts ours."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        site = make_site("Tried", HERE, "style.css", [])
        reads = {"/fine": self.fine, "/break/{how}": self.fail}
        self.app = make_app(site, reads, {"/write": self.write})
        self.app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")

    def fine(self, version: str = "") -> Response:
        return JSONResponse({"version": version})

    def write(self, name: dict[str, Name]) -> Response:
        return JSONResponse(name)

    def fail(self, how: str) -> Response:
        with self._engine.connect() as connection:
            connection.execute(
                text({"zero": "SELECT 1 / 0", "end": "SELECT pg_terminate_backend(pg_backend_pid())"}[how])
            )
        raise AssertionError("unreachable")


@pytest.fixture
def tried(warehouse_url: str) -> Iterator[TestClient]:
    engine = create_engine(warehouse_url)
    airflow = FastAPI()
    airflow.mount("/mulgil/tried", Tried(engine).app)
    with TestClient(airflow, base_url="http://testserver/mulgil/tried/", raise_server_exceptions=False) as client:
        yield client
    engine.dispose()


def has_headers(response: Any) -> bool:
    return {name: response.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.parametrize("name", APPS)
@pytest.mark.parametrize("path", ["/", "/nowhere/at/all", "/style.css", "/static/desk.css", "/theme.js", "/a%00b"])
def test_no_answer_of_a_page_comes_without_its_headers(name: str, path: str) -> None:
    for is_known in (False, True):
        app = APPS[name].create_app()
        if is_known:
            app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada", roles=[])
        client = TestClient(app, raise_server_exceptions=False)
        for response in (client.get(path), client.get(path, headers=BROWSER), client.post(path), client.delete(path)):
            assert has_headers(response), (is_known, response.status_code, response.request)


@pytest.mark.parametrize(
    "path", ["fine?version=a%00b", "fine?version=a%0Ab", "fine?version=%C2%85", "fine?version=%FF", "a%1Bb"]
)
def test_a_control_character_in_an_address_is_the_askers_fault(tried: TestClient, path: str) -> None:
    response = tried.get(path)
    assert (response.status_code, has_headers(response)) == (422, True)
    assert "control character" in response.text


@pytest.mark.parametrize("name", ["a\x00b", "a\nb", "\x7f", "\x85", "\ud800"])
def test_a_control_character_in_a_body_is_the_askers_fault(tried: TestClient, name: str) -> None:
    import json

    sent = json.dumps({"name": name}).encode()
    response = tried.post("write", content=sent, headers=ORIGIN | {"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert tried.post("write", json={"name": "한국어 | 'x'"}, headers=ORIGIN).status_code == 200


def test_only_a_lost_connection_says_that_the_warehouse_is_away(
    tried: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        failed, away = tried.get("break/zero"), tried.get("break/end")
    assert (failed.status_code, away.status_code) == (500, 503)
    assert "warehouse" not in failed.text
    assert "The warehouse does not answer" in away.text
    assert "division by zero" in caplog.text


def test_an_unforeseen_error_is_a_page_with_headers_and_a_log_line(
    tried: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = tried.get("break/nonsense", headers=BROWSER)
    assert (response.status_code, has_headers(response)) == (500, True)
    assert "<h1>Tried</h1>" in response.text
    assert "KeyError" in caplog.text
    assert "KeyError" not in response.text


@pytest.mark.parametrize("name", APPS)
def test_who_is_logged_out_is_led_to_the_login_and_back(name: str) -> None:
    airflow = FastAPI()
    airflow.mount(f"/mulgil/{name}", APPS[name].create_app())
    client = TestClient(airflow, follow_redirects=False)
    led = client.get(f"/mulgil/{name}/?dag=a__land", headers=BROWSER)
    login = urlsplit(led.headers["location"])
    assert (led.status_code, login.path) == (303, "/api/v2/auth/login")
    back = parse_qs(login.query)["next"][0]
    assert back == f"/mulgil/{name}/?dag=a__land"
    assert is_safe_url(back, request=SimpleNamespace(base_url="http://testserver/"))  # type: ignore[arg-type]
    assert client.get(f"/mulgil/{name}/").json() == {"detail": "Not authenticated"}


@pytest.mark.parametrize(("path", "up"), [("nowhere", "./"), ("break/zero", "../")])
def test_a_page_that_says_what_is_wrong_leads_back_to_the_start(tried: TestClient, path: str, up: str) -> None:
    html = tried.get(path, headers=BROWSER).text
    assert f'<a href="{up}">' in html
    assert f'href="{up.removeprefix("./")}style.css"' in html


def test_a_file_that_is_not_the_sites_is_not_sent() -> None:
    site = make_site("Tried", HERE, "style.css", [])
    assert b"color-scheme: dark" in site.send_file("style.css").body
    with pytest.raises(HTTPException, match="no such page"):
        site.send_file("../app.py")
