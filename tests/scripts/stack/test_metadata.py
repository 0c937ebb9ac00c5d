"""Airflow's own tables as the embedded stack and docker-compose.yaml prepare them: users, roles, rights."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from scripts.stack.home import REPO

PROBLEMS = REPO / "include" / "problems"
RIGHTS = """
SELECT role.name, permission.name, resource.name
FROM ab_permission_view_role AS given
JOIN ab_role AS role ON role.id = given.role_id
JOIN ab_permission_view AS pair ON pair.id = given.permission_view_id
JOIN ab_permission AS permission ON permission.id = pair.permission_id
JOIN ab_view_menu AS resource ON resource.id = pair.view_menu_id
"""
USERS = """
SELECT person.username, role.name FROM ab_user AS person
JOIN ab_user_role AS given ON given.user_id = person.id JOIN ab_role AS role ON role.id = given.role_id
"""
Right = tuple[str, str]


def prepare(url: str, home: Path, problems: Path, users: list[dict[str, str]]) -> None:
    """Prepare the metadata database as `make run` and `airflow-init` do."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "MULGIL"))}
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.replace("+psycopg", "+psycopg2"),
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(REPO),
        "MULGIL_PROBLEMS_DIR": str(problems),
    }
    command = [sys.executable, "-m", "scripts.stack.metadata"]
    finished = subprocess.run(
        command, input=json.dumps({"users": users}), env=kept | own, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


def read_rights(url: str) -> dict[str, set[Right]]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        rights: dict[str, set[Right]] = {}
        for role, action, resource in connection.execute(RIGHTS):
            rights.setdefault(role, set()).add((action, resource))
    return rights


@pytest.mark.slow
def test_roles_have_their_rights_and_lose_those_of_problems_that_are_gone(warehouse_url: str, tmp_path: Path):
    users = [{"name": "reviewer", "role": "Op", "password": "a"}]  # as an earlier Mulgil made it
    prepare(warehouse_url, tmp_path / "airflow", PROBLEMS, users)
    rights = read_rights(warehouse_url)
    reviewed = {("can_edit", f"DAG:{name}__review") for name in ("ad_review", "penguins")}
    trained = ("ad_review", "bikes", "credit_scoring", "flight_delay", "patient", "penguins")
    assert rights["Reviewer"] - rights["Viewer"] == reviewed
    watched = {file.stem for file in PROBLEMS.glob("*.yaml") if "\nmonitor:" in file.read_text("utf-8")}
    assert {"ad_review", "flight_delay"} <= watched
    closed = {("can_edit", f"DAG:{name}__monitor") for name in watched}
    answered = {("can_edit", f"DAG:{name}__train") for name in trained}
    assert rights["Lead"] - rights["Viewer"] == reviewed | answered | closed | {
        ("can_edit", "DAG:ad_review__rules"),
        ("can_edit", "HITL Detail"),
        ("menu_access", "HITL Detail"),
    }
    assert rights["Viewer"] <= rights["Reviewer"]
    changes = {right for right in rights["Reviewer"] if not right[0].startswith(("can_read", "menu_access"))}
    assert changes == reviewed | {("can_edit", "My Password"), ("can_edit", "My Profile")}

    fewer = tmp_path / "problems"
    fewer.mkdir()
    shutil.copy(PROBLEMS / "campaign.yaml", fewer)
    prepare(warehouse_url, tmp_path / "airflow", fewer, [{"name": "reviewer", "role": "Reviewer", "password": "b"}])
    rights = read_rights(warehouse_url)
    assert rights["Reviewer"] == rights["Viewer"]
    assert {resource for _, resource in rights["Lead"] - rights["Viewer"]} == {"HITL Detail"}
    with psycopg.connect(warehouse_url.replace("+psycopg", "")) as connection:
        assert connection.execute(USERS).fetchall() == [("reviewer", "Reviewer")]
