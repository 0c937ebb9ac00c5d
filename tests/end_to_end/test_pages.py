"""The pages of a running stack, in a real browser. Skipped where no stack runs: `make run` starts one."""

from typing import Any

import pytest

from scripts.pictures import log_in
from scripts.stack.parsing import expected_dags
from tests.end_to_end.conftest import Running, open_desk

pytestmark = pytest.mark.end_to_end


def assert_led_to_the_login(running: Running, page: Any, address: str) -> None:
    """See that a script is told 401, and a person is shown the login."""
    assert page.request.get(address, headers={"Accept": "application/json"}).status == 401
    page.goto(address)
    assert page.url.startswith(f"{running.url}/auth/login")


def test_nobody_sees_the_reports_without_a_login(running: Running, page: Any) -> None:
    for path in ("", "style.css", "icon.svg"):
        assert_led_to_the_login(running, page, f"{running.url}/mulgil/reports/{path}")


@pytest.mark.parametrize("user", ["admin", "reviewer", "viewer"])
def test_the_reports_open_from_airflows_own_navigation(running: Running, page: Any, user: str) -> None:
    log_in(page, running.url, user, running.passwords[user])
    page.get_by_role("link", name="Reports").click()
    reports = page.frame_locator("iframe")
    reports.get_by_role("heading", name="Reports", exact=True).wait_for()
    for problem in ("ad_review", "campaign", "flight_delay"):
        assert reports.locator(f"section#{problem}").count() == 1
    reports.locator("section#flight_delay").get_by_role("link", name="Whole report").click()
    reports.locator("section#flight_delay svg.reliability circle").first.wait_for()
    assert reports.locator("section#flight_delay svg.reliability circle").count() >= 5
    assert "336,776" in reports.locator("section#flight_delay .cards").inner_text()


def test_the_newest_model_has_a_card_and_answers_what_if_inside_airflow(running: Running, page: Any) -> None:
    from playwright.sync_api import expect

    assert_led_to_the_login(running, page, f"{running.url}/mulgil/models/")
    log_in(page, running.url, "viewer", running.passwords["viewer"])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{running.url}/mulgil/models/")
    newest = page.locator("section#flight_delay tr").nth(1)
    newest.get_by_role("link").first.click()
    assert page.locator("svg.reliability circle").count() >= 3
    assert page.locator("section#fairness td").count() > 0
    page.get_by_role("link", name="Ask it what if").click()
    page.locator("#contributions .push").first.wait_for()
    before = page.locator("#sentence").inner_text()
    page.get_by_role("spinbutton", name="scheduled hour local").fill("23")
    expect(page.locator("#sentence")).not_to_have_text(before)
    assert page.locator("#fault").is_hidden()
    assert complaints == []


def test_an_experiment_opens_from_airflows_own_navigation_with_its_pictures(running: Running, page: Any) -> None:
    assert_led_to_the_login(running, page, f"{running.url}/mulgil/experiments/")
    log_in(page, running.url, "viewer", running.passwords["viewer"])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.get_by_role("link", name="Experiments").click()
    listed = page.frame_locator("iframe")
    listed.locator("section[id='campaign.experiment'] h2 a").click()
    listed.locator("section#arms td").first.wait_for()
    assert listed.locator("section#arms polygon.density").count() == 3
    assert listed.locator("section#shares rect").count() > 3
    assert listed.locator("section#checks li").count() >= 5
    assert complaints == []


def test_nobody_sees_the_desk_without_a_login(running: Running, page: Any) -> None:
    for path in ("", "batches", "static/desk.js"):
        assert_led_to_the_login(running, page, f"{running.url}/mulgil/desk/{path}")


def test_the_first_item_of_a_batch_comes_with_the_models_view(running: Running, page: Any) -> None:
    log_in(page, running.url, "reviewer", running.passwords["reviewer"])
    desk = open_desk(page)
    desk.get_by_role("button", name="Start").or_(desk.get_by_role("button", name="Continue")).first.click()
    desk.get_by_role("heading", name="Item").wait_for()
    assert desk.locator(".value").first.inner_text()
    assert desk.locator("svg.array circle").count() == 100
    desk.get_by_role("button", name="All batches").click()  # gives the item back
    desk.get_by_role("heading", name="My batches").wait_for()


def test_a_viewer_may_look_at_the_batch_and_not_answer(running: Running, page: Any) -> None:
    log_in(page, running.url, "viewer", running.passwords["viewer"])
    desk = open_desk(page)
    desk.get_by_text("You may look, not answer").first.wait_for()
    assert desk.get_by_role("button", name="Start").count() == 0


def test_the_page_asks_nothing_of_anybody_else(running: Running, page: Any) -> None:
    log_in(page, running.url, "admin", running.passwords["admin"])
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{running.url}/mulgil/reports/")
    assert [url for url in asked if not url.startswith(running.url)] == []
    assert complaints == []


def test_every_dag_has_its_page_and_no_file_is_broken(running: Running) -> None:
    airflow = running.client
    assert airflow.import_errors() == []
    pages = {dag["dag_id"]: airflow.ask(f"dags/{dag['dag_id']}/details")["doc_md"] for dag in airflow.dags()}
    assert pages.keys() == expected_dags()
    assert [dag_id for dag_id, text in pages.items() if "**When this is red:**" not in text] == []
