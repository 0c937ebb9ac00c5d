"""The Reports page: nobody reads it without a login, and no text on it runs."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import insert, text

from include import problems
from include.warehouse.database import engine_for
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.quality import DATA_DOCS, PARTITION_AUDIT
from include.warehouse.tables.review import LABEL_FILE
from pages.shell import HEADERS
from reports import app as page

READS = [
    "/",
    "/problems/{name}",
    "/timeline/{name}",
    "/timeline/{name}/csv",
    "/audits/{name}",
    "/audits/{name}/{partition_key}",
    "/alerts/{name}",
    "/{name}",
]
WRITES = ["/alerts/{name}/snooze", "/alerts/{name}/close"]
SCRIPT = "<script>alert(1)</script>"
PROBLEM = {
    "name": "hostile",
    "title": f"A title {SCRIPT}",
    "why": f"{SCRIPT} suffers",
    "owner": f'ops" onload="{SCRIPT}',
    "escalation": "ops-lead",
    "source": {
        "landing": "hostile",
        "grain": "day",
        "key": ["id"],
        "event_time": "at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}},
    },
}


def own_scripts_only(html: str) -> bool:
    """Say whether the one script of a page is the file that follows light and dark."""
    return re.sub(r'<script src="(?:\.\./)*theme\.js"></script>', "", html).count("<script") == 0


def paths(app: FastAPI) -> list[str]:
    return [route.path for route in app.routes]  # type: ignore[attr-defined]


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, migrated_warehouse_url: str) -> Iterator[set[str]]:
    """Give the names of the problems that the signed-in person may read, to be changed by the test."""
    folder = tmp_path / "problems"
    folder.mkdir()
    (folder / "hostile.yaml").write_text(yaml.safe_dump(PROBLEM))
    (folder / "secret.yaml").write_text(yaml.safe_dump(PROBLEM | {"name": "secret", "title": "Nobody's business"}))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", migrated_warehouse_url)
    names = {"hostile"}
    monkeypatch.setattr(page, "may_read", lambda user, problem: problem in names)
    monkeypatch.setattr(page, "may_answer", lambda user, problem: True)
    yield names
    engine_for(migrated_warehouse_url).dispose()


@pytest.fixture
def signed_in() -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: f"ada {SCRIPT}")
    with TestClient(app) as client:
        yield client


def test_the_app_has_the_routes_that_are_asked_here_and_no_documentation() -> None:
    assert paths(page.create_app()) == [*READS[:-1], *WRITES, READS[-1]]


@pytest.mark.parametrize("path", READS)
def test_no_route_answers_without_a_login(path: str) -> None:
    with TestClient(page.create_app()) as client:
        response = client.get(path)
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_routes_are_described_to_nobody(signed_in: TestClient, path: str) -> None:
    assert signed_in.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/problems/hostile"])
def test_hostile_text_is_shown_and_never_runs(readable: set[str], signed_in: TestClient, path: str) -> None:
    response = signed_in.get(path)
    assert response.status_code == 200
    assert "A title &lt;script&gt;alert(1)&lt;/script&gt;" in response.text
    assert "ada &lt;script&gt;" in response.text
    assert own_scripts_only(response.text)
    assert ' onload="' not in response.text


def test_a_hostile_reason_is_shown_and_never_runs(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition: dict[str, Any] = {"partition_key": "2013-01-01", "verdict": "refused", "first_reason": f"bad {SCRIPT}"}
    partition |= dict.fromkeys(("n_in", "n_published", "n_quarantined", "n_duplicate"), 1)
    monkeypatch.setattr(page.queries, "completeness_by_partition", lambda *_: [partition])
    html = signed_in.get("/problems/hostile").text
    assert "bad &lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert own_scripts_only(html)


def test_how_many_labels_taught_each_auc_stands_beside_it(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {"round_number": 3, "n_labels_all": 301, "n_labels_random": 162, "n_labels_demo": 140}
    rates = {"positive_per_100_chosen": 50, "positive_per_100_random": 30}
    gained = {"auc_gained": -0.01, "auc_gained_low": -0.05, "auc_gained_high": 0.03, "n_labels_compared": 162}
    row: dict[str, Any] = counts | rates | gained | {"auc_all_ratio": 0.99, "auc_random_ratio": 0.98}
    monkeypatch.setattr(page.queries, "review_rounds", lambda *_: [row])
    html = signed_in.get("/problems/hostile").text
    assert "0.990 (301)" in html
    assert "0.980 (162)" in html
    assert "the demo reviewer gave 140 of them" in html
    assert "With 162 labels, choosing has gained -0.010 AUC over chance alone (-0.050 to 0.030). No gain" in html


@pytest.mark.parametrize(("language", "said"), [("en", "of being off"), ("ko", "어긋남")])
def test_the_curve_is_shown_in_both_languages_with_the_bins_one_click_away(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch, language: str, said: str
) -> None:
    score = {"brier_score": 0.2, "miscalibration_brier": 0.01, "discrimination_brier": 0.05, "uncertainty_brier": 0.24}
    points = [
        {"partition_key": "2013-08", "predicted_ratio": p, "recalibrated_ratio": p, "n_rows": 60} | score
        for p in (0.25, 0.75)
    ]
    points = [point | {"band_low": 0.1, "band_high": 0.9} for point in points]
    bins = {"month": "2013-08", "bin_low": 0.2, "bin_high": 0.3, "mean_predicted_ratio": 0.25, "n_rows": 4}
    monkeypatch.setattr(page.queries, "newest_curve", lambda *_: points)
    bins |= {"observed_ratio": 0.3, "low": 0.1, "high": 0.5}
    monkeypatch.setattr(page.queries, "newest_reliability", lambda *_: [bins])
    html = signed_in.get(f"/problems/hostile?lang={language}").text
    assert html.count("<svg") == 1
    assert '<polygon class="band"' in html
    assert "0.2000" in html
    assert said in html
    assert "10.0 – 50.0" in html
    assert f'<div lang="{language}">' in html


LIFTS = ("realised_low", "realised_high", "realised_lift_ratio", "promised_lift_ratio", "promised_low", "promised_high")


def make_experiment(**changes: Any) -> dict[str, Any]:
    names = (
        "winner",
        "variant_in_force",
        "claim",
        "unlikely_checks",
        "due_at_utc",
        "plan_version",
        "realised_lift_ratio",
    )
    row: dict[str, Any] = dict.fromkeys([*names, "realised_lift_ratio"]) | {
        "experiment": "experiment",
        "decision": "send",
        "is_final": True,
    }
    return row | {"reason": "Best.", "phase": "rest", "variants": [], "checks": [], "exclusions": []} | changes


def make_variant(name: str, **changes: Any) -> dict[str, Any]:
    figures = ("lift_ratio", "low", "high", "shrunk_lift_ratio", "p_value", "best_probability")
    row: dict[str, Any] = dict.fromkeys(figures) | {"variant": name, "verdict": "control", "is_sent": False}
    row |= {"n_units": 4_001, "n_mature": 3_999, "n_rewarded": 24, "rate_ratio": 0.006, "partition_key": "2013-01-05"}
    return row | {"rate_low": 0.0039, "rate_high": 0.0089} | changes


def make_measured(**changes: Any) -> dict[str, Any]:
    numbers = ("mean", "mean_low", "mean_high", "lift", "low", "high", "p_value", "margin", "adjustment")
    numbers += ("adjusted_lift", "adjusted_low", "adjusted_high")
    row: dict[str, Any] = dict.fromkeys(numbers) | {"metric": "money", "role": "secondary", "variant": "b"}
    return row | {"is_lower_better": False, "n_mature": 40, "n_unread": 3, "verdict": "unclear"} | changes


@pytest.fixture
def show(readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the page with some experiments of the problem on it."""

    def show(*rows: dict[str, Any]) -> str:
        monkeypatch.setattr(page.experiment_queries, "experiments", lambda *_: list(rows))
        return str(signed_in.get("/problems/hostile").text)

    return show


