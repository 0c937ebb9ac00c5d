"""What differs from machine to machine, read from the environment once.

Nothing else in the project reads `os.environ`. Secrets come only from here or from Airflow connections, which
`dags/stage.py` asks: this side of the house does not know Airflow.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import BadSettings

REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Settings:
    """Where things are, and the few choices that a deployment makes.

    Attributes:
        home: folder of everything the embedded stack writes.
        warehouse_url: SQLAlchemy URL of the PostgreSQL that holds `core`, `bi` and the lake's catalog.
        landing_url: folder or `s3://bucket/prefix` that raw log objects arrive in.
        lake_url: folder or `s3://bucket/prefix` of the Iceberg tables' files.
        models_url: folder of stored models.
        problems_dir: folder of the problem files.
        engine: `duckdb` or `spark`.
        engine_memory_mb: what the embedded engine may hold in memory, in MiB; beyond, it spills to disk. For Spark, the
            memory of the driver.
        spark_master: URL of the Spark cluster; `local[*]` runs it inside of this machine.
        spark_driver_host: address at which a cluster's workers reach this machine.
        pii_key: secret of the keyed hash for identifiers.
        pii_older_keys: secrets that came before it; what they hashed is still recognised when somebody is erased.
        s3_endpoint: URL of an S3-compatible store, or None for the cloud's own.
        is_demo_reviewer_on: whether recorded truth may answer review batches.
    """

    home: Path
    warehouse_url: str
    landing_url: str
    lake_url: str
    models_url: str
    problems_dir: Path
    engine: str
    engine_memory_mb: int
    spark_master: str
    spark_driver_host: str
    pii_key: str
    pii_older_keys: tuple[str, ...]
    s3_endpoint: str | None
    is_demo_reviewer_on: bool

    @property
    def pii_keys(self) -> tuple[str, ...]:
        """Every key that identifiers may have been hashed with, the newest first."""
        return (self.pii_key, *self.pii_older_keys)


def lend_pii_keys(newest: str, older: Any) -> None:
    """Give this process, and those that it starts, the keys of identifiers that another place keeps.

    Args:
        newest: secret that identifiers are hashed with.
        older: list of secrets that came before it; those that the environment names stay, behind them.

    Raises:
        BadSettings: `older` is something else; the message shows no secret.
    """
    is_usable = isinstance(older, list) and all(isinstance(key, str) and key and "," not in key for key in older)
    if not is_usable:
        raise BadSettings(
            "The older keys of identifiers (`older_keys` in the connection's extra) must be a list of secrets, each a "
            'text that is not empty and has no comma: {"older_keys": ["...", "..."]}. With others, what the older keys '
            "hashed would not be recognised when somebody is erased."
        )
    os.environ["MULGIL_PII_KEY"] = newest
    os.environ["MULGIL_PII_OLDER_KEYS"] = ",".join(dict.fromkeys([*older, *read_settings().pii_older_keys]))


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        environment: names to values; the process's own when None.

    Raises:
        BadSettings: `MULGIL_ENGINE` is neither duckdb nor spark, or `MULGIL_ENGINE_MEMORY_MB` is no whole number
            from 128 on.
    """
    env = os.environ if environment is None else environment
    # Relative to the repository, so that every process of one clone agrees whatever its working folder is.
    home = Path(env.get("MULGIL_HOME") or REPOSITORY / ".mulgil")
    engine = env.get("MULGIL_ENGINE") or "duckdb"
    if engine not in {"duckdb", "spark"}:
        raise BadSettings(f"MULGIL_ENGINE is {engine!r}; allowed are 'duckdb' and 'spark'.")
    # Several tasks share a machine. More than this makes nothing faster: what is large is streamed.
    engine_memory_mb = env.get("MULGIL_ENGINE_MEMORY_MB") or "768"
    if not engine_memory_mb.isdecimal() or int(engine_memory_mb) < 128:
        raise BadSettings(f"MULGIL_ENGINE_MEMORY_MB is {engine_memory_mb!r}; a whole number from 128 on is needed.")
    return Settings(
        home=home,
        # No default that could reach a foreign server: an empty URL fails at the first connection, with a sentence.
        warehouse_url=env.get("MULGIL_WAREHOUSE_URL", ""),
        landing_url=env.get("MULGIL_LANDING_URL") or str(home / "landing"),
        lake_url=env.get("MULGIL_LAKE_URL") or str(home / "lake"),
        models_url=env.get("MULGIL_MODELS_URL") or str(home / "models"),
        # Tests and teams that keep their problems in another repository point this elsewhere.
        problems_dir=Path(env.get("MULGIL_PROBLEMS_DIR") or REPOSITORY / "include" / "problems"),
        engine=engine,
        engine_memory_mb=int(engine_memory_mb),
        spark_master=env.get("MULGIL_SPARK_MASTER") or "local[*]",
        # Spark listens at this address; at no other than the machine's own unless somebody says so.
        spark_driver_host=env.get("MULGIL_SPARK_DRIVER_HOST") or "127.0.0.1",
        # Empty is refused by the masking step, not here: a DAG processor needs no key.
        pii_key=env.get("MULGIL_PII_KEY", ""),
        # Apart by commas. Nothing is hashed with them any more; without them, what they hashed could not be erased.
        pii_older_keys=tuple(filter(None, env.get("MULGIL_PII_OLDER_KEYS", "").split(","))),
        s3_endpoint=env.get("MULGIL_S3_ENDPOINT") or None,
        # Recorded truth may only pose as a reviewer where someone asked for it.
        is_demo_reviewer_on=env.get("MULGIL_DEMO_REVIEWER", "") == "1",
    )
