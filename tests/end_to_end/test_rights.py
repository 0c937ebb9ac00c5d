"""What each account of the running stack may do, line by line, asked of Airflow itself."""

import base64
import json
import urllib.error
from typing import Any

import psycopg
import pytest

from include.names import Single, Stage, dag_id
from include.problems.reading import load_problems
from include.problems.stages import stages_of
from scripts.stack import rest
from scripts.stack.home import find_home
from scripts.stack.stack import open_stack
from tests.end_to_end.conftest import Running

pytestmark = pytest.mark.end_to_end

PROBLEMS, _ = load_problems()
# In one order: workers that share the tests must collect the same ones.
ALL_DAGS = sorted(
    dag_id(problem.name, stage) for problem in PROBLEMS for stage in stages_of(problem, is_demo_reviewer_on=True)
)
REVIEWED = {dag_id(problem.name, Stage.REVIEW) for problem in PROBLEMS if problem.review}
DECIDED = {
    dag_id(problem.name, stage)
    for problem in PROBLEMS
    for stage in (Stage.TRAIN, Stage.RULES, Stage.MONITOR)
    if stage in stages_of(problem, is_demo_reviewer_on=False)
}
MOMENT = "2026-01-01T00:00:00Z"
NO_RUN = "nobody__started__this"
# What a labeller's account could do while it had Airflow's role Op.
FORBIDDEN = [
    *(("POST", f"dags/{single}/dagRuns", {"logical_date": None, "conf": {}}) for single in Single),
    *(("PATCH", f"dags/{single}", {"is_paused": False}) for single in Single),
    ("GET", "connections", None),
    ("GET", "connections/mulgil_pii", None),
    ("POST", "connections", {"connection_id": "a", "conn_type": "generic"}),
    ("GET", "variables", None),
    ("POST", "variables", {"key": "a", "value": "b"}),
    ("GET", "config", None),
    ("POST", "pools", {"name": "a", "slots": 1}),
    (
        "POST",
        "backfills",
        {"dag_id": "campaign__land"} | dict.fromkeys(("from_date", "to_date"), "2026-01-01T00:00:00Z"),
    ),
    ("POST", "assets/events", {"asset_id": 1, "extra": {}}),
]
LABELLERS = ["viewer", "reviewer", "lead"]
PAGES = ["mulgil/desk/", "mulgil/reports/", "mulgil/models/", "mulgil/experiments/"]


@pytest.fixture(scope="module")
def tokens(running: Running) -> dict[str, str]:
    """Log everybody in once: Airflow refuses an address that asks too often."""
    return {
        name: rest.call(f"{running.url}/auth/token", "POST", {"username": name, "password": password})["access_token"]
        for name, password in running.passwords.items()
    }


def status_of(running: Running, token: str, method: str, path: str, body: Any = None) -> int:
    """Ask, and give the status of the answer."""
    try:
        rest.call(f"{running.url}/{path}", method, body, token)
    except urllib.error.HTTPError as error:
        return error.code
    except json.JSONDecodeError:
        return 200  # a page
    return 200


@pytest.mark.parametrize("name", LABELLERS)
@pytest.mark.parametrize(
    ("method", "path", "body"), FORBIDDEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_who_labels_or_leads_starts_nothing_and_reads_no_secret(
    running: Running, tokens: dict[str, str], name: str, method: str, path: str, body: Any
) -> None:
    assert status_of(running, tokens[name], method, f"api/v2/{path}", body) == 403


@pytest.mark.parametrize("name", LABELLERS)
@pytest.mark.parametrize("dag", ALL_DAGS)
def test_no_dag_is_started_paused_cleared_or_removed_but_ones_own(
    running: Running, tokens: dict[str, str], name: str, dag: str
) -> None:
    own = {"viewer": set(), "reviewer": REVIEWED, "lead": REVIEWED | DECIDED}[name]
    token = tokens[name]
    assert status_of(running, token, "POST", f"api/v2/dags/{dag}/dagRuns", {"logical_date": None}) == 403
    assert status_of(running, token, "POST", f"api/v2/dags/{dag}/clearTaskInstances", {"dry_run": True}) == 403
    assert status_of(running, token, "PATCH", f"api/v2/dags/{dag}/dagRuns/{NO_RUN}", {"state": "failed"}) == 403
    assert status_of(running, token, "DELETE", f"api/v2/dags/{dag}/dagRuns/{NO_RUN}") == 403
    assert status_of(running, token, "DELETE", f"api/v2/dags/{dag}") == 403
    assert status_of(running, token, "PATCH", f"api/v2/dags/{dag}", {"is_paused": False}) == (
        200 if dag in own else 403
    )


@pytest.mark.parametrize("dag", sorted(DECIDED))
def test_a_lead_answers_an_approval_and_a_reviewer_does_not(running: Running, tokens: dict[str, str], dag: str) -> None:
    # Of a run that does not exist: who may answer is told that, who may not is told nothing.
    path = f"api/v2/dags/{dag}/dagRuns/{NO_RUN}/taskInstances/approve/-1/hitlDetails"
    answer = {"chosen_options": ["Approve"], "params_input": {}}
    assert status_of(running, tokens["lead"], "PATCH", path, answer) == 404
    for name in ("reviewer", "viewer"):
        assert status_of(running, tokens[name], "PATCH", path, answer) == 403


@pytest.mark.parametrize("name", LABELLERS)
def test_everybody_reads_dags_runs_and_the_four_pages(running: Running, tokens: dict[str, str], name: str) -> None:
    for path in (
        "api/v2/dags",
        f"api/v2/dags/{ALL_DAGS[0]}/dagRuns",
        "mulgil/desk/",
        "mulgil/reports/",
        "mulgil/models/",
        "mulgil/experiments/",
    ):
        assert status_of(running, tokens[name], "GET", path) == 200, path


def test_roles_are_those_of_the_info_and_nobody_who_labels_is_op(running: Running, tokens: dict[str, str]) -> None:
    roles = {
        user["username"]: [role["name"] for role in user["roles"]]
        for user in rest.call(f"{running.url}/auth/fab/v1/users", token=tokens["admin"])["users"]
    }
    assert roles == {"admin": ["Admin"], "lead": ["Lead"], "reviewer": ["Reviewer"], "viewer": ["Viewer"]}


def test_a_token_says_nothing_that_a_password_could_be_read_from(running: Running, tokens: dict[str, str]) -> None:
    body = tokens["reviewer"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert not {*running.passwords.values()} & {str(value) for value in claims.values()}


def test_the_reader_of_the_views_reads_them_and_nothing_else(running: Running) -> None:
    stack = open_stack(find_home())
    stack.postgres.start()  # it runs: this reads its port
    with psycopg.connect(stack.addresses.bi_url.replace("+psycopg", "")) as reader:
        assert reader.execute("SELECT count(*) FROM bi.data_completeness").fetchone() != (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute("SELECT count(*) FROM core.coverage")