@pytest.mark.parametrize(
    ("lift", "words"), [(0.25, "25 more of 100"), (-0.25, "25 fewer of 100"), (0.0058, "0.58 more of 100")]
)
def test_a_winner_that_cost_rewards_is_said_to_have_brought_fewer(show: Any, lift: float, words: str) -> None:
    row = make_experiment(winner="large", **dict.fromkeys(LIFTS, 0.1)) | {"realised_lift_ratio": lift}
    assert f"<b>{words}</b>" in show(row)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"winner": "b", "variant_in_force": "b"}, "“b” is sent and beats the control"),
        ({"variant_in_force": "b"}, "“b” is sent; it is not shown to beat the control"),
        ({"decision": "keep_control", "variant_in_force": "a"}, "the control “a” is kept"),
        ({"decision": "wait", "phase": "ended"}, "it is over: nobody more is counted, or sent anything"),
        (
            {"phase": "ended", "variant_in_force": "b"},
            "it is over: nobody more is counted, or sent anything; “b” was decided",
        ),
        ({"decision": "blocked", "phase": "hold", "is_final": False}, "on hold: nobody is sent anything"),
        ({"decision": "wait", "phase": "hold", "is_final": False}, "on hold: nobody is sent anything"),
        ({"decision": "blocked", "phase": "pilot", "is_final": False}, "a check fails while the pilot runs"),
        ({"decision": "wait", "phase": "pilot", "is_final": False}, "the pilot is running"),
    ],
)
def test_a_card_says_what_is_sent_and_what_is_shown(show: Any, changes: dict[str, Any], words: str) -> None:
    assert f"<b>{words}</b>" in show(make_experiment(**changes))


