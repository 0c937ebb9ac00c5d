"""Opens the engine of this process."""

import os
from functools import lru_cache
from typing import Any

from include.engine.ibis_gaps import DuckDBBackend, mend_drop, stand_in_for_hotfix
from include.errors import BadSettings
from include.settings import read_settings


def open_engine() -> Any:
    """Open the engine, once per process.

    Returns:
        an Ibis backend that keeps time in UTC, uses no more threads than this process may, and never fetches anything.

    Raises:
        BadSettings: the settings name an engine that this version does not have.
    """
    settings = read_settings()
    if settings.engine != "duckdb":
        raise BadSettings(f"MULGIL_ENGINE is {settings.engine!r}; this version runs on 'duckdb' only.")
    return _engine_of(os.getpid(), str(settings.home / "spill"), settings.engine_memory_mb)


# By process id: a forked task must not share its parent's engine, whose threads did not survive the fork.
@lru_cache(maxsize=2)
def _engine_of(_process: int, spill: str, memory_mb: int) -> Any:
    """Start DuckDB in memory; what does not fit is spilled below the home folder, not into the working folder."""
    stand_in_for_hotfix()
    mend_drop()
    engine = DuckDBBackend().connect(
        threads=_usable_cores(),
        temp_directory=spill,
        memory_limit=f"{memory_mb}MiB",
        autoinstall_known_extensions=False,
        autoload_known_extensions=False,
    )
    # Zoned times are shown and truncated in the session's zone, which would otherwise be the machine's.
    engine.raw_sql("SET TimeZone = 'UTC'")
    return engine


def _usable_cores() -> int:
    """Count the cores that this process may use, which in a container is fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        return os.cpu_count() or 1
