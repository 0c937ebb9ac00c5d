"""A running stack and a real browser, for tests that look at pages as people do."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from review_desk_plugin import ReviewDeskPlugin

from scripts.pictures import FLAGS, find_chromium
from scripts.stack.home import find_home
from scripts.stack.rest import Airflow
from scripts.stack.stack import open_stack


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask before a test changes what stands in the stack: nobody takes back a batch that is finished."""
    parser.addoption("--answer", action="store_true", help="let a test finish the batch that is left for people")


@dataclass(frozen=True)
class Running:
    url: str
    passwords: dict[str, str]
    client: Airflow


@pytest.fixture(scope="module")
def running() -> Running:
    home = find_home()
    if not home.secrets.exists():
        pytest.skip("no stack was ever started here; `make run` starts one")
    stack = open_stack(home)
    if not stack.client.health():
        pytest.skip("the stack does not run; `make run` starts it")
    return Running(stack.addresses.airflow_url, dict(stack.keys.user_passwords), stack.client)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def open_desk(page: Any) -> Any:
    """Open the desk as people do, from Airflow's own navigation; give its frame."""
    page.get_by_role("link", name=ReviewDeskPlugin.external_views[0]["name"], exact=True).click()
    desk = page.frame_locator("iframe")
    desk.get_by_role("heading", name="My batches").wait_for()
    return desk