def test_an_undecided_experiment_says_how_many_days_are_left(show: Any) -> None:
    undecided = make_experiment(decision="wait", phase="pilot", is_final=False)
    due = datetime.now(UTC) + timedelta(days=2, hours=1)
    assert f"can be decided from {due:%Y-%m-%d} on: 3 days are left." in show(undecided | {"due_at_utc": due})
    past = datetime(2013, 1, 7, tzinfo=UTC)
    assert "It can be decided from 2013-01-07 on." in show(undecided | {"due_at_utc": past})


def test_variants_checks_and_exclusions_stand_on_the_page_with_their_numbers(show: Any) -> None:
    harm = {"verdict": "worse", "lift_ratio": -0.0082, "low": -0.0131, "high": -0.0031, "p_value": 0.0016}
    check = {"check_name": "sample_ratio", "verdict": "warn", "detail": "p = 0.0086.", "advice": "compare the days."}
    left_out = {"reason": "exposure_to_unknown_variant", "variant": f"B {SCRIPT}", "first_day": "2013-01-02"}
    html = show(
        make_experiment(
            experiment="mail",
            variants=[make_variant("a"), make_variant("b", **harm)],
            checks=[check],
            metrics=[make_measured(mean=12.25, lift=-0.5), make_measured(margin=0.25, is_lower_better=True)],
            exclusions=[left_out | {"last_day": "2013-01-03", "n_rows": 997}],
        )
    )
    for words in ("4,001", "3,999", "0.60", "-0.82", "-1.3 – -0.31", "0.0016", ">worse<", "997", "Experiment mail"):
        assert words in html, words
    assert "sample ratio: look at it</b> p = 0.0086. What to do: compare the days." in html
    assert "“B &lt;script&gt;" in html
    assert "money (secondary)" in html
    assert '<td class="n">12.25</td>' in html
    assert "money (secondary, margin 0.25, lower is better)" in html
    assert "3 rows without a number count as 0" in html
    assert own_scripts_only(html)


