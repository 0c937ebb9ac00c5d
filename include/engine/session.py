"""Opens the engine of this process."""

import os
from functools import lru_cache

import ibis

from include.engine.ibis_patches import DuckDBBackend, mend_drop, stand_in_for_hotfix
from include.settings import Settings, read_settings

_SPARK: dict[int, ibis.BaseBackend] = {}  # by process id, for the reason given below


def open_engine() -> ibis.BaseBackend:
    """Open the engine, once per process.

    Returns:
        an Ibis backend that keeps time in UTC and never fetches anything: DuckDB inside of this process, with no more
        threads than it may use, or Spark.

    Raises:
        BadSettings: the settings name Spark, and it cannot be started.
    """
    settings = read_settings()
    if settings.engine == "spark":
        return _spark_of(os.getpid(), settings)
    return _engine_of(os.getpid(), str(settings.home / "spill"), settings.engine_memory_mb)


def is_spark(engine: ibis.BaseBackend) -> bool:
    """Say whether an engine is Spark, where rows lie on other machines and code travels to them."""
    return bool(engine.name == "pyspark")


def _spark_of(process: int, settings: Settings) -> ibis.BaseBackend:
    """Start Spark, or give the one that this process has: there is one, whatever else the settings say by now."""
    from include.engine.spark.session import connect

    if process not in _SPARK:
        _SPARK[process] = connect(settings)
    return _SPARK[process]


# By process id: a forked task must not share its parent's engine, whose threads did not survive the fork.
@lru_cache(maxsize=2)
def _engine_of(_process: int, spill: str, memory_mb: int) -> ibis.BaseBackend:
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
