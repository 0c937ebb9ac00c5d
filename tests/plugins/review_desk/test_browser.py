"""The desk as a person uses it, in a browser: by keyboard alone, on a phone, with hostile items, while lines break.

`MULGIL_TEST_PICTURES=docs/pictures` keeps pictures of what no running stack shows at its start.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from include.names import Arm
from include.review.batches import store as batches
from include.review.metrics.store import measure_review
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.review import LABEL, LABEL_FLAG, REVIEW_BATCH
from tests.laid_desk import BATCH, NOW, PROBLEM, explain, flag, lay_out, make_choice, make_problem, refuse_lines, rows
from tests.plugins.review_desk.conftest import Rights

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("chromium")]

HOSTILE = "<script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">"
RIGHT_TO_LEFT = "مرحبا 🎉 خصم ٥٠٪"
WAIT_MS = 10_000
NAMES = {"1": "wanted", "2": "unsolicited"}


class Desk:
    """A person in front of a browser; whatever the page complains about is kept."""

    def __init__(self, browser: Any, url: str, **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.address = url
        self.url = f"{url}/mulgil/desk/"
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))

    def log_in(self, name: str) -> None:
        """Come as everybody does: from the login, which leads to the desk."""
        self.page.goto(f"{self.address}/login")
        self.page.fill("input[name=username]", name)
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector("#list, #item")

    def start(self) -> None:
        """Open the first batch."""
        self.page.wait_for_selector(".card button.main")
        self.page.keyboard.press("Tab")
        self.page.locator(".card button.main").first.focus()
        self.page.keyboard.press("Enter")
        self.wait_for_item()

    def wait_for_item(self, number: int | None = None) -> None:
        what = "#item" if number is None else f"#item:has-text('{number}')"
        self.page.wait_for_selector(what)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def answer(self, key: str, n_settled: int) -> None:
        """Press an answer's key and wait until the page has counted it."""
        self.press(key)
        self.wait_for_settled(n_settled)

    def wait_for_settled(self, n: int) -> None:
        self.page.wait_for_selector(f".progress progress[value='{n}']")

    def take_picture(self, name: str) -> None:
        """Keep what the page looks like, where somebody wants pictures."""
        if folder := os.environ.get("MULGIL_TEST_PICTURES"):
            self.page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")

    @property
    def said(self) -> str:
        return str(self.page.text_content("#said"))


@pytest.fixture
def desk(browser: Any, served: str) -> Iterator[Desk]:
    desk = Desk(browser, served, locale="en-GB", viewport={"width": 1280, "height": 800})
    yield desk
    desk.context.close()
    assert desk.complaints == []


def test_twenty_are_labelled_by_keyboard_one_undone_one_escalated_and_the_batch_finished(
    desk: Desk, engine: Engine, rights: Rights
) -> None:
    gold = {3: {"arm": Arm.GOLD, "gold_label": "unsolicited"}}
    lay_out(engine, [make_choice(number, **gold.get(number, {})) for number in range(1, 21)])
    desk.log_in("ada")
    desk.start()
    desk.answer("2", 1)
    desk.press("u")
    desk.wait_for_settled(0)
    assert rows(engine, LABEL) == []
    for number in range(1, 20):
        desk.answer("1", number)
    desk.press("e")
    desk.page.wait_for_selector("dialog[open] textarea")
    desk.page.keyboard.type("Needs a lawyer")
    desk.press("Enter")
    desk.page.wait_for_selector(".tiles")
    desk.take_picture("desk-finished")
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"] * 19
    assert [(row["action"], row["reason"]) for row in rows(engine, REVIEW_PASS)] == [("escalate", "Needs a lawyer")]
    assert rows(engine, REVIEW_BATCH)[0]["status"] == batches.ANSWERED
    assert rights.announced == [(PROBLEM, BATCH)]
    assert "0 / 1" in str(desk.page.text_content(".tiles"))


def test_nothing_that_an_item_says_runs_and_all_is_shown(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)], {"mail-01": (HOSTILE, RIGHT_TO_LEFT)})
    explain(engine, "mail-01", {HOSTILE: 2.0, "🎉": -1.0})
    desk.log_in("ada")
    desk.start()
    shown = desk.page.locator(".value")
    assert (shown.nth(0).text_content(), shown.nth(1).text_content()) == (HOSTILE, RIGHT_TO_LEFT)
    assert desk.page.locator(".reasons bdi").all_text_contents() == [HOSTILE, "🎉"]
    assert desk.page.locator("main script, main img").count() == 0
    assert desk.page.title() == "Review desk"
    direction = "element => getComputedStyle(element).direction"
    assert [shown.nth(index).evaluate(direction) for index in (0, 1)] == ["ltr", "rtl"]


