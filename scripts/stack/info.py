"""Addresses, users and passwords of the running stack, for people and for programs.

A password is said only where it was asked for: on a terminal, which nobody stores, or by a flag.
"""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg.rows import dict_row

from scripts.stack import databases
from scripts.stack.keys import USERS
from scripts.stack.stack import Stack

# Where a password stands that is not said.
NOT_SAID = "not shown here: make info on a terminal, or make info SECRETS=1"


def read_waiting(stack: Stack) -> list[dict[str, Any]] | None:
    """Read the oldest partition that waits in each DAG; None where the warehouse does not say."""
    query = """
        SELECT dag_id, partition_key, status, n_waiting, n_failed,
            TO_CHAR(since_utc AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since_utc
        FROM bi.oldest_waiting ORDER BY dag_id
    """
    try:
        with stack.postgres.connect(databases.WAREHOUSE) as connection:
            return connection.cursor(row_factory=dict_row).execute(query).fetchall()
    except psycopg.Error:  # nothing runs, or the views are not made yet
        return None


def build_info(
    stack: Stack,
    *,
    are_secrets_shown: bool,
    is_owner_shown: bool = False,
    waiting: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return what another program needs to reach everything that runs.

    Args:
        stack: whose servers.
        are_secrets_shown: whether passwords are said; None stands in their place otherwise.
        is_owner_shown: whether the URL of the warehouse's owner is said, who may change and remove everything in it.
        waiting: from `read_waiting`; None where nobody knows.
    """
    addresses, passwords = stack.addresses, stack.keys.user_passwords
    return {
        "airflow_url": addresses.airflow_url,
        "users": [
            {"name": name, "password": passwords[name] if are_secrets_shown else None, "role": role}
            for name, role in USERS.items()
            if passwords[name]
        ],
        "bi_url": addresses.bi_url if are_secrets_shown else _without_password(addresses.bi_url),
        "warehouse_url": addresses.warehouse_url if is_owner_shown else None,
        "engine": stack.engine,
        "lake_url": str(stack.home.lake),
        "landing_url": str(stack.home.landing),
        "models_url": str(stack.home.models),
        "logs": str(stack.home.logs),
        "running": stack.running(),
        "waiting": waiting,
    }


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    credentials, _, place = rest.rpartition("@")
    return f"{scheme}://{credentials.partition(':')[0]}@{place}"


def format_json(info: dict[str, Any]) -> str:
    """Return the info as JSON and nothing else."""
    return json.dumps(info, indent=2)


def format_text(info: dict[str, Any]) -> str:
    """Return the info as a person reads it."""
    width = max((len(user["name"]) for user in info["users"]), default=0)
    is_shown = all(user["password"] for user in info["users"])
    users = [
        f"    {user['name']:<{width}}  {user['password'] + '  ' if is_shown else ''}({user['role']})"
        for user in info["users"]
    ]
    stopped = [name for name, is_alive in info["running"].items() if not is_alive]
    state = "everything runs" if not stopped else f"not running: {', '.join(stopped)} (start with make run)"
    return "\n".join(
        [
            f"Airflow    {info['airflow_url']}  ({state})",
            *users,
            *([] if is_shown else [f"    passwords {NOT_SAID}"]),
            f"Views      {info['bi_url']}  (reads the schema bi, nothing else)",
            *([f"Warehouse  {info['warehouse_url']}  (its owner)"] if info["warehouse_url"] else []),
            f"Engine     {info['engine'] or 'none yet'}",
            f"Lake       {info['lake_url']}",
            f"Logs       {info['logs']}",
            *_waiting_lines(info["waiting"]),
        ]
    )


def _waiting_lines(waiting: list[dict[str, Any]] | None) -> list[str]:
    """Say what waits longest in each DAG; nothing where nobody knows."""
    if waiting is None:
        return []
    lines = [
        f"    {row['dag_id']}: {row['partition_key']} ({row['status']} since {row['since_utc']} UTC), "
        f"{row['n_waiting']} in all" + (f", {row['n_failed']} failed" if row["n_failed"] else "")
        for row in waiting
    ]
    return ["Waiting    the oldest partition of each DAG" if lines else "Waiting    nothing", *lines]
