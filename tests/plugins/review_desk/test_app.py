"""The desk's routes: who may, what is refused, in which words, and that what an item says never runs."""

from typing import Any

import pytest
from airflow.api_fastapi.app import _AuthManagerState
from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text, update

from include.review.desk import service
from include.review.desk.service import Person, Place
from include.warehouse.tables.desk import REVIEW_AUDIT, REVIEW_PASS, REVIEW_SEAT
from include.warehouse.tables.review import LABEL
from pages.languages import LANGUAGES
from pages.shell import MEDIA_TYPES
from review_desk import app as page
from review_desk.texts import TEXTS
from tests.laid_desk import BATCH, PROBLEM, lay_out, make_choice, make_problem, rows
from tests.plugins.review_desk.conftest import ORIGIN, Caller, Rights

READS = ["", "static/desk.js", "batches", "progress", "text", "summary", "people"]
WRITES = ["take", "answer", "pass", "undo", "open", "leave", "decide", "block", "afterwards"]
WHERE = {"problem": PROBLEM, "batch_id": BATCH}
NOTHING_OF_PEOPLE = dict[str, list[str]].fromkeys(["people", "agreement", "flags", "blocks", "torn"], []) | {
    "classes": ["wanted", "unsolicited"]
}
SCRIPT = "<script>alert(1)</script>"


def body_of(path: str, item_id: str = "mail-01") -> dict[str, Any]:
    """Give the body that a page would send to a route."""
    more: dict[str, dict[str, Any]] = {
        "take": {},
        "leave": {},
        "answer": {"item_id": item_id, "label": "wanted", "request_id": "request-1"},
        "pass": {"item_id": item_id, "action": "skip", "reason": "no idea", "request_id": "request-2"},
        "undo": {"item_id": item_id, "request_id": "request-3"},
        "open": {"item_id": item_id},
        "decide": {"labelled_by": "bot", "is_accepted": True},
        "block": {"labelled_by": "bot", "is_blocked": True, "reason": "a script"},
    }
    more["afterwards"] = {"item_id": item_id, "label": "wanted", "is_last_word": False, "request_id": "request-4"}
    # A block is about a person, wherever they answered.
    return ({"problem": WHERE["problem"]} if path == "block" else WHERE) | more[path]


def audited(engine: Engine) -> list[tuple[str, str, str, str | None]]:
    found = sorted(rows(engine, REVIEW_AUDIT), key=lambda row: row["written_at_utc"])
    return [(row["person"], row["action"], row["result"], row["reason"]) for row in found]


# ---------------------------------------------------------------- who


def test_the_app_has_the_routes_that_are_asked_here_and_no_documentation() -> None:
    paths = {route.path for route in page.create_app().routes}  # type: ignore[attr-defined]
    assert paths == {"/", "/static/{name}"} | {f"/{name}" for name in READS[2:] + WRITES}


@pytest.mark.parametrize("path", READS)
def test_nobody_reads_without_a_login(desk_app: FastAPI, path: str) -> None:
    query = WHERE | {"item_id": "mail-01", "field": "body"}
    assert Caller(desk_app, None).get(path, **query).status_code == 401


@pytest.mark.parametrize("path", WRITES)
def test_nobody_writes_without_a_login(desk_app: FastAPI, engine: Engine, path: str) -> None:
    assert Caller(desk_app, None).post(path, body_of(path)).status_code == 401
    assert audited(engine) == []