def test_a_megabyte_is_shown_in_part_and_whole_on_request_without_stopping_the_page(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)], {"mail-01": ("long", "word " * 200_000)})
    desk.log_in("ada")
    desk.start()
    body = desk.page.locator("[data-field=body]")
    assert len(str(body.text_content())) == 20_000
    desk.press("a")
    desk.page.wait_for_selector("button:has-text('Show all')", state="detached")
    assert len(str(body.text_content())) == 1_000_000
    desk.answer("1", 1)


def test_an_answer_without_a_connection_is_kept_and_sent_later(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    desk.context.set_offline(True)
    desk.press("2")
    desk.page.wait_for_selector("#offline:not([hidden])")
    assert "Nothing is lost" in str(desk.page.text_content("#offline"))
    assert rows(engine, LABEL) == []
    desk.context.set_offline(False)
    desk.wait_for_settled(1)
    assert [(row["item_id"], row["label"]) for row in rows(engine, LABEL)] == [("mail-01", "unsolicited")]


def go_offline(desk: Desk) -> None:
    desk.context.set_offline(True)


def kept(desk: Desk) -> list[dict[str, Any]]:
    """Read what the page keeps to send later."""
    read = "() => JSON.parse(localStorage.getItem('mulgil-desk-unsent:ada') ?? '[]')"
    return list(desk.page.evaluate(read))


def test_offline_the_correction_counts_and_the_first_tap_does_not(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    go_offline(desk)
    for key in ("2", "1", "2", "1"):
        desk.press(key)
        desk.page.wait_for_selector(f"#said:has-text('“{NAMES[key]}” is kept here')")
    assert [entry["body"]["label"] for entry in kept(desk)] == ["wanted"]
    desk.context.set_offline(False)
    desk.wait_for_settled(1)
    desk.page.wait_for_selector("#said:has-text('everything is sent')")
    assert [(row["item_id"], row["label"]) for row in rows(engine, LABEL)] == [("mail-01", "wanted")]
    assert kept(desk) == []


def test_a_correction_replaces_a_first_answer_that_arrived_without_its_receipt(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    desk.page.route("**/answer", lambda route: (route.fetch(), route.abort()))
    desk.press("2")
    desk.page.wait_for_selector("#offline:not([hidden])")
    desk.page.unroute("**/answer")
    go_offline(desk)
    desk.press("1")
    desk.page.wait_for_selector("#said:has-text('“wanted” is kept here')")
    assert [row["label"] for row in rows(engine, LABEL)] == ["unsolicited"]
    desk.context.set_offline(False)
    desk.wait_for_settled(1)
    desk.page.wait_for_selector("#said:has-text('everything is sent')")
    assert [(row["item_id"], row["label"]) for row in rows(engine, LABEL)] == [("mail-01", "wanted")]


def test_offline_a_skip_replaces_an_answer(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    go_offline(desk)
    desk.press("1")
    desk.page.wait_for_selector("#offline:not([hidden])")
    desk.press("s")
    desk.page.wait_for_selector("dialog[open]")
    desk.press("2")
    desk.page.wait_for_selector("dialog[open]", state="detached")
    desk.context.set_offline(False)
    desk.page.wait_for_selector("#said:has-text('everything is sent')")
    assert rows(engine, LABEL) == []
    assert [row["reason"] for row in rows(engine, REVIEW_PASS)] == ["The rule is not clear"]


def test_an_undo_whose_receipt_got_lost_is_sent_again_and_shows_the_item(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    desk.answer("1", 1)
    sent: list[str] = []

    def lose_the_first_receipt(route: Any) -> None:
        sent.append(route.request.post_data_json["request_id"])
        if len(sent) > 1:
            route.continue_()
            return
        route.fetch()
        route.abort()

    desk.page.route("**/undo", lose_the_first_receipt)
    desk.press("u")
    desk.page.wait_for_selector("#said:has-text('Taken back')")
    desk.wait_for_item(1)
    desk.wait_for_settled(0)
    assert (len(sent), len(set(sent)), rows(engine, LABEL)) == (2, 1, [])


def test_offline_an_answer_can_be_taken_back_and_the_item_stays(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    go_offline(desk)
    desk.press("2")
    desk.page.wait_for_selector("#offline:not([hidden])")
    desk.press("u")
    desk.page.wait_for_selector("#offline:has-text('2')")
    desk.context.set_offline(False)
    desk.page.wait_for_selector("#said:has-text('Taken back')")
    desk.wait_for_item(1)
    desk.wait_for_settled(0)
    assert (rows(engine, LABEL), kept(desk)) == ([], [])
    desk.answer("1", 1)
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_an_answer_whose_receipt_got_lost_is_sent_again_and_stored_once(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    n_sent = 0

    def lose_the_first_receipt(route: Any) -> None:
        nonlocal n_sent
        n_sent += 1
        if n_sent > 1:
            route.continue_()
            return
        route.fetch()  # it arrives, and is answered
        route.abort()

    desk.page.route("**/answer", lose_the_first_receipt)
    desk.press("1")
    desk.wait_for_settled(1)
    desk.page.wait_for_selector("#said:has-text('everything is sent')")
    assert n_sent == 2
    assert [row["item_id"] for row in rows(engine, LABEL)] == ["mail-01"]


def test_an_answer_after_the_login_ran_out_is_sent_after_the_next(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk.log_in("ada")
    desk.start()
    desk.context.clear_cookies()
    desk.press("2")
    desk.page.wait_for_selector("#offline:has-text('You are logged out')")
    assert rows(engine, LABEL) == []
    other = desk.context.new_page()  # as the page tells them to
    other.goto(f"{desk.address}/welcome?username=ada")
    desk.wait_for_settled(1)
    assert [(row["item_id"], row["label"]) for row in rows(engine, LABEL)] == [("mail-01", "unsolicited")]


def test_the_second_tab_is_told_that_the_first_one_answered(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2), make_choice(3)])
    desk.log_in("ada")
    desk.start()
    second = desk.context.new_page()
    second.goto(desk.page.url)
    second.wait_for_selector("#item")
    desk.answer("1", 1)
    second.bring_to_front()
    second.keyboard.press("2")
    second.wait_for_selector("#said:has-text('perhaps in another tab')")
    assert [row["label"] for row in rows(engine, LABEL)] == ["wanted"]


def test_a_covered_item_shows_and_takes_nothing_until_it_is_opened(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1, is_sensitive=True), make_choice(2)], {"mail-01": ("Blood", "Gore")})
    desk.log_in("ada")
    desk.start()
    assert "Gore" not in desk.page.content()
    desk.take_picture("desk-covered")
    desk.press("1")
    assert rows(engine, LABEL) == []
    desk.press("o")
    desk.page.wait_for_selector("[data-field=body]")
    desk.answer("1", 1)


def test_a_skipped_item_still_waits_for_an_answer(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1), make_choice(2), make_choice(3)])
    desk.log_in("ada")
    desk.start()
    desk.press("s")
    desk.page.wait_for_selector("dialog[open]")
    desk.press("1")
    desk.wait_for_item(2)
    desk.wait_for_settled(0)
    assert "somebody else will see it" in desk.said
    assert [row["reason"] for row in rows(engine, REVIEW_PASS)] == ["Not enough to go by"]


def test_a_lead_sees_how_people_did_and_how_well_they_agree(desk: Desk, engine: Engine, rights: Rights) -> None:
    lay_out(engine, [make_choice(number, n_answers_wanted=2) for number in range(1, 13)])
    with engine.begin() as connection:
        for person, labels in (("ben", 3 * "wuwu"), ("can", 3 * "wuuu")):
            said = {f"mail-{at:02d}": "wanted" if label == "w" else "unsolicited" for at, label in enumerate(labels, 1)}
            batches.write_answers(
                connection, PROBLEM, BATCH, said,
                classes=["wanted", "unsolicited"], labelled_by=person, is_demo=False, now=NOW,
            )  # fmt: skip
        batches.close_batch(connection, PROBLEM, BATCH, NOW)
        measure_review(connection, make_problem(), NOW)
    lay_out(engine, [make_choice(19)], batch_id="round-002")
    rights.roles["ada"] = ["trust-and-safety-lead"]
    desk.log_in("ada")
    desk.page.click("button:has-text('People')")
    desk.page.wait_for_selector("table")
    desk.take_picture("desk-people")
    people, agreement = (table.inner_text() for table in desk.page.locator("table").all())
    assert "ben" in people
    assert "Krippendorff’s alpha" in agreement
    assert "0.49" in agreement  # of 24 answers, nine items of twelve alike; worked by hand
    assert "“wanted” against the rest" in agreement


def test_who_left_before_the_end_finds_later_how_it_went(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1, n_answers_wanted=2, arm=Arm.GOLD, gold_label="wanted")])
    desk.log_in("ada")
    desk.start()
    desk.press("1")
    desk.page.wait_for_selector("button:has-text('Look again')")
    desk.press("b")
    desk.page.wait_for_selector("#list")
    assert desk.page.locator(".past").count() == 0
    with engine.begin() as connection:
        batches.write_answers(
            connection, PROBLEM, BATCH, {"mail-01": "wanted"},
            classes=["wanted", "unsolicited"], labelled_by="ben", is_demo=False, now=NOW,
        )  # fmt: skip
        batches.close_batch(connection, PROBLEM, BATCH, NOW)
    desk.page.reload()
    desk.page.click(".past button:has-text('How it went')")
    desk.page.wait_for_selector(".tiles")
    assert "1 / 1" in str(desk.page.text_content(".tiles"))


