"""The pages as people see them: on a desk and on a phone, light and dark, by keyboard and by screen reader.

`MULGIL_TEST_PICTURES=folder` keeps what they look like.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI
from sqlalchemy import create_engine

from experiment_card import app as experiments
from include.warehouse.database import engine_for
from model_card import app as models
from reports import app as reports
from tests.include.warehouse.edge_rows import fill

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]
PROBLEMS = ("ad_review", "campaign", "flight_delay")
PAGES = {
    "front": "reports/?lang=en",
    "front-ko": "reports/?lang=ko",
    "timeline": "reports/timeline/flight_delay?lang=en",
    "timeline-ko": "reports/timeline/flight_delay?lang=ko",
    "timeline-beyond": "reports/timeline/flight_delay?page=99",
    "reports": "reports/problems/flight_delay",
    "reports-experiment": "reports/problems/campaign",
    "reports-desk": "reports/problems/ad_review",
    "audits": "reports/audits/flight_delay",
    "audit": "reports/audits/flight_delay/2013-06",
    "no-audits": "reports/audits/erase",
    "models": "models/",
    "no-model": "models/?dag=campaign__land",
    "card": "models/card?problem=flight_delay&version=v001",
    "what-if": "models/what-if?problem=flight_delay&version=v001",
    "experiments": "experiments/?lang=en",
    "experiments-ko": "experiments/?lang=ko",
    "experiment": "experiments/experiment?problem=campaign&experiment=experiment",
    "experiment-edges": "experiments/experiment?problem=campaign&experiment=campaign",
    "experiment-ko": "experiments/experiment?problem=campaign&experiment=campaign&lang=ko",
    "no-experiment": "experiments/experiment?problem=campaign&experiment=none",
    "no-version": "models/card?problem=flight_delay&version=v999",
}
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
# What a checker of accessibility would complain about, asked of the page itself.
FAULTS = """() => {
  const faults = [];
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main landmark");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    const own = Number(heading.tagName[1]);
    if (own > level + 1) faults.push(`${heading.tagName} after h${level}: ${heading.textContent.slice(0, 30)}`);
    level = own;
  }
  for (const cell of document.querySelectorAll("th")) if (!cell.textContent.trim()) faults.push("an empty header");
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element);
    const scrolls = ["auto", "scroll"].includes(style.overflowX) && element.scrollWidth > element.clientWidth;
    if (scrolls && element.tabIndex < 0) faults.push(`no focus: ${element.className}`);
  }
  for (const field of document.querySelectorAll("input, select, textarea"))
    if (!field.labels?.length && !field.ariaLabel) faults.push(`no label: ${field.name}`);
  const names = [...document.querySelectorAll("[role=region]")].map((region) => region.ariaLabel);
  if (new Set(names).size !== names.length) faults.push("two regions of one name");
  return faults;
}"""


@pytest.fixture(scope="module")
def address(module_warehouse_url: str, serve: Callable[[FastAPI], str]) -> Iterator[str]:
    """Serve the pages that are read over a warehouse with edge rows; gives where."""
    patch = pytest.MonkeyPatch()
    patch.setenv("MULGIL_WAREHOUSE_URL", module_warehouse_url)
    engine = create_engine(module_warehouse_url)
    for problem in PROBLEMS:
        fill(engine, problem)
    engine.dispose()
    airflow = FastAPI()
    patch.setattr(reports, "may_answer", lambda user, problem: True)
    for name, module in (("reports", reports), ("models", models), ("experiments", experiments)):
        patch.setattr(module, "may_read", lambda user, problem: problem in PROBLEMS)
        app = module.create_app()
        app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
        airflow.mount(f"/mulgil/{name}", app)
    yield serve(airflow)
    patch.undo()
    engine_for(module_warehouse_url).dispose()


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    yield page
    context.close()


def take_picture(page: Any, name: str) -> None:
    if folder := os.environ.get("MULGIL_TEST_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_no_wider_than_its_screen_and_read_aloud_in_order(address: str, page: Any, name: str) -> None:
    answer = page.goto(f"{address}/mulgil/{PAGES[name]}")
    assert answer.status < 500  # the page of an error is as narrow and as orderly
    for details in page.locator("details").all():
        details.evaluate("element => (element.open = true)")
    take_picture(page, name)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    assert page.evaluate(FAULTS) == []
    assert page.complaints == []


@pytest.mark.parametrize("name", ["front-ko", "timeline", "reports", "card", "experiment-ko"])
def test_a_page_follows_airflows_switch_and_not_only_the_system(address: str, page: Any, name: str) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="dark")
    page.goto(f"{address}/mulgil/{PAGES[name]}")
    assert page.evaluate(paper) == "rgb(16, 22, 29)"
    take_picture(page, f"{name}-dark")
    page.evaluate("localStorage.setItem('theme', 'light')")
    page.reload()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    other = page.context.new_page()
    other.goto(f"{address}/mulgil/{PAGES[name]}")
    other.evaluate("localStorage.setItem('theme', 'dark')")
    page.wait_for_selector("html[data-theme=dark]")
    assert page.evaluate(paper) == "rgb(16, 22, 29)"


def test_a_table_that_is_cut_shows_a_shadow_where_more_of_it_is(address: str, page: Any) -> None:
    page.goto(f"{address}/mulgil/{PAGES['reports']}")
    cut = page.locator(".scroll").first
    assert "linear-gradient" in cut.evaluate("element => getComputedStyle(element).backgroundImage")
