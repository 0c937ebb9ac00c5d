"""Take the pictures in `docs/pictures` from the running stack, in a real browser.

    make pictures

Needs Debian's `chromium` (or another Chromium named by `MULGIL_TEST_CHROMIUM`).
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, FrameLocator, Locator, Page, sync_playwright

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
# Of everybody who has logged in, for as long as this process lives.
COOKIES: dict[str, Any] = {}
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
    """Log in through Airflow's own form, once for each person: it refuses an address that asks ten times in 20 s."""
    if name in COOKIES:
        page.context.add_cookies(COOKIES[name])
        page.goto(url)
        return
    page.goto(url)
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.click("[type=submit]")
    page.wait_for_url(lambda address: "/auth/login" not in address)
    COOKIES[name] = page.context.cookies()


def show_reports(page: Page, url: str) -> None:
    """Open the Reports page in Airflow's frame, at the flights."""
    page.goto(f"{url}/plugin/reports")
    page.frame_locator("iframe").locator("#flight_delay").evaluate("section => section.scrollIntoView()")


def show_models(page: Page, url: str) -> FrameLocator:
    """Open the list of models in Airflow's frame."""
    page.goto(f"{url}/plugin/models")
    frame = page.frame_locator("iframe")
    frame.get_by_role("heading", name="Models", exact=True).wait_for()
    return frame


def serving(models: FrameLocator | Page) -> Locator:
    """Find the version of the flights that is in production in the list of models."""
    return models.locator("section#flight_delay tr", has=models.locator(".badge.good")).first


def show_card(page: Page, url: str) -> None:
    """Open the card of the model of the flights that is in production, at what it is worth."""
    models = show_models(page, url)
    serving(models).get_by_role("link").first.click()
    models.locator("section#metrics").evaluate("section => section.scrollIntoView()")


def show_what_if(page: Page, url: str) -> None:
    """Ask the model of the flights what it would say, and wait for its answer."""
    models = show_models(page, url)
    serving(models).get_by_role("link").last.click()
    models.locator("#contributions .push").first.wait_for()


def show_card_alone(page: Page, url: str) -> None:
    """Open the card without Airflow around it, as a phone shows it."""
    page.goto(f"{url}/mulgil/models/")
    serving(page).get_by_role("link").first.click()
    page.locator("section#metrics").evaluate("section => section.scrollIntoView()")


def show_what_if_alone(page: Page, url: str) -> None:
    """Open the what-if page without Airflow around it, at the answer."""
    page.goto(f"{url}/mulgil/models/")
    serving(page).get_by_role("link").last.click()
    page.locator("#contributions .push").first.wait_for()
    page.locator("#answer").evaluate("answer => answer.scrollIntoView()")


def show_experiment(page: Page, url: str) -> None:
    """Open the experiment of the campaign, without Airflow around it: it is long."""
    page.goto(f"{url}/mulgil/experiments/?lang=en")
    page.locator("a[href*='problem=campaign']").first.click()
    page.locator("svg").first.wait_for()


def show_waterway(page: Page, url: str) -> None:
    """Open the graph of everything that follows from one landing asset."""
    page.goto(f"{url}/assets")
    page.get_by_text("landing/ad_review", exact=True).first.click()


def show_desk(page: Page, url: str) -> None:
    """Open the Review desk at the first item whose uncertainty the model explains."""
    page.goto(f"{url}/mulgil/desk/")
    page.locator(".card button.main").first.click()
    page.locator(".model .array").wait_for()


def leave_desk(page: Page) -> None:
    """Give back what was taken for the picture."""
    with page.expect_response("**/leave"):
        page.locator(".progress button").click()


PICTURES: dict[str, Callable[[Page, str], Any]] = {
    "reports": show_reports,
    "models": show_models,
    "model_card": show_card,
    "what_if": show_what_if,
    "experiment": show_experiment,
    "dags": lambda page, url: page.goto(f"{url}/dags"),
    "waterway": show_waterway,
}


# Korean letters need a font that has them, on Debian: apt-get install fonts-nanum.
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "has_touch": True,
    "is_mobile": True,
    "device_scale_factor": 2,
}
DESKS: dict[str, dict[str, Any]] = {
    "desk": {**DESKTOP, "locale": "en-GB"},
    "desk-korean": {**DESKTOP, "locale": "ko-KR"},
    "desk-phone": {**PHONE, "locale": "en-GB"},
    "desk-phone-korean": {**PHONE, "locale": "ko-KR"},
}


PHONES: dict[str, Callable[[Page, str], Any]] = {
    "model_card-phone": show_card_alone,
    "what_if-phone": show_what_if_alone,
}


def take(page: Page, name: str) -> None:
    """Take what a page shows, as a small file."""
    path = FOLDER / f"{name}.png"
    page.screenshot(path=path, animations="disabled")
    shrink(path)
    print(f"Took {name}.png.")


def shrink(path: Path) -> None:
    """Write a picture again with 256 colours: pages have few, and a third of the bytes is enough for them."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256)
    few.save(path, optimize=True)


def take_phones(browser: Browser, url: str, password: str) -> None:
    """Take the pages of models on a phone."""
    page = browser.new_context(**PHONE, locale="en-GB").new_page()
    log_in(page, url, "admin", password)
    for name, show in PHONES.items():
        show(page, url)
        take(page, name)
    page.context.close()


def take_desks(browser: Browser, url: str, password: str) -> None:
    """Take the Review desk in both languages, on a desktop and on a phone."""
    for name, options in DESKS.items():
        page = browser.new_context(**options).new_page()
        log_in(page, url, "reviewer", password)
        show_desk(page, url)
        take(page, name)
        leave_desk(page)
        page.context.close()


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
            take(page, name)
        take_phones(browser, url, password)
        take_desks(browser, url, stack.keys.user_passwords["reviewer"])
        browser.close()


if __name__ == "__main__":
    main()
