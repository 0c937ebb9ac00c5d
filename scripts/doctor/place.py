"""Which deployment is looked at: the embedded stack of a home, or the one that this container is part of.

What does not belong here: whether it is well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.stack.home import Home, find_home
from scripts.stack.keys import read_keys
from scripts.stack.stack import Stack

METADATA_VARIABLE = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
# A server that is stopped, but not gone, takes a connection and says no more.
CONNECT_S = 5
STATEMENT_MS = 10_000


@dataclass(frozen=True)
class Place:
    """One deployment.

    Attributes:
        home: folders of this machine.
        stack: the embedded stack; None where the servers run elsewhere, or were never started.
        is_elsewhere: whether the environment names the servers.
        warehouse_url: as libpq takes it; empty where there is none.
        metadata_url: of Airflow's own database, as libpq takes it; empty where there is none.
        environment: what the lake's reader is to read.
        engine: `duckdb` or `spark`.
    """

    home: Home
    stack: Stack | None
    is_elsewhere: bool
    warehouse_url: str
    metadata_url: str
    environment: dict[str, str]
    engine: str


def find_place(environment: Mapping[str, str] | None = None) -> Place:
    """Return the deployment that the environment names, else the embedded one of the home.

    Raises:
        StackError: the home's secrets are damaged.
    """
    env = dict(os.environ if environment is None else environment)
    home = find_home(env)
    engine = env.get("MULGIL_ENGINE") or "duckdb"
    if env.get("MULGIL_WAREHOUSE_URL"):
        metadata = _plain(env.get(METADATA_VARIABLE, ""))
        return Place(home, None, True, _plain(env["MULGIL_WAREHOUSE_URL"]), metadata, {}, engine)
    if not home.secrets.exists():
        return Place(home, None, False, "", "", {}, engine)
    stack = Stack(home, read_keys(home.secrets))
    if stack.postgres.is_running():
        stack.postgres.start()  # reads the port of the running server; starts nothing
    addresses = stack.addresses
    own = {
        "MULGIL_HOME": str(home.root),
        "MULGIL_WAREHOUSE_URL": addresses.warehouse_url,
        "MULGIL_LANDING_URL": str(home.landing),
        "MULGIL_LAKE_URL": str(home.lake),
        "MULGIL_MODELS_URL": str(home.models),
    }
    return Place(
        home, stack, False, _plain(addresses.warehouse_url), _plain(addresses.metadata_url), own, stack.engine or engine
    )


def _plain(url: str) -> str:
    """Return a SQLAlchemy URL as libpq takes it."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}{separator}{rest}"
