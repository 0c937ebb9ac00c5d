import json

import pytest
from starlette.testclient import TestClient

from include.serving import store
from include.serving.access import add_key
from include.serving.clients.evaluate import evaluate
from include.serving.service import KEYS_FILE, Pace, Service
from include.serving.web.app import make_app
from include.settings import read_settings
from tests.include.serving.factories import make_experiment, make_file
from tests.include.serving.live_factories import WET, promote, write_problem

FLAG = "/ofrep/v1/evaluate/flags/campaign.experiment"
FLAGS = "/ofrep/v1/evaluate/flags"
LATE = "/v1/decisions/late"
NEVER = Pace(reload_s=3_600, ship_s=3_600)


@pytest.fixture
def service(shares, tmp_path, monkeypatch, house):
    """Give a service over a published experiment and a promoted model."""
    folder = tmp_path / "problems"
    write_problem(folder)
    (folder / "campaign.yaml").write_bytes((read_settings().problems_dir / "campaign.yaml").read_bytes())
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    store.open_published(read_settings()).write(store.published_key("campaign"), make_file(revision=7))
    promote(house.engine, "v1")
    return Service(read_settings(), tmp_path / "serving", NEVER)


@pytest.fixture
def ask(service):
    """Give a client whose key may do everything; other keys by their name."""
    keys = service.folder / KEYS_FILE
    secrets = {
        "all": add_key(keys, "all", ["evaluate", "decide", "metrics"]),
        "decider": add_key(keys, "decider", ["decide:late"]),
        "cards": add_key(keys, "cards", ["evaluate:cards"]),
        "slow": add_key(keys, "slow", ["evaluate"], 1),
    }
    with TestClient(make_app(service)) as client:

        def post(path, body=None, *, key="all", headers=None, method="POST"):
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            shown = {"Authorization": f"Bearer {secrets.get(key, key)}"} if key else {}
            return client.request(method, path, content=content, headers=shown | (headers or {}))

        yield post


def about(unit):
    return {"context": {"targetingKey": unit}}


def logged(service):
    return [json.loads(line) for path in (service.folder / "log").iterdir() for line in path.read_text().splitlines()]


def test_a_flag_is_answered_as_the_protocol_says_and_logged_once(ask, service):
    for _ in range(2):
        answer = ask(FLAG, about("p1"))
    assert answer.status_code == 200
    assert answer.json()["value"] == evaluate(make_experiment(), "p1")
    (record,) = logged(service)
    assert (record["unit"], record["variant"], record["propensity"]) == ("p1", answer.json()["value"], 0.5)
    assert (record["event"], record["source"], record["revision"]) == ("exposure", "single", 7)


def test_all_flags_have_a_tag_and_are_not_sent_twice(ask):
    first = ask(FLAGS, about("p1"))
    assert [flag["key"] for flag in first.json()["flags"]] == ["campaign.experiment"]
    again = ask(FLAGS, about("p1"), headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert ask(FLAGS, about("p2"), headers={"If-None-Match": first.headers["etag"]}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "key", "status", "code"),
    [
        ("/ofrep/v1/evaluate/flags/campaign.none", about("p1"), "all", 404, "FLAG_NOT_FOUND"),
        (FLAG, {"context": {}}, "all", 400, "TARGETING_KEY_MISSING"),
        (FLAGS, {"context": {}}, "all", 400, "TARGETING_KEY_MISSING"),
        (FLAG, b"{", "all", 400, "PARSE_ERROR"),
        (FLAG, about("p1") | {"more": "x" * (1 << 20)}, "all", 400, "INVALID_CONTEXT"),
        (FLAG, about("p1"), "", 401, "UNAUTHORIZED"),
        (FLAG, about("p1"), "mulgil_forged", 401, "UNAUTHORIZED"),
        (FLAG, about("p1"), "decider", 403, "FORBIDDEN"),
        (FLAGS, about("p1"), "decider", 403, "FORBIDDEN"),
        (LATE, {"features": WET}, "slow", 403, "FORBIDDEN"),
        ("/v1/decisions/campaign", {"features": WET}, "all", 404, "MODEL_NOT_FOUND"),
        (LATE, {}, "all", 400, "INVALID_FEATURES"),
        (LATE, {"features": WET | {"hour": "x"}}, "all", 400, "INVALID_FEATURES"),
        (LATE, b'{"features": {"rain_mm": NaN}}', "all", 400, "PARSE_ERROR"),
        (LATE, b'{"features": {"rain_mm": 1e999, "hour": 1, "line": "red"}}', "all", 400, "INVALID_FEATURES"),
        (LATE, {"features": WET, "id": 3}, "all", 400, "PARSE_ERROR"),
        ("/metrics", b"", "slow", 405, None),
    ],
)
def test_what_cannot_be_answered_is_refused_with_its_status_and_code(ask, service, path, body, key, status, code):
    answer = ask(path, body, key=key)
    assert answer.status_code == status
    if code is not None:
        assert answer.json()["errorCode"] == code
        assert len(answer.json()["errorDetails"]) > 10
    assert logged(service) == []


