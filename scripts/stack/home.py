"""Where everything that runs keeps its files: one folder, and nothing outside it.

The only exception is PostgreSQL's data where its unprivileged user cannot reach this folder; see `postgres.py`.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from scripts.stack.errors import StackError

REPO = Path(__file__).resolve().parent.parent.parent
# The lake, PostgreSQL and logs of the built-in problems take well under 1 GB; a full disk breaks PostgreSQL first.
NEEDED_GB = 2.0
RESTORING = ".restoring"


@dataclass(frozen=True)
class Home:
    """The folders of one embedded stack; nothing is made until `make_folders`."""

    root: Path

    @property
    def postgres(self) -> Path:
        """PostgreSQL's data folder, unless its user cannot reach it."""
        return self.root / "postgres"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.root / "airflow"

    @property
    def landing(self) -> Path:
        """Raw log objects as they arrived."""
        return self.root / "landing"

    @property
    def lake(self) -> Path:
        """Files of the Iceberg tables."""
        return self.root / "lake"

    @property
    def models(self) -> Path:
        """Stored models."""
        return self.root / "models"

    @property
    def logs(self) -> Path:
        """One log per server, and a folder `tasks` with Airflow's task logs."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """Records of running servers, and the lock."""
        return self.root / "run"

    @property
    def secrets(self) -> Path:
        """Generated keys and passwords, mode 600."""
        return self.root / "secrets.json"

    @property
    def restoring(self) -> Path:
        """Is there as long as a backup is being put back, and after one that was broken off."""
        return self.root / RESTORING

    def log(self, name: str) -> Path:
        """Return the log file of one server."""
        return self.logs / f"{name}.log"


def find_home(environment: dict[str, str] | None = None) -> Home:
    """Return the home that MULGIL_HOME names, else `.mulgil` in the repository."""
    env = os.environ if environment is None else environment
    return Home(Path(env.get("MULGIL_HOME") or REPO / ".mulgil").resolve())


def make_folders(home: Home) -> None:
    """Make the folders; others on this machine may pass through but not list, because servers drop privileges.

    Raises:
        StackError: a folder cannot be made or written.
    """
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        home.root.chmod(0o711)
        for folder in (home.airflow, home.landing, home.lake, home.models, home.logs, home.run):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)
        probe = home.run / f"probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise StackError(
            f"{home.root} cannot be written ({error.strerror}). Set MULGIL_HOME to a folder of your own, or ask for "
            "write permission; if another user made it, run make as that user."
        ) from error


def check_disk(home: Home, needed_gb: float = NEEDED_GB) -> None:
    """Raise StackError where the disk under the home has too little room."""
    folder = next(path for path in (home.root, *home.root.parents) if path.exists())
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < needed_gb:
        raise StackError(
            f"Only {free_gb:.1f} GB are free at {folder}; the lake, the database and the logs need {needed_gb:.0f} GB. "
            "Free some room, or set MULGIL_HOME to a folder on a larger disk."
        )
