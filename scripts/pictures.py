"""Take the pictures in `docs/pictures` from the running stack, in a real browser.

    make pictures

Needs Debian's `chromium` (or another Chromium named by `MULGIL_TEST_CHROMIUM`).
"""

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Locator, Page, sync_playwright

from include.settings import REPOSITORY
from scripts.stack.home import find_home
from scripts.stack.stack import open_stack

FOLDER = REPOSITORY / "docs" / "pictures"
# As root Chromium needs --no-sandbox; the rest keeps it from calling anybody.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SETTLE_MS = 3_000  # Airflow's pages ask for their data after they are shown


def find_chromium() -> str:
    """Find the browser.

    Raises:
        SystemExit: there is none.
    """
    found = os.environ.get("MULGIL_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        sys.exit("There is no Chromium. On Debian: apt-get install chromium; or set MULGIL_TEST_CHROMIUM to one.")
    return found


def log_in(page: Page, url: str, name: str, password: str) -> None:
    """Log in through Airflow's own form."""
    page.goto(url)
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url(lambda address: "/auth/login" not in address)


def show_reports(page: Page, url: str) -> None:
    """Open the Reports page in Airflow's frame, at the flights."""
    page.goto(f"{url}/plugin/reports")
    page.frame_locator("iframe").locator("#flight_delay").evaluate("section => section.scrollIntoView()")


def show_models(page: Page, url: str) -> Locator:
    """Open the list of models in Airflow's frame, and go to the newest version of the flights."""
    page.goto(f"{url}/plugin/models")
    frame = page.frame_locator("iframe")
    return frame.locator("section#flight_delay tr").nth(1)


def show_card(page: Page, url: str) -> None:
    """Open the card of the newest model of the flights."""
    show_models(page, url).get_by_role("link").first.click()
    page.frame_locator("iframe").locator("section#metrics").evaluate("section => section.scrollIntoView()")


def show_what_if(page: Page, url: str) -> None:
    """Ask the newest model of the flights what it would say, and wait for its answer."""
    show_models(page, url).get_by_role("link").last.click()
    page.frame_locator("iframe").locator("#contributions .push").first.wait_for()


def show_waterway(page: Page, url: str) -> None:
    """Open the graph of everything that follows from one landing asset."""
    page.goto(f"{url}/assets")
    page.get_by_text("landing/ad_review", exact=True).first.click()


def show_desk(page: Page, url: str) -> None:
    """Open the Review desk at the first item whose doubt the model explains."""
    page.goto(f"{url}/mulgil/desk/")
    page.locator(".card button.main").first.click()
    page.locator(".model .array").wait_for()


def leave_desk(page: Page) -> None:
    """Give back what was taken for the picture."""
    with page.expect_response("**/leave"):
        page.locator(".progress button").click()


PICTURES: dict[str, Callable[[Page, str], Any]] = {
    "reports": show_reports,
    "model_card": show_card,
    "what_if": show_what_if,
    "dags": lambda page, url: page.goto(f"{url}/dags"),
    "waterway": show_waterway,
}


# Korean letters need a font that has them, on Debian: apt-get install fonts-nanum.
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
DESKS: dict[str, dict[str, Any]] = {
    "desk": {**DESKTOP, "locale": "en-GB"},
    "desk-korean": {**DESKTOP, "locale": "ko-KR"},
    "desk-phone": {**PHONE, "locale": "en-GB"},
    "desk-phone-korean": {**PHONE, "locale": "ko-KR"},
}


def take_desks(browser: Browser, url: str, password: str) -> None:
    """Take the Review desk in both languages, on a desktop and on a phone."""
    for name, options in DESKS.items():
        page = browser.new_context(**options).new_page()
        log_in(page, url, "reviewer", password)
        show_desk(page, url)
        page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")
        leave_desk(page)
        page.context.close()
        print(f"Took {name}.png.")


def main() -> None:
    """Take every picture."""
    stack = open_stack(find_home())
    stack.postgres.start()
    url, password = stack.addresses.airflow_url, stack.keys.user_passwords["admin"]
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        log_in(page, url, "admin", password)
        for name, show in PICTURES.items():
            show(page, url)
            page.wait_for_timeout(SETTLE_MS)
            page.screenshot(path=FOLDER / f"{name}.png")
            print(f"Took {name}.png.")
        take_desks(browser, url, stack.keys.user_passwords["reviewer"])
        browser.close()


if __name__ == "__main__":
    main()