def test_a_body_without_a_length_is_read_no_further_than_allowed(ask):
    def endless():
        for _ in range(200):
            yield b"x" * 1_000

    answer = ask(FLAG, b"".join(endless()))
    assert answer.json()["errorCode"] == "INVALID_CONTEXT"


def test_a_program_that_asks_too_often_is_told_when_to_come_back(ask):
    answers = [ask(FLAG, about(f"p{index}"), key="slow") for index in range(3)]
    assert [answer.status_code for answer in answers][-1] == 429
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_a_decision_is_the_promoted_models_and_is_logged_with_what_it_saw(ask, service):
    answer = ask(LATE, {"id": "order-7", "features": WET, "explain": True}).json()
    assert (answer["model_version"], answer["action"], answer["problem"]) == ("v1", "act", "late")
    assert answer["explanation"]["contributions"]
    again = ask(LATE, {"id": "order-7", "features": WET}).json()
    assert (again["decision_id"], again["p_positive"]) == (answer["decision_id"], answer["p_positive"])
    (record,) = logged(service)
    assert (record["event"], record["own_id"], record["features"]) == ("decision", "order-7", WET)


def test_what_is_new_is_served_after_a_reload_without_a_restart(ask, service, house):
    promote(house.engine, "v2", seed=1)
    store.open_published(read_settings()).write(
        store.published_key("campaign"), make_file(revision=8, experiment=make_experiment(ranges=[]))
    )
    service.loader.load(service.snapshot)  # beside the answers; nothing changes until it is taken
    assert ask(LATE, {"features": WET}).json()["model_version"] == "v1"
    service.snapshot = service.loader.load(service.snapshot)
    assert ask(LATE, {"features": WET}).json()["model_version"] == "v2"
    assert ask(FLAG, about("p1")).json()["reason"] == "DEFAULT"


def test_health_says_what_is_served_and_what_is_wrong(ask, service):
    good = ask("/health", method="GET").json()
    assert (good["status"], good["flags"], good["models"]) == ("ok", {"campaign.experiment": 7}, {"late": "v1"})
    store.open_published(read_settings()).write(store.published_key("campaign"), b"forged")
    service.snapshot = service.loader.load(service.snapshot)
    bad = ask("/health", method="GET").json()
    assert (bad["status"], bad["flags"]) == ("degraded", {"campaign.experiment": 7})
    assert "no signed allocation" in bad["troubles"]["allocation of campaign"]


@pytest.mark.parametrize("key", ["", "mulgil_forged", "slow"])
def test_health_tells_details_only_to_a_key_for_metrics(ask, service, key):
    service.trouble = "postgresql at db.internal is away"
    told = ask("/health", method="GET", key=key)
    assert (told.status_code, told.json()["status"], told.json()["n_troubles"]) == (200, "degraded", 1)
    assert not [name for name in ("campaign", "late", "db.internal") if name in told.text]


def test_a_refusal_names_no_flag_of_another_problem(ask):
    answer = ask("/ofrep/v1/evaluate/flags/cards.nope", about("p1"), key="cards")
    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert "campaign" not in answer.text


def test_a_service_without_keys_is_not_ready_and_says_so(service):
    with TestClient(make_app(service)) as client:
        assert client.get("/ready").status_code == 503
        assert "make serve-key" in client.get("/health").json()["troubles"]["keys"]


def test_a_mistake_of_ours_is_an_answer_and_stands_in_health(ask, service, monkeypatch):
    monkeypatch.setattr(service.log, "append", lambda *_: 1 / 0)
    assert ask(FLAG, about("p1")).status_code == 500
    assert "division" in ask("/health", method="GET").json()["troubles"]["reload"]


def test_metrics_count_answers_and_time_them(ask):
    ask(FLAG, about("p1"))
    ask(FLAG, b"{")
    text = ask("/metrics", method="GET").text
    assert 'mulgil_answers_total{route="evaluate",status="200"} 1.0' in text
    assert 'mulgil_answers_total{route="evaluate",status="400"} 1.0' in text
    assert 'mulgil_request_seconds_bucket{le="0.005",route="evaluate"}' in text
    assert ask("/metrics", method="GET", key="slow").status_code == 403


def test_the_last_records_land_when_the_service_stops(service):
    secret = add_key(service.folder / KEYS_FILE, "all", ["evaluate"])
    with TestClient(make_app(service)) as client:
        client.post(FLAG, json=about("p1"), headers={"X-API-Key": secret})
    (path,) = (read_settings().home / "landing").rglob("*.jsonl")
    assert json.loads(path.read_text())["unit"] == "p1"