def test_lifts_without_what_was_so_before_stand_beside_the_plain_ones(show: Any) -> None:
    bands = {"adjusted_lift": -0.75, "adjusted_low": -1.5, "adjusted_high": -0.125}
    rows = [make_measured(adjustment="adjusted", **bands), make_measured(adjustment="unvaried")]
    html = show(make_experiment(metrics=rows))
    for words in ('<td class="n">-0.75</td>', "-1.5 – -0.125", "so the plain lift counts", "taken out (CUPED)"):
        assert words in html, words
    assert "without what was so before" not in show(make_experiment(metrics=[make_measured()]))


def test_an_experiment_without_data_has_a_card(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    shutil.copy(Path(problems.__file__).parent / "campaign.yaml", tmp_path / "problems")
    readable.clear()
    readable.add("campaign")
    html = signed_in.get("/problems/campaign").text
    assert "<b>no window yet</b>" in html
    assert "none, small, large wait for their first units" in html


def test_checks_that_come_out_as_chance_would_hardly_have_it_are_shown_as_bad(show: Any) -> None:
    html = show(make_experiment(**dict.fromkeys(LIFTS, 0.1), unlikely_checks="Look at the days."))
    assert '<span class="bad">Look at the days.</span>' in html


def test_the_page_may_load_nothing_from_elsewhere_and_is_not_kept(readable: set[str], signed_in: TestClient) -> None:
    headers = signed_in.get("/problems/hostile").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert {name for name, value in policy.items() if value == "'none'"} == {"default-src", "base-uri", "form-action"}
    assert {value for value in policy.values() if value != "'none'"} == {"'self'"}
    assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


def test_a_problem_that_a_person_may_not_read_is_not_named(readable: set[str], signed_in: TestClient) -> None:
    assert "Nobody&#39;s business" not in signed_in.get("/").text
    assert signed_in.get("/problems/secret").status_code == 404
    readable.add("secret")
    assert "Nobody&#39;s business" in signed_in.get("/").text
    assert "Nobody&#39;s business" in signed_in.get("/problems/secret").text


def test_a_warehouse_that_does_not_answer_is_a_page_without_its_address(
    readable: set[str], signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", "postgresql+psycopg://someone:hush@127.0.0.1:1/none")
    response = signed_in.get("/problems/hostile")
    assert (response.status_code, "hush" in response.text) == (503, False)
    assert "OperationalError" in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.fixture
def audited(readable: set[str], migrated_warehouse_url: str) -> set[str]:
    """Give both problems one audited partition."""
    with engine_for(migrated_warehouse_url).begin() as connection:
        for problem in ("hostile", "secret"):
            key = {"problem": problem, "partition_key": "2013-01-01", "run_id": "r"}
            counts = {"n_in": 3, "n_published": 2, "n_quarantined": 1, "n_duplicate": 0, "n_refused": 0}
            counts |= {"n_withdrawn": 0, "n_in_lake": 2}
            now = datetime(2013, 1, 2, tzinfo=UTC)
            verdict = {"verdict": "published_with_warnings", "first_reason": SCRIPT, "finished_at_utc": now}
            connection.execute(insert(PARTITION_AUDIT).values(**key, **counts, **verdict))
            connection.execute(insert(DATA_DOCS).values(**key, html="<p>values must be <i></i></p>", built_at_utc=now))
    return readable


def test_data_docs_of_a_partition_are_shown_with_what_became_of_it(audited: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/audits/hostile/2013-01-01")
    assert "<p>values must be <i></i></p>" in response.text
    assert "3 rows in, 2 published, 1 in quarantine" in response.text
    assert "published with warnings: &lt;script&gt;" in response.text
    assert response.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["hostile", "hostile__ingest"])
def test_a_problem_and_the_tabs_of_its_dags_list_its_audits(
    audited: set[str], signed_in: TestClient, name: str
) -> None:
    text = signed_in.get(f"/audits/{name}").text
    assert 'href="/mulgil' not in text
    assert '<a href="hostile/2013-01-01">' in text
    assert own_scripts_only(text)


@pytest.mark.parametrize("path", ["secret", "secret__ingest", "secret/2013-01-01", "nobody", "nobody/2013-01-01"])
def test_audits_of_a_problem_that_one_may_not_read_are_none(
    audited: set[str], signed_in: TestClient, path: str
) -> None:
    response = signed_in.get(f"/audits/{path}")
    assert response.status_code == 404
    assert "that you may read" in response.json()["detail"]
    audited.add("secret")
    assert signed_in.get(f"/audits/{path}").status_code == (200 if path.startswith("secret") else 404)


def test_a_partition_that_was_never_audited_is_not_there(audited: set[str], signed_in: TestClient) -> None:
    response = signed_in.get("/audits/hostile/2099-01-01")
    assert (response.status_code, response.json()["detail"][:12]) == (404, "'2099-01-01'")


def test_the_reports_page_leads_to_the_audits(audited: set[str], signed_in: TestClient) -> None:
    assert '<a href="../audits/hostile/2013-01-01">2013-01-01</a>' in signed_in.get("/problems/hostile").text


def test_a_batch_that_is_overdue_is_an_alert_on_the_page(
    readable: set[str], signed_in: TestClient, migrated_warehouse_url: str
) -> None:
    row = {
        "problem": "hostile",
        "partition_key": "2013-01-01",
        "alert_id": "overdue",
        "metric": "hours",
        "subject": "s",
    }
    row |= {"value": 40.0, "bound": 0.0, "action": "review", "message": "Round 1 is overdue"}
    with engine_for(migrated_warehouse_url).begin() as connection:
        connection.execute(insert(ALERT).values(row | {"opened_at_utc": datetime(2013, 1, 2, tzinfo=UTC)}))
    response = signed_in.get("/problems/hostile")
    assert response.status_code == 200
    assert "Round 1 is overdue" in response.text


def test_a_query_that_fails_takes_no_other_part_with_it(
    readable: set[str], signed_in: TestClient, migrated_warehouse_url: str
) -> None:
    with engine_for(migrated_warehouse_url).begin() as connection:
        connection.execute(text("DROP VIEW bi.alert_open"))
    response = signed_in.get("/problems/hostile")
    assert response.status_code == 200
    assert "answered with an error: alerts." in response.text
    assert "Rows in the lake" in response.text
    assert "does not answer" not in response.text


@pytest.mark.parametrize("name", ["erase", "nobody__land"])
def test_the_tab_of_a_dag_without_a_problem_says_so_in_a_page(
    readable: set[str], signed_in: TestClient, name: str
) -> None:
    response = signed_in.get(f"/audits/{name}", headers={"Accept": "text/html"})
    assert (response.status_code, response.headers["content-type"][:9]) == (404, "text/html")
    assert "a DAG that works for all problems, such as erase, has none" in response.text


def test_lines_of_a_label_file_that_were_not_taken_are_listed_with_the_reason(
    readable: set[str], signed_in: TestClient, migrated_warehouse_url: str
) -> None:
    reasons = [{"reason": f"no such item {SCRIPT}", "n_lines": 3, "first_line": 12}]
    row = {"problem": "hostile", "object_key": "labels/ada.jsonl", "version": "1", "n_stored": 7, "n_rejected": 3}
    row |= {"reasons": reasons, "imported_at_utc": datetime(2013, 1, 2, tzinfo=UTC)}
    with engine_for(migrated_warehouse_url).begin() as connection:
        connection.execute(insert(LABEL_FILE).values(row))
    html = signed_in.get("/problems/hostile").text
    assert "labels/ada.jsonl</td><td>no such item &lt;script&gt;" in html
    assert "7 of 10" in html
