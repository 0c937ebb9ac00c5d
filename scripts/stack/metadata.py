"""Airflow's metadata database, Mulgil's roles and its users, in one process: `python -m scripts.stack.metadata`.

Four commands (`db migrate` and three `users create`) would import Airflow four times, 16 s instead of 6. Runs in
Airflow's environment; reads {"users": [{"name", "role", "password"}]} from stdin, so that passwords stand in no process
list. Which DAGs the roles may edit follows from the problem files.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from include.names import LEAD_ROLE
from include.problems.reading import load_problems
from scripts.stack.roles import editable_dags


def migrate() -> None:
    """Bring the metadata database, and the login tables, to this Airflow's version."""
    from airflow.utils import db

    db.upgradedb()


def make_users(users: list[dict[str, str]]) -> None:
    """Make sure that Mulgil's roles exist, and each user with exactly this role and password.

    Raises:
        SystemExit: a role does not exist, or the login tables refuse a user.
    """
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        _show_pages_to_viewers(manager)
        make_roles(manager, editable_dags(load_problems()[0]))
        for user in users:
            _make_user(manager, user)


def _show_pages_to_viewers(manager: Any) -> None:
    """Let the role Viewer see plugins' pages in Airflow's navigation; what a page shows is the page's own check."""
    from airflow.providers.fab.www.security import permissions

    viewer = manager.find_role("Viewer")
    granted = manager.create_permission(permissions.ACTION_CAN_READ, permissions.RESOURCE_PLUGIN)
    manager.add_permission_to_role(viewer, granted)


def make_roles(manager: Any, editable: dict[str, list[str]]) -> None:
    """Give Mulgil's roles exactly their rights: what a viewer may, and to edit their own DAGs; nothing else stays.

    Args:
        manager: the login tables' security manager.
        editable: role to ids of the DAGs that it may edit.
    """
    from airflow.providers.fab.www.security import permissions

    answering = [
        (permissions.ACTION_CAN_EDIT, permissions.RESOURCE_HITL_DETAIL),
        (permissions.ACTION_CAN_ACCESS_MENU, permissions.RESOURCE_HITL_DETAIL),
    ]
    viewer = manager.find_role("Viewer")
    for name, dag_ids in editable.items():
        wanted = [
            (permissions.ACTION_CAN_EDIT, permissions.resource_name(dag, permissions.RESOURCE_DAG)) for dag in dag_ids
        ]
        wanted += answering if name == LEAD_ROLE else []
        granted = [*viewer.permissions, *(manager.create_permission(*right) for right in wanted)]
        role = manager.add_role(name)
        for right in set(role.permissions) - set(granted):
            manager.remove_permission_from_role(role, right)
        for right in granted:
            manager.add_permission_to_role(role, right)


def _make_user(manager: Any, user: dict[str, str]) -> None:
    role = manager.find_role(user["role"])
    if role is None:
        sys.exit(f"Airflow has no role {user['role']!r}; it has {[known.name for known in manager.get_all_roles()]}.")
    known = manager.find_user(username=user["name"])
    if known is None:
        mail = f"{user['name']}@localhost"
        if not manager.add_user(user["name"], user["name"].title(), "Mulgil", mail, role, user["password"]):
            sys.exit(f"Airflow refused the user {user['name']!r}.")
        return
    known.roles = [role]
    manager.update_user(known)
    manager.reset_password(known.id, user["password"])


def main() -> None:
    """Migrate, then make the users that stdin names."""
    from airflow.utils.providers_configuration_loader import providers_configuration_loaded

    wanted = json.load(sys.stdin)
    providers_configuration_loaded(migrate)()
    providers_configuration_loaded(make_users)(wanted["users"])


if __name__ == "__main__":
    main()
