"""The Experiments page: who may see it, what it shows of an experiment that was run, and that no text of it runs."""

import csv
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import delete, text, update

from experiment_card import app as page
from experiment_card.tables import COLUMNS
from include import problems
from include.experiments.steps import update_experiment
from include.warehouse.tables.experiments import EXPERIMENT_CHECK, EXPERIMENT_DECISION, EXPERIMENT_EXCLUSION
from tests.include.experiments.test_steps import send

READS = ["/", "/experiment?problem=campaign&experiment=experiment", "/csv?problem=campaign&experiment=e&table=plans"]
SCRIPT = "<script>alert(1)</script>"
OWN = {"problem": "campaign", "experiment": "experiment"}
SENTENCE = "Of 100 people who get “large” instead of “none”, about 50 more come to “came”: between "


def paths(app: FastAPI) -> list[str]:
    return [route.path for route in app.routes]  # type: ignore[attr-defined]


def show(client: TestClient, **changes: str) -> str:
    answer = client.get("/experiment", params=OWN | {"lang": "en"} | changes)
    assert answer.status_code == 200, answer.text
    return str(answer.text)


@pytest.fixture
def own_problems(house: Any, readable: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with the campaign's file, to be changed by the test."""
    folder = tmp_path / "problems"
    folder.mkdir()
    shutil.copy(Path(problems.__file__).parent / "campaign.yaml", folder)
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    return folder


def change_file(folder: Path, **changes: Any) -> None:
    path = folder / "campaign.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text("utf-8")) | changes))


def test_the_app_has_the_routes_that_are_asked_here_and_no_documentation() -> None:
    assert paths(page.create_app()) == ["/", "/experiment", "/csv", "/{name}"]


@pytest.mark.parametrize("path", [*READS, "/style.css"])
def test_no_page_answers_without_a_login(path: str) -> None:
    with TestClient(page.create_app()) as client:
        response = client.get(path)
    assert (response.status_code, response.json()) == (401, {"detail": "Not authenticated"})


@pytest.mark.parametrize("name", ["docs", "openapi.json", "app.py", "..%2Fapp.py", "experiment.html"])
def test_only_the_files_of_the_page_are_sent(signed_in: TestClient, name: str) -> None:
    assert signed_in.get(f"/{name}").status_code == 404


def test_an_experiment_before_its_first_window_has_not_begun(
    house: Any, readable: set[str], signed_in: TestClient
) -> None:
    listed = signed_in.get("/?lang=en").text
    assert '<span class="badge">not begun</span>' in listed
    assert "share of units with “came”" in listed
    html = show(signed_in)
    for words in ("It has not begun", "No unit was counted yet", "Nothing was checked yet", "No plan was used yet"):
        assert words in html, words


def test_the_list_says_what_is_sent_to_whom_and_since_when(seen: set[str], signed_in: TestClient) -> None:
    listed = signed_in.get("/?lang=en").text
    assert '<span class="badge good">decided</span>' in listed
    assert "“large” is sent, and beats the control “none”." in listed
    assert "<dd>none 30, large 70</dd>" in listed
    assert "<dd>2004-11-05 (the rest)</dd>" in listed
    assert "<dd>1,999</dd>" in listed
    assert 'href="experiment?problem=campaign&amp;experiment=experiment&amp;lang=en"' in listed
    assert 'href="../reports/?lang=en"' in listed


def test_an_experiment_is_shown_whole_with_its_pictures_and_numbers(seen: set[str], signed_in: TestClient) -> None:
    html = show(signed_in)
    for part in ("facts", "arms", "shares", "lifts", "checks", "money", "record", "plan"):
        assert f'<section id="{part}">' in html, part
    assert SENTENCE in html
    assert html.count('<polygon class="density"') == 3
    assert html.count('<polygon class="band"') == 2
    assert html.count('<rect class="nothing"') == 1  # between pilot and decision
    assert 'aria-label="Shares of all variants, from 2004-11-01 to' in html
    assert re.search(r"<code>[0-9a-f]{64}</code>", html)
    assert "sample ratio: passes</b>" in html
    assert "more than the holdback: between" in html
    assert 'href="../reports/problems/campaign?lang=en"' in html


def test_every_picture_has_its_numbers_in_a_table_beside_it(seen: set[str], signed_in: TestClient) -> None:
    html = show(signed_in)
    for name in ("Where the true value", "Who was sent what", "How the lift came out"):
        assert re.search(rf"<details><summary>The numbers: {name}.*?<table>", html, re.DOTALL), name


def test_every_table_comes_as_csv_with_its_columns(seen: set[str], signed_in: TestClient) -> None:
    for table, columns in COLUMNS.items():
        answer = signed_in.get("/csv", params=OWN | {"table": table})
        assert answer.headers["content-disposition"] == f'attachment; filename="campaign-experiment-{table}.csv"'
        header, *rows = csv.reader(answer.text.splitlines())
        assert tuple(header) == columns
        assert bool(rows) == (table != "metrics"), table
        assert {len(row) for row in rows} <= {len(header)}


def test_a_table_that_nobody_knows_is_not_there(readable: set[str], signed_in: TestClient) -> None:
    answer = signed_in.get("/csv", params=OWN | {"table": "people"})
    assert (answer.status_code, "no table 'people'" in answer.json()["detail"]) == (404, True)


def test_korean_is_spoken_and_sentences_of_the_warehouse_are_marked_english(
    seen: set[str], signed_in: TestClient
) -> None:
    html = show(signed_in, lang="ko")
    assert "“none” 대신 “large”를 받으면 100명 중 약 50명이 더 “came”에 이릅니다" in html
    assert '<html lang="ko">' in html
    assert re.search(r'<p lang="en">[^<]*large[^<]*is sent', html)
    assert "lang=ko" in signed_in.get("/", headers={"Accept-Language": "ko"}).text


def test_what_holds_stands_first_with_what_to_do(run: Any, signed_in: TestClient) -> None:
    newest = EXPERIMENT_CHECK.c.partition_key == run.rows(EXPERIMENT_CHECK)[-1]["partition_key"]
    with run.engine.begin() as connection:
        held = update(EXPERIMENT_CHECK).where(newest, EXPERIMENT_CHECK.c.check_name == "maturity")
        connection.execute(held.values(is_pass=False, value=0.5, bound=1.0))
    html = show(signed_in)
    assert html.index("maturity: holds") < html.index("sample ratio: passes")
    assert "What to do: wait: somebody still has time to respond." in html
    assert "(seen 0.50, allowed 1.0)" in html


def test_a_hostile_name_is_shown_and_never_runs(run: Any, signed_in: TestClient) -> None:
    with run.engine.begin() as connection:
        connection.execute(update(EXPERIMENT_EXCLUSION).values(variant=SCRIPT))
        connection.execute(update(EXPERIMENT_DECISION).values(reason=SCRIPT))
    html = show(signed_in)
    assert html.count("<script") == html.count('<script src="theme.js">') == 1
    assert "“&lt;script&gt;alert(1)&lt;/script&gt;”" in html
    assert "unit in two variants" in html


def test_a_problem_that_one_may_not_read_is_as_if_it_were_not_there(seen: set[str], signed_in: TestClient) -> None:
    seen.clear()
    assert "There is no experiment that you may read" in signed_in.get("/?lang=en").text
    for path, more in (("/experiment", {}), ("/csv", {"table": "plans"})):
        hidden = signed_in.get(path, params=OWN | more)
        unknown = signed_in.get(path, params=OWN | more | {"problem": "nobody"})
        assert (hidden.status_code, unknown.status_code) == (404, 404)
        assert hidden.json()["detail"].replace("campaign", "nobody") == unknown.json()["detail"]


def test_an_experiment_that_nobody_ran_is_not_there(seen: set[str], signed_in: TestClient) -> None:
    answer = signed_in.get("/experiment", params=OWN | {"experiment": "none"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "campaign has no experiment 'none'."})
    assert signed_in.get("/csv", params=OWN | {"experiment": "none", "table": "plans"}).status_code == 404


def test_one_that_left_the_file_keeps_its_record(own_problems: Path, run: Any, signed_in: TestClient) -> None:
    change_file(own_problems, experiment=None)
    listed = signed_in.get("/?lang=en").text
    assert "not in the file any more" in listed
    assert "<dd>nothing to anybody</dd>" in listed
    assert '<section id="record">' in show(signed_in)


def test_a_changed_plan_says_what_changed(own_problems: Path, run: Any, signed_in: TestClient) -> None:
    file = yaml.safe_load((own_problems / "campaign.yaml").read_text("utf-8"))
    change_file(own_problems, experiment=file["experiment"] | {"minimum_rewards": 20})
    run.publish(*send("l", 9 * 24))
    update_experiment(problem="campaign", partition_key="2004-11-10", run_id="r2")
    html = show(signed_in)
    assert "What version 2 changed (1)</summary>" in html
    assert re.search(r"<td>minimum_rewards</td><td>10</td><td>20</td>", html)


def test_a_part_that_fails_takes_no_other_with_it(run: Any, signed_in: TestClient) -> None:
    with run.engine.begin() as connection:
        connection.execute(text("ALTER TABLE core.experiment_plan RENAME COLUMN written_at_utc TO gone"))
        connection.execute(delete(EXPERIMENT_CHECK))
    html = show(signed_in)
    assert "Not shown, because the warehouse answered with an error: plans." in html
    assert SENTENCE in html
    assert "Nothing was checked yet" in html