def test_a_forged_token_is_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of Airflow's own check, not of the tests' login."""
    monkeypatch.setattr(_AuthManagerState, "instance", SimpleAuthManager())
    with TestClient(page.create_app(), base_url=ORIGIN, cookies={"_token": "forged"}) as client:
        headers = {"Origin": ORIGIN}
        answered = [client.get("/batches"), client.post("/take", json=WHERE, headers=headers)]
    assert [response.status_code for response in answered] == [403, 403]


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_who_posts_is_refused_told_why_and_written_down(desk_app: FastAPI, engine: Engine, path: str) -> None:
    lay_out(engine, [make_choice(1)])
    response = Caller(desk_app, "vic").post(path, body_of(path))
    assert (response.status_code, response.json()["code"]) == (403, "no_right")
    assert "Unsolicited advertising in the mail" in response.json()["message"]
    action = {"pass": "skip", "decide": "accept", "afterwards": "correction"}.get(path, path)
    assert audited(engine) == [("vic", action, "refused", "no_right")]


def test_a_viewer_who_never_stops_fills_a_row_a_minute(desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    vic = Caller(desk_app, "vic")
    for number in range(30):
        assert vic.post("take", WHERE | {"batch_id": f"round-{number}"}).status_code == 403
    counts = [row["after"]["n_times"] for row in rows(engine, REVIEW_AUDIT)]
    assert sum(counts) == 30
    assert len(counts) <= 2  # the minute may end meanwhile


@pytest.mark.parametrize(
    ("role", "status"), [("Viewer", 403), ("Reviewer", 403), ("Op", 403), ("Lead", 200), ("Admin", 200)]
)
def test_the_report_of_people_is_for_leads(
    desk_app: FastAPI, engine: Engine, rights: Rights, role: str, status: int
) -> None:
    lay_out(engine, [make_choice(1)])
    rights.roles["ada"] = [role]
    assert Caller(desk_app, "ada").get("people", problem=PROBLEM).status_code == status


@pytest.mark.parametrize("field", ["problem", "batch_id", "item_id", "label", "request_id"])
@pytest.mark.parametrize("character", ["\x00", "\n", "\x1b"])
def test_a_control_character_in_any_name_is_the_askers_fault(
    ada: Caller, engine: Engine, field: str, character: str
) -> None:
    lay_out(engine, [make_choice(1)])
    sent = body_of("answer")
    response = ada.post("answer", sent | {field: f"{sent[field]}{character}"})
    assert (response.status_code, response.json()["code"]) == (422, "malformed")


@pytest.mark.parametrize("field", ["note", "reason"])
def test_a_control_character_in_what_a_person_writes_is_stored(ada: Caller, engine: Engine, field: str) -> None:
    lay_out(engine, [make_choice(1)])
    ada.post("take", WHERE)
    path = {"note": "answer", "reason": "pass"}[field]
    assert ada.post(path, body_of(path) | {field: "two\nlines\x00"}).status_code == 200
    stored = rows(engine, LABEL if field == "note" else REVIEW_PASS)
    assert stored[0][field] == "two\nlines\ufffd"


def test_a_viewer_sees_that_a_batch_is_there(desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    batches = Caller(desk_app, "vic").get("batches").json()["batches"]
    assert [(batch["batch_id"], batch["may_answer"]) for batch in batches] == [(BATCH, False)]


def test_a_problem_that_a_person_may_not_read_is_unknown_to_them(desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    eve = Caller(desk_app, "eve")
    assert eve.get("batches").json()["batches"] == []
    for response in (eve.post("take", WHERE), eve.get("summary", **WHERE), eve.get("people", problem=PROBLEM)):
        assert (response.status_code, response.json()["code"]) == (404, "unknown_batch")


def test_reports_of_people_are_for_leads(desk_app: FastAPI, rights: Rights, ada: Caller) -> None:
    response = ada.get("people", problem=PROBLEM)
    assert (response.status_code, response.json()["code"]) == (403, "leads_only")
    rights.roles["ada"] = ["trust-and-safety-lead"]
    assert ada.get("people", problem=PROBLEM).json() == NOTHING_OF_PEOPLE


# ---------------------------------------------------------------- from where, and what


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"Origin": "https://elsewhere.example"}, 403, "foreign_page"),
        ({"Origin": "null"}, 403, "foreign_page"),
        ({"Origin": "http://testserver.example"}, 403, "foreign_page"),
        ({"Content-Type": "text/plain"}, 415, "not_json"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "not_json"),
        ({"Content-Length": "70000"}, 413, "too_large"),
    ],
)
def test_a_write_that_another_page_could_send_is_refused(
    ada: Caller, engine: Engine, headers: dict[str, str], status: int, code: str
) -> None:
    lay_out(engine, [make_choice(1)])
    for language in LANGUAGES:
        response = ada.post("take", WHERE, **headers, **{"Accept-Language": language})
        assert response.status_code == status
        assert response.json() == {"code": code, "message": TEXTS[language][f"refused.{code}"]}
    assert audited(engine) == []


def test_a_cookie_alone_writes_nothing_and_a_token_needs_no_page(ada: Caller, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    without = ada.client.post("/mulgil/desk/take", json=WHERE)
    assert (without.status_code, without.json()["code"]) == (403, "foreign_page")
    shown = ada.client.post("/mulgil/desk/take", json=WHERE, headers={"Authorization": "Bearer of-a-program"})
    assert shown.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        WHERE | {"item_id": "mail-01", "label": "wanted"},
        WHERE | {"item_id": "mail-01", "label": ["wanted"], "request_id": "request-1"},
        WHERE | {"item_id": "mail-01", "label": "wanted", "request_id": "request-1", "is_demo": True},
    ],
)
def test_what_the_page_never_sends_is_refused_without_an_echo(ada: Caller, body: Any) -> None:
    response = ada.post("answer", body)
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert "mail-01" not in response.text


# ---------------------------------------------------------------- answers


def test_an_answer_is_stored_and_the_next_item_comes_with_it(ada: Caller, engine: Engine, rights: Rights) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    assert ada.post("take", WHERE).json()["item"]["item_id"] == "mail-01"
    first = ada.post("answer", body_of("answer")).json()
    assert (first["item"]["item_id"], first["is_finished"], rights.announced) == ("mail-02", False, [])
    last = ada.post("answer", body_of("answer", "mail-02") | {"request_id": "request-9"}).json()
    assert (last["item"], last["is_finished"], rights.announced) == (None, True, [(PROBLEM, BATCH)])
    assert len(rows(engine, LABEL)) == 2
    assert ada.get("summary", **WHERE).json()["n_answered"] == 2


def test_where_the_server_died_after_the_last_answer_whoever_looks_next_finishes_the_batch(
    ada: Caller, engine: Engine, rights: Rights
) -> None:
    lay_out(engine, [make_choice(1)])
    ada.post("take", WHERE)
    given = {"label": "wanted", "note": None, "looked_ms": None, "request_id": "request-1"}
    service.answer(engine, make_problem(), Place(PROBLEM, BATCH, "mail-01"), Person("ada"), **given)
    assert ada.post("take", WHERE).json() == {"item": None, "is_finished": True}
    assert ada.post("take", WHERE).json() == {"item": None, "is_finished": True}
    assert rights.announced == [(PROBLEM, BATCH)]


def test_sent_twice_because_the_answer_got_lost_it_is_stored_once(ada: Caller, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2), make_choice(3)])
    ada.post("take", WHERE)
    first, again = (ada.post("answer", body_of("answer")).json() for _ in range(2))
    assert first["item"]["item_id"] == again["item"]["item_id"] == "mail-02"
    assert len(rows(engine, LABEL)) == 1


@pytest.mark.parametrize(
    ("change", "status", "english", "korean"),
    [
        ({"label": "perhaps"}, 422, "“perhaps” is none of the answers; allowed are: wanted, unsolicited", "가능한 답"),
        ({"item_id": "mail-77"}, 404, "This item is not in the batch", "작업에 없습니다"),
        ({"item_id": "mail-02"}, 409, "somebody else has it", "다른 사람이 맡고"),
        ({"batch_id": "round-099"}, 404, "There is no batch “round-099”", "“round-099”"),
        ({"problem": "campaign"}, 404, "There is no batch “campaign”", "“campaign”"),
    ],
)
def test_a_refusal_is_a_sentence_in_the_persons_language(
    desk_app: FastAPI, engine: Engine, change: dict[str, str], status: int, english: str, korean: str
) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    for language, words in (("en-GB", english), ("ko-KR,en;q=0.5", korean)):
        caller = Caller(desk_app, "ada", language)
        caller.post("take", WHERE)
        response = caller.post("answer", body_of("answer") | change)
        assert response.status_code == status
        assert words in response.json()["message"]


def test_an_answer_to_a_finished_batch_is_told_so_in_both_languages(desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    ada = Caller(desk_app, "ada")
    ada.post("take", WHERE)
    ada.post("answer", body_of("answer"))
    for language, words in (("en", "This batch is finished"), ("ko", "이 작업은 끝나서")):
        late = Caller(desk_app, "ada", language).post("answer", body_of("answer") | {"request_id": "request-late"})
        assert (late.status_code, late.json()["code"]) == (409, "finished_batch")
        assert words in late.json()["message"]


def test_an_answer_after_the_lease_is_told_that_somebody_else_has_the_item(desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    Caller(desk_app, "ada").post("take", WHERE)
    with engine.begin() as connection:
        connection.execute(update(REVIEW_SEAT).values(expires_at_utc=text("now() - interval '1 second'")))
    assert Caller(desk_app, "ben").post("take", WHERE).json()["item"]["item_id"] == "mail-01"
    for language, words in (("en", "The time for this item was over"), ("ko", "이 항목의 제한 시간이 지나")):
        late = Caller(desk_app, "ada", language).post("answer", body_of("answer"))
        assert (late.status_code, late.json()["code"]) == (409, "not_held")
        assert words in late.json()["message"]
    assert rows(engine, LABEL) == []


def test_undo_skip_and_open_go_through(ada: Caller, engine: Engine) -> None:
    lay_out(engine, [make_choice(1, is_sensitive=True), make_choice(2)])
    assert ada.post("take", WHERE).json()["item"]["fields"] == []
    assert ada.post("open", body_of("open")).json()["item"]["fields"][0]["value"] == "Subject of mail-01"
    assert ada.post("pass", body_of("pass")).json()["item"]["item_id"] == "mail-02"
    assert ada.post("undo", body_of("undo")).json()["item"]["item_id"] == "mail-01"
    assert ada.post("leave", WHERE).json() == {"given_back": ["mail-01", "mail-02"]}


def test_a_whole_megabyte_is_given_to_its_holder(ada: Caller, desk_app: FastAPI, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)], {"mail-01": ("s", "가" * 1_000_000)})
    ada.post("take", WHERE)
    query = WHERE | {"item_id": "mail-01", "field": "body"}
    assert len(ada.get("text", **query).json()["text"]) == 1_000_000
    assert Caller(desk_app, "ben").get("text", **query).status_code == 409


def test_a_warehouse_that_does_not_answer_is_said_without_its_address(
    ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "postgresql+psycopg://someone:hush@127.0.0.1:1/none")
    response = ada.get("batches")
    assert (response.status_code, "hush" in response.text) == (503, False)
    assert "Nothing is lost" in response.json()["message"]


# ---------------------------------------------------------------- the page


def test_the_page_runs_its_own_files_only_and_is_not_kept(ada: Caller) -> None:
    response = ada.get("")
    policy = dict(part.split(" ", 1) for part in response.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert {policy[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}
    assert (response.headers["x-content-type-options"], response.headers["cache-control"]) == ("nosniff", "no-store")
    assert " style=" not in response.text
    assert "<script>" not in response.text


@pytest.mark.parametrize("name", [*page.SITE.files])
def test_every_file_of_the_page_is_there_and_names_no_other_address(ada: Caller, name: str) -> None:
    response = ada.get(f"static/{name}")
    assert response.headers["content-type"].startswith(MEDIA_TYPES[name[name.index(".") :]])
    foreign = response.text.replace("http://www.w3.org/2000/svg", "")
    assert "http" not in foreign.replace("https.", "").replace("HTTPS", "")
    assert "innerHTML" not in foreign


@pytest.mark.parametrize("name", ["../app.py", "app.py", "texts/en.json"])
def test_no_other_file_is_sent(ada: Caller, name: str) -> None:
    assert ada.get(f"static/{name}").status_code == 404


def test_the_page_speaks_the_language_that_is_asked_for(desk_app: FastAPI) -> None:
    assert '<html lang="ko">' in Caller(desk_app, "ada", "ko").get("").text
    assert Caller(desk_app, "ada", "fr").get("batches").json()["language"] == "en"