def test_keys_are_found_by_their_place_where_the_keyboard_writes_korean(
    browser: Any, served: str, engine: Engine
) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)])
    desk = Desk(browser, served, locale="ko-KR")
    desk.log_in("ada")
    desk.start()
    desk.page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㄴ', code: 'KeyS', bubbles: true}))"
    )
    desk.page.wait_for_selector("dialog[open]")
    assert "왜 답하기 어려운가요?" in str(desk.page.text_content("dialog"))
    desk.context.close()


@pytest.mark.parametrize("locale", ["en-GB", "ko-KR"])
def test_everything_fits_on_a_phone(browser: Any, served: str, engine: Engine, locale: str) -> None:
    lay_out(engine, [make_choice(1), make_choice(2)], {"mail-01": ("w" * 300, "가" * 3_000)})
    desk = Desk(browser, served, locale=locale, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    desk.log_in("ada")
    desk.page.tap(".card button.main")
    desk.wait_for_item()
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 360
    sizes = [box.bounding_box() for box in desk.page.locator(".actions button").all()]
    assert all(box["height"] >= 44 for box in sizes)  # a thumb's width
    desk.page.tap(".answer-1")
    desk.wait_for_settled(1)
    assert [row["label"] for row in rows(engine, LABEL)] == ["unsolicited"]
    desk.context.close()


def test_a_viewer_sees_the_batch_and_no_way_to_answer_it(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    desk.log_in("vic")
    assert "You may look, not answer" in str(desk.page.text_content(".card"))
    desk.page.goto(f"{desk.url}#/{PROBLEM}/{BATCH}")
    desk.page.wait_for_selector("#list")
    assert desk.page.locator(".answer").count() == 0


def test_a_lead_reads_above_an_item_who_escalated_it_and_why(desk: Desk, engine: Engine, rights: Rights) -> None:
    lay_out(engine, [make_choice(1)])
    desk.log_in("ada")
    desk.start()
    desk.press("e")
    desk.page.wait_for_selector("dialog[open] textarea")
    desk.page.keyboard.type("Needs <b>a lawyer</b>")
    desk.press("Enter")
    desk.page.wait_for_selector(".tiles")
    lay_out(engine, [make_choice(1, skill="lead")], batch_id="round-002")
    rights.roles["ben"] = ["Lead"]
    desk.log_in("ben")
    desk.start()
    told = desk.page.inner_text(".passed")
    assert "Needs <b>a lawyer</b>" in told
    assert "Escalated by ada" in told


def test_notes_are_read_on_the_result_of_a_batch(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    desk.log_in("ada")
    desk.start()
    desk.press("n")
    desk.page.keyboard.type("A lottery")
    desk.press("Escape")
    desk.press("1")
    desk.page.wait_for_selector("h3:has-text('Notes')")
    assert "A lottery" in desk.page.inner_text("main")


def test_the_desk_follows_airflows_switch_while_it_is_open(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    desk.log_in("ada")
    paper = "() => getComputedStyle(document.body).backgroundColor"
    assert desk.page.evaluate(paper) == "rgb(255, 255, 255)"
    airflow = desk.context.new_page()
    airflow.goto(f"{desk.address}/login")
    airflow.evaluate("() => localStorage.setItem('theme', 'dark')")
    desk.page.wait_for_selector("html[data-theme=dark]")
    assert desk.page.evaluate(paper) == "rgb(16, 22, 29)"
    airflow.evaluate("() => localStorage.setItem('theme', 'light')")
    desk.page.wait_for_selector("html[data-theme=light]")
    assert desk.page.evaluate(paper) == "rgb(255, 255, 255)"


def test_a_lead_withdraws_answers_that_came_too_fast(desk: Desk, engine: Engine, rights: Rights) -> None:
    lay_out(engine, [make_choice(1)])
    flag(engine, "<b>bot</b>")
    rights.roles["ada"] = ["Lead"]
    desk.log_in("ada")
    desk.page.click("li:has-text('1 to look at') button")
    desk.page.wait_for_selector("text=10 answers in a row took 1.2 s")
    assert "<b>bot</b>: 94 answers" in desk.page.inner_text("main")
    desk.page.click("button:has-text('Withdraw these answers')")
    desk.page.wait_for_selector("text=Withdrawn by ada")
    assert [row["status"] for row in rows(engine, LABEL_FLAG)] == ["withdrawn"]


def test_lines_of_label_files_that_were_not_taken_are_named(desk: Desk, engine: Engine) -> None:
    lay_out(engine, [make_choice(1)])
    refuse_lines(engine, "labels/ada <i>.jsonl", ("no such item", 3, 12), ("no class", 1, 40))
    desk.log_in("ada")
    told = desk.page.inner_text("main")
    assert "3 lines of labels/ada <i>.jsonl, the first is line 12" in told
    assert told.index("no such item") < told.index("no class")
