"""Imports that every task needs, made once in the scheduler, before it forks tasks: they share them.

A task that imports pandas, scikit-learn and Great Expectations itself takes 2.2 s before its first line; forked from
a scheduler that has them, 0.5 s. Airflow imports this module in each of its processes: it costs the others nothing.
"""

import contextlib
import gc
import importlib
import logging
import os
import sys
import time
import warnings

# What tasks of every stage import. A missing one is a task's problem, not the scheduler's.
HEAVY = (
    "numpy",
    "pandas",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "duckdb",
    "ibis.backends.duckdb",
    "sqlalchemy.dialects.postgresql.psycopg",
    "alembic.command",
    "pyiceberg.catalog.sql",
    "pyiceberg.io.pyarrow",
    "narwhals",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.feature_extraction.text",
    "sklearn.calibration",
    "sklearn.compose",
    "skops.io",
    "great_expectations",
)


def is_scheduler(arguments: list[str]) -> bool:
    """Say whether this process is the scheduler, which forks LocalExecutor's tasks (macOS cannot fork them safely)."""
    return "scheduler" in arguments[1:3] and hasattr(os, "fork") and sys.platform != "darwin"


def import_heavy_libraries() -> None:
    """Import what tasks need; then tell the collector to leave these objects alone, so that forks keep sharing them."""
    started = time.monotonic()
    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # hundreds of INFO lines otherwise
    with warnings.catch_warnings():
        # skops looks at every attribute of every loaded module, which makes Airflow's old names complain by hundreds.
        warnings.simplefilter("ignore")
        for name in HEAVY:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    gc.collect()
    gc.freeze()
    logging.getLogger(__name__).info("Imported what tasks share in %.1f s", time.monotonic() - started)


if is_scheduler(sys.argv):
    import_heavy_libraries()
