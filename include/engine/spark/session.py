"""Starts Spark for this process: the engine when a machine is outgrown, chosen by MULGIL_ENGINE=spark."""

import os
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

from include.engine.ibis_patches import stand_in_for_hotfix
from include.errors import BadSettings
from include.settings import REPOSITORY, Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from include.engine.spark.backend import SparkBackend

# Less than this and Spark's driver refuses to start.
LEAST_MEMORY_MB = 512


def connect(settings: Settings) -> "SparkBackend":
    """Start Spark, or join its cluster.

    Returns:
        an Ibis backend, `spark_backend.SparkBackend`.

    Raises:
        BadSettings: PySpark or Java is missing, or the cluster does not answer.
    """
    stand_in_for_hotfix()
    try:
        from pyspark.errors import PySparkException

        from include.engine.spark.backend import SparkBackend
    except ImportError as error:
        raise BadSettings(
            f"MULGIL_ENGINE is 'spark', and PySpark is not installed ({error}). "
            "Install requirements-spark.txt, or set MULGIL_ENGINE to duckdb."
        ) from error
    _watch_forks()
    try:
        session = _start(settings)
    except (PySparkException, OSError) as error:
        raise BadSettings(
            f"Spark does not start at MULGIL_SPARK_MASTER={settings.spark_master!r}: {error}. It needs a Java runtime, "
            "17 or newer, and for a cluster's URL a cluster that runs the same Spark; is there one?"
        ) from error
    backend = SparkBackend()
    backend.do_connect(session)
    return backend


def _start(settings: Settings) -> "SparkSession":
    """Start the session."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("mulgil").master(settings.spark_master)
    for name, value in options(settings).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    # The workers' Python is this one, not whatever `python3` is first on their path: versions must be the same.
    session.sparkContext.pythonExec = sys.executable
    return session


def options(settings: Settings) -> dict[str, str]:
    """Say how Spark is to run, so that it gives the rows that DuckDB gives."""
    return {
        "spark.sql.session.timeZone": "UTC",
        # An overflow or a division by zero is an error, as in a checked language; without this it is a null, and rows
        # would be typed, counted or labelled otherwise than on DuckDB without a word.
        "spark.sql.ansi.enabled": "true",
        # Iceberg knows no INT96, which is what Spark writes times as unless it is told.
        "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
        # Adaptive execution joins what turns out to be small, and small partitions are the rule.
        "spark.sql.shuffle.partitions": "16",
        "spark.driver.host": settings.spark_driver_host,
        "spark.driver.bindAddress": settings.spark_driver_host,
        "spark.driver.memory": f"{max(settings.engine_memory_mb, LEAST_MEMORY_MB)}m",
        "spark.local.dir": str(settings.home / "spill"),
        "spark.sql.warehouse.dir": str(settings.home / "spill" / "spark-warehouse"),
        # Workers import this project from the same place: the same image, or the same checkout.
        "spark.executorEnv.PYTHONPATH": str(REPOSITORY),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
    }


def forget_parent() -> None:
    """Let a forked process start a Spark of its own: the parent's sockets to Java are not ours to speak on."""
    from pyspark.core.context import SparkContext
    from pyspark.sql import SparkSession

    gateway = SparkContext._gateway
    if gateway is not None:
        # What is thrown away here would tell Java so, in the middle of what the parent says.
        gateway._gateway_client.is_connected = False
        gateway._gateway_client.deque.clear()
    SparkContext._active_spark_context = SparkContext._gateway = SparkContext._jvm = None
    SparkSession._instantiatedSession = None


@lru_cache(maxsize=1)
def _watch_forks() -> None:
    """Register the above, once."""
    os.register_at_fork(after_in_child=forget_parent)
