"""The loop's human part, in a running stack: the batch that is left for people is answered, and training starts.

Nothing takes that back, so it is done only where somebody asks for it: `pytest tests/end_to_end --answer`.
"""

import uuid
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from include.names import Stage, dag_id
from include.problems.reading import load_problem
from include.problems.recorded_truth import truth_path
from include.review.demo_reviewer import read_truth
from include.settings import read_settings
from scripts.pictures import log_in
from tests.end_to_end.conftest import Running, open_desk

pytestmark = pytest.mark.end_to_end

PROBLEM = "ad_review"
N_BY_KEYBOARD = 20
PATIENCE_S = 180  # for training, on two cores that other runs may share
POLL_MS = 1_000


@pytest.fixture(autouse=True)
def _asked(request: pytest.FixtureRequest) -> None:
    if not request.config.getoption("--answer", default=False):
        pytest.skip("it finishes a batch for good; ask for it by --answer")


def known(item_id: str) -> str:
    """Say what a mail is, as people who read it would."""
    settings = read_settings()
    truth = read_truth(truth_path(settings, PROBLEM), load_problem(PROBLEM).source, settings.pii_keys, [item_id])
    return truth[item_id]


class Colleague:
    """Somebody who answers through the page's own routes, with the cookie that Airflow's login gave them."""

    def __init__(self, page: Any, running: Running, batch_id: str) -> None:
        self.page, self.url = page, running.url
        self.where = {"problem": PROBLEM, "batch_id": batch_id}

    def post(self, path: str, **more: Any) -> Any:
        headers = {"Origin": self.url, "Accept-Language": "en"}
        answer = self.page.request.post(f"{self.url}/mulgil/desk/{path}", data=self.where | more, headers=headers)
        assert answer.ok, answer.text()
        return answer.json()

    def answer_all(self) -> bool:
        """Answer what there is for this person; say whether that finished the batch."""
        item, is_finished = self.post("take")["item"], False
        while item is not None:
            names = {"item_id": item["item_id"], "label": known(item["item_id"]), "request_id": uuid.uuid4().hex}
            done = self.post("answer", **names)
            item, is_finished = done["item"], done["is_finished"]
        return is_finished


@pytest.fixture
def colleague(browser: Any) -> Iterator[Any]:
    context = browser.new_context()
    yield context.new_page()
    context.close()


def wait_for_settled(desk: Any, n: int) -> None:
    desk.locator(f".progress progress[value='{n}']").wait_for()


def wait_for_training(page: Any, running: Running, batch_id: str) -> str:
    """Wait until Airflow has trained with a batch; give the run's state."""
    airflow, path = running.client, dag_id(PROBLEM, Stage.TRAIN)
    for waited_s in count():
        runs = airflow.ask(f"dags/{path}/dagRuns?order_by=-run_after&limit=5")["dag_runs"]
        states = [str(run["state"]) for run in runs if run["partition_key"] == batch_id]
        if states and states[0] in {"success", "failed"}:
            return states[0]
        assert waited_s < PATIENCE_S, f"{path} did not train with {batch_id} in {PATIENCE_S} s; its runs: {states}"
        page.wait_for_timeout(POLL_MS)
    raise AssertionError("unreachable: the loop ends by itself")


def test_a_batch_that_two_people_finish_starts_a_training(running: Running, page: Any, colleague: Any) -> None:
    log_in(page, running.url, "reviewer", running.passwords["reviewer"])
    desk = open_desk(page)
    desk.get_by_role("button", name="Start").or_(desk.get_by_role("button", name="Continue")).first.press("Enter")
    desk.get_by_role("heading", name="Item").wait_for()
    batch_id = page.frame_locator("iframe").locator("html").evaluate("() => location.hash").rpartition("/")[2]
    n_before = int(desk.locator(".progress progress").get_attribute("value"))
    page.keyboard.press("1")
    wait_for_settled(desk, n_before + 1)
    page.keyboard.press("u")
    wait_for_settled(desk, n_before)
    for number in range(1, N_BY_KEYBOARD):
        n_of_100 = desk.locator(".model .dot.is-in").count()
        page.keyboard.press("2" if n_of_100 >= 50 else "1")
        wait_for_settled(desk, n_before + number)
    page.keyboard.press("e")
    desk.locator("dialog textarea").wait_for()
    page.keyboard.type("Needs a lawyer")
    page.keyboard.press("Enter")
    desk.get_by_text("Escalated; a lead will see it.").wait_for()
    reviewer = Colleague(page, running, batch_id)
    assert not reviewer.answer_all()  # what two people should see waits for the second
    log_in(colleague, running.url, "admin", running.passwords["admin"])
    assert Colleague(colleague, running, batch_id).answer_all()
    summary = reviewer.page.request.get(f"{running.url}/mulgil/desk/summary?problem={PROBLEM}&batch_id={batch_id}")
    assert summary.json()["n_answered"] >= N_BY_KEYBOARD - 1
    assert wait_for_training(page, running, batch_id) == "success"
