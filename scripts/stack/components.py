"""The four components together: which already run as they should, starting the rest, waiting for their health."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from include.settings import NAMES as NAMES_READ
from scripts.stack import airflow, processes
from scripts.stack.errors import OutOfTime
from scripts.stack.home import REPO, Home
from scripts.stack.rest import Airflow

NAMES = tuple(airflow.COMPONENTS)
HEALTH_NAMES = {"scheduler": "scheduler", "dag-processor": "dag_processor", "triggerer": "triggerer"}
# The triggerer gives its worker 10 s to end, and the worker takes them all; triggers live in the database.
IMPATIENT = frozenset({"triggerer"})
# Two slow cores with a cold disk took 40 s for all four.
START_S = 180.0
# What the components, the tasks and what those start read, beside the settings of the project.
READ_PREFIXES = ("AIRFLOW", "PYTHON", "AWS_", "SPARK_", "JAVA_HOME", "OMP_", "OPENBLAS_")


def newest_change(folders: Iterable[Path]) -> float:
    """Return when the newest source file below some folders was last changed; 0 where there is none."""
    suffixes = {".py", ".yaml", ".yml", ".sql", ".html", ".js", ".css"}
    files = (path for folder in folders for path in folder.rglob("*") if path.suffix in suffixes)
    return max((path.stat().st_mtime for path in files if path.is_file()), default=0.0)


def fingerprint(name: str, environment: dict[str, str]) -> str:
    """Return what a running component must have been started with to be kept; only what it reads counts.

    The api-server imports the plugins once, so that their code counts, too; tasks and DAG files are read afresh anyway.
    """
    own = {key: value for key, value in environment.items() if key in NAMES_READ or key.startswith(READ_PREFIXES)}
    code = newest_change([REPO / "plugins", REPO / "include"]) if name == "api-server" else 0.0
    pins = [path.read_text() for path in (REPO / "requirements.txt", *sorted((REPO / "config").glob("*.py")))]
    text = json.dumps([own, airflow.component_command(name), code, pins], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def stop(home: Home, names: Iterable[str] = NAMES) -> list[str]:
    """Stop components by their records; return the names of those that ran."""
    return processes.stop(home.run, processes.read_records(home.run, list(names)), impatient=IMPATIENT)


def start_missing(home: Home, environment: dict[str, str]) -> list[str]:
    """Start the components that do not run, or run with other settings; return the names of those started."""
    wanted = {name: fingerprint(name, environment) for name in NAMES}
    records = {record.name: record for record in processes.read_records(home.run, NAMES)}
    keep = [
        name for name, record in records.items() if processes.is_alive(record) and record.fingerprint == wanted[name]
    ]
    # Also what a killed component left behind: its workers would compete with those of its successor.
    stop(home, [name for name in records if name not in keep])
    missing = [name for name in NAMES if name not in keep]
    for name in missing:
        command = airflow.component_command(name)
        processes.start(home.run, name, command, environment, home.log(name), home.root, wanted[name])
    return missing


def find_ended(home: Home) -> list[str]:
    """Return the components that do not run, though they may have been started."""
    records = {record.name: record for record in processes.read_records(home.run, NAMES)}
    return [name for name in NAMES if name not in records or not processes.is_alive(records[name])]


def unhealthy(home: Home, health: dict[str, dict[str, str]]) -> list[str]:
    """Return the components that have not reported good health since they were started."""
    waiting = [] if health.get("metadatabase", {}).get("status") == "healthy" else ["api-server"]
    for name, key in HEALTH_NAMES.items():
        said = health.get(key) or {}
        record = processes.read_record(home.run, name)
        beat = said.get(f"latest_{key}_heartbeat")
        # A component that was killed a moment ago still counts as healthy; its successor has not spoken yet.
        is_fresh = bool(beat and record and datetime.fromisoformat(beat).timestamp() >= processes.started_at(record))
        if said.get("status") != "healthy" or not is_fresh:
            waiting.append(name)
    return waiting


def wait_until_healthy(home: Home, client: Airflow, look: Callable[[], None]) -> None:
    """Wait until all four components report good health.

    Args:
        home: whose components.
        client: of their api-server.
        look: looks after the servers meanwhile.

    Raises:
        ComponentDied: one of them ends again and again.
        OutOfTime: none of those that are missing reported for three minutes.
    """
    last: list[str] = []
    news_at = time.monotonic()
    while waiting := unhealthy(home, client.health()):
        look()
        now = time.monotonic()
        if waiting != last:
            last, news_at = waiting, now
        if now - news_at > START_S:
            raise OutOfTime(
                f"Airflow did not become healthy in time; {', '.join(waiting)} did not report. "
                f"Look into {home.logs}, then run make down and make run."
            )
        time.sleep(0.3)
