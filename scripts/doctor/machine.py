"""Looks at this machine: room on its disks, what is installed, ports, and whether the servers run.

What does not belong here: what the servers know; that is asked of them in `warehouse_looks.py` and `airflow_looks.py`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.backup.take import stale_drafts
from scripts.doctor.finding import Finding, more
from scripts.doctor.place import Place
from scripts.stack import components, ports, processes
from scripts.stack.engine import require_engine
from scripts.stack.errors import StackError
from scripts.stack.home import NEEDED_GB, REPO

PYTHONS = ((3, 11), (3, 13))
LOCKS = {"duckdb": ("requirements.txt",), "spark": ("requirements.txt", "requirements-spark.txt")}


def look_at_disks(place: Place, needed_gb: float = NEEDED_GB) -> Iterator[Finding]:
    """Find disks with too little room for another day."""
    folders = [place.home.root, Path(tempfile.gettempdir())]
    if place.stack is not None:
        folders += [place.home.lake, place.stack.postgres.data_dir]
    free: dict[int, tuple[float, Path]] = {}
    for folder in folders:
        there = next(path for path in (folder, *folder.parents) if path.exists())
        free.setdefault(there.stat().st_dev, (shutil.disk_usage(there).free / 1e9, there))
    short = sorted(entry for entry in free.values() if entry[0] < needed_gb)
    if short:
        gb, folder = short[0]
        yield Finding(
            "disk",
            f"A disk has less than {needed_gb:g} GB left; PostgreSQL stops first when it is full",
            len(short),
            f"{gb:.1f} GB at {folder}",
            "free some room there; or make down, move the home's folder lake to a larger disk, and leave a link",
        )


def look_at_backups(place: Place) -> Iterator[Finding]:
    """Find what killed backups left in the home."""
    left = stale_drafts(place.home)
    if left:
        yield Finding(
            "backups",
            "Backups were killed and left links, which keep every file that was removed since, of erased people too",
            len(left),
            more([str(path) for path in left]),
            "rm -r them; the next make backup does it, too",
        )


def look_at_packages(place: Place, locks: Iterable[Path] | None = None) -> Iterator[Finding]:
    """Find a Python that is not supported, and packages that are not what the lock says."""
    own = sys.version_info[:2]
    if not PYTHONS[0] <= own <= PYTHONS[1]:
        yield Finding(
            "versions",
            f"This Python is not one of {PYTHONS[0][0]}.{PYTHONS[0][1]} to {PYTHONS[1][0]}.{PYTHONS[1][1]}",
            1,
            f"{sys.executable} is {own[0]}.{own[1]}",
            "rm -r .venv; make run PYTHON=python3.11",
        )
    files = list(locks) if locks is not None else [REPO / name for name in LOCKS[place.engine]]
    wrong = sorted(_differences(files))
    if wrong:
        yield Finding(
            "versions",
            "Installed packages are not those that were tested",
            len(wrong),
            more(wrong),
            "make down; make run (installs the lock); in a container: build the image again",
        )
    try:
        require_engine(place.engine)
    except StackError as error:
        yield Finding("versions", "The engine cannot start here", 1, str(error), "as it says, then make run")


def _differences(files: Iterable[Path]) -> Iterator[str]:
    """Name the locked packages that are missing here, or there in another version."""
    for path in files:
        for line in path.read_text().splitlines():
            text = line.partition("#")[0].strip().rstrip("\\").strip()
            if not text or text.startswith("-"):
                continue
            wanted = Requirement(text)
            if wanted.marker is not None and not wanted.marker.evaluate():
                continue
            try:
                found = version(canonicalize_name(wanted.name))
            except PackageNotFoundError:
                found = "missing"
            if found == "missing" or not wanted.specifier.contains(found, prereleases=True):
                yield f"{wanted.name} {found}, wanted {str(wanted.specifier).removeprefix('==')}"


def look_at_ports(place: Place) -> Iterator[Finding]:
    """Find ports of ours that another program has, and such that the user fixed and cannot have."""
    if place.stack is None:
        return
    taken = []
    wanted = (
        (ports.read_fixed_port("MULGIL_POSTGRES_PORT") or place.stack.postgres.port, "PostgreSQL", "postgresql"),
        (ports.read_fixed_port("MULGIL_AIRFLOW_PORT") or place.stack.airflow_port, "Airflow", "api-server"),
    )
    running = place.stack.running()
    for port, label, name in wanted:
        if port is not None and not running[name] and not ports.is_free(port):
            taken.append(f"{port} of {label} by {ports.describe_holder(port)}")
    if taken:
        yield Finding(
            "ports",
            "Another program has a port of ours",
            len(taken),
            more(taken),
            "stop that program, or unset MULGIL_POSTGRES_PORT and MULGIL_AIRFLOW_PORT: make run takes free ones",
        )


def look_at_servers(place: Place) -> Iterator[Finding]:
    """Find servers that do not run, and such that run and have not said so lately."""
    if place.stack is None:
        yield Finding(
            "servers",
            "Nothing was started yet in this home",
            1,
            str(place.home.root),
            "make run, or for your own: make up",
        )
        return
    states = place.stack.running()
    ended = [name for name, runs in states.items() if not runs]
    if len(ended) == len(states):
        yield Finding("servers", "The stack does not run", len(ended), "none of its servers", "make run, or make up")
        return
    if ended:
        name = ended[0]
        log = place.stack.postgres.log if name == "postgresql" else place.home.log(name)
        last = processes.last_lines(log, 1).strip()
        yield Finding(
            "servers", f"Servers ended: {', '.join(ended)}", len(ended), f"{name}: {last}", "make run; then make logs"
        )
    health = place.stack.client.health() if states["api-server"] else {}
    if states["api-server"] and not health:
        yield Finding("servers", "Airflow's api-server runs and does not answer", 1, place.stack.addresses.airflow_url,
                      "make logs; if it goes on: make down; make run")  # fmt: skip
    silent = [
        f"{name} since {_beat(health, name)}"
        for name, key in components.HEALTH_NAMES.items()
        if health and states[name] and health.get(key, {}).get("status") != "healthy"
    ]
    if silent:
        yield Finding(
            "servers", "Servers run and do not report", len(silent), more(silent), "make logs; then make down; make run"
        )


def _beat(health: dict[str, dict[str, str]], name: str) -> str:
    key = components.HEALTH_NAMES[name]
    said = (health.get(key) or {}).get(f"latest_{key}_heartbeat")
    return f"{datetime.fromisoformat(said).astimezone(UTC):%Y-%m-%d %H:%M} UTC" if said else "its start"
