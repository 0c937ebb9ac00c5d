"""Addresses, users and passwords of the running stack, for people and for programs."""

from __future__ import annotations

import json
from typing import Any

from scripts.stack.airflow import Addresses
from scripts.stack.home import Home
from scripts.stack.keys import USERS, Keys


def build_info(home: Home, keys: Keys, addresses: Addresses, running: dict[str, bool]) -> dict[str, Any]:
    """Return what another program needs to reach everything that runs."""
    return {
        "airflow_url": addresses.airflow_url,
        "users": [{"name": name, "password": keys.user_passwords[name], "role": role} for name, role in USERS.items()],
        "warehouse_url": addresses.warehouse_url,
        "lake_url": str(home.lake),
        "landing_url": str(home.landing),
        "models_url": str(home.models),
        "logs": str(home.logs),
        "running": running,
    }


def format_json(info: dict[str, Any]) -> str:
    """Return the info as JSON and nothing else."""
    return json.dumps(info, indent=2)


def format_text(info: dict[str, Any]) -> str:
    """Return the info as a person reads it."""
    width = max(len(user["name"]) for user in info["users"])
    users = [f"    {user['name']:<{width}}  {user['password']}  ({user['role']})" for user in info["users"]]
    stopped = [name for name, is_alive in info["running"].items() if not is_alive]
    state = "everything runs" if not stopped else f"not running: {', '.join(stopped)} (start with make run)"
    return "\n".join(
        [
            f"Airflow    {info['airflow_url']}  ({state})",
            *users,
            f"Warehouse  {info['warehouse_url']}",
            f"Lake       {info['lake_url']}",
            f"Logs       {info['logs']}",
        ]
    )
