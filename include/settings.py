"""What differs from machine to machine, read from the environment.

In `include`, `dags` and `plugins` nothing else reads the environment, and nothing writes it; libraries read their own
names there (AWS_*, OMP_*). `scripts` read what only they need: ports, folders of tests, the installer's settings.
Secrets come from here or from Airflow connections, which `dags/stage.py` asks: this side of the house does not know
Airflow.
"""

import contextlib
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from include.errors import BadSettings

REPOSITORY = Path(__file__).resolve().parent.parent
# What a task or a page is told by; a component that was started with others must be started again.
NAMES = frozenset(
    f"MULGIL_{name}"
    for name in (
        *("HOME", "WAREHOUSE_URL", "LANDING_URL", "LAKE_URL", "MODELS_URL", "PROBLEMS_DIR", "S3_ENDPOINT"),
        *("ENGINE", "ENGINE_MEMORY_MB", "SPARK_MASTER", "SPARK_DRIVER_HOST"),
        *("PII_KEY", "PII_OLDER_KEYS", "DEMO_REVIEWER", "PAGE_ORIGINS", "SIGNING_KEY", "VERIFY_KEY"),
    )
)
DEADLINE_VARIABLE = "MULGIL_DEADLINE_MINUTES"
DEADLINE_MINUTES = 15.0


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
        page_origins: addresses, beside Airflow's own `[api] base_url`, whose pages may write.
        signing_key: secret that published allocations are signed with; empty publishes none.
        verify_key: public half of it, for a decision service that is not to know the secret.
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
    page_origins: tuple[str, ...] = ()
    signing_key: str = ""
    verify_key: str = ""

    @property
    def pii_keys(self) -> tuple[str, ...]:
        """Every key that identifiers may have been hashed with, the newest first."""
        return (self.pii_key, *self.pii_older_keys)


@dataclass(frozen=True)
class PiiKeys:
    """Keys of identifiers that another place than the environment keeps.

    Attributes:
        newest: secret that identifiers are hashed with; empty leaves it to the environment.
        older: secrets that came before it, the newest first.
    """

    newest: str
    older: tuple[str, ...]


_NO_KEYS = PiiKeys("", ())
# One task is one process: what it borrows is for all of its threads, and for nobody whom it starts.
_lent: list[PiiKeys] = []


@contextlib.contextmanager
def lent_pii_keys(newest: str, older: object) -> Iterator[None]:
    """Let `read_settings` give keys of another place while the work inside runs, in this process alone.

    The environment goes first: what it names stays the newest key, and the keys of both places are recognised.

    Args:
        newest: secret that identifiers are hashed with.
        older: list of secrets that came before it.

    Raises:
        BadSettings: `older` is something else; the message shows no secret.
    """
    is_usable = isinstance(older, list) and all(isinstance(key, str) and key and "," not in key for key in older)
    if not (isinstance(older, list) and is_usable):
        raise BadSettings(
            "The older keys of identifiers (`older_keys` in the connection's extra) must be a list of secrets, each a "
            'text that is not empty and has no comma: {"older_keys": ["...", "..."]}. With others, what the older keys '
            "hashed would not be recognised when somebody is erased."
        )
    _lent.append(PiiKeys(newest, tuple(older)))
    try:
        yield
    finally:
        _lent.pop()


def _read_text(env: Mapping[str, str], name: str, default: str) -> str:
    """Return a setting without the blanks around it; the default where nothing is left."""
    return env.get(name, "").strip() or default


def read_number(
    env: Mapping[str, str], name: str, default: float, *, least: float, most: float, is_whole: bool = True
) -> float:
    """Read a number from the environment; what is not set, or blank, is the default.

    Args:
        env: names to values.
        name: of the setting.
        default: in its unit.
        least: smallest that is allowed.
        most: largest that is allowed.
        is_whole: whether fractions are refused.

    Raises:
        BadSettings: it is no number (`nan` is none), or outside of what is allowed.
    """
    text = _read_text(env, name, "")
    if not text:
        return default
    try:
        value = float(int(text) if is_whole else float(text))
    except (ValueError, OverflowError):
        value = math.nan
    if not text.isascii() or "_" in text or not least <= value <= most:  # nan is between no two numbers
        kind = "a whole number" if is_whole else "a number"
        raise BadSettings(
            f"{name} is {text!r}; {kind} from {least:.10g} to {most:.10g} is needed. Correct it, or unset it: then it "
            f"is {default:.10g}."
        )
    return value


def read_deadline_minutes(environment: Mapping[str, str] | None = None) -> float:
    """Read for how many minutes `make run` waits while nothing comes further.

    Raises:
        BadSettings: see `read_number`.
    """
    env = os.environ if environment is None else environment
    # A week, because what never ends is a setting that nobody obeys.
    return read_number(env, DEADLINE_VARIABLE, DEADLINE_MINUTES, least=0.1, most=10_080, is_whole=False)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        environment: names to values; the process's own when None.

    Raises:
        BadSettings: `MULGIL_ENGINE` is neither duckdb nor spark, or `MULGIL_ENGINE_MEMORY_MB` is no whole number
            of the range that is allowed.
    """
    env = os.environ if environment is None else environment
    lent = _lent[-1] if _lent and environment is None else _NO_KEYS
    # Relative to the repository, so that every process of one clone agrees whatever its working folder is.
    home = Path(_read_text(env, "MULGIL_HOME", str(REPOSITORY / ".mulgil")))
    engine = _read_text(env, "MULGIL_ENGINE", "duckdb")
    if engine not in {"duckdb", "spark"}:
        raise BadSettings(f"MULGIL_ENGINE is {engine!r}; allowed are 'duckdb' and 'spark'.")
    # Empty is refused by the masking step, not here: a DAG processor needs no key. Blanks alone would be a key that
    # anybody guesses.
    own_key = written if (written := env.get("MULGIL_PII_KEY", "")).strip() else ""
    # Separated by commas. Nothing is hashed with them any more; without them, what they hashed could not be erased.
    own_older = [key for key in env.get("MULGIL_PII_OLDER_KEYS", "").split(",") if key.strip()]
    lent_keys = [lent.newest, *lent.older] if own_key else lent.older
    older = dict.fromkeys(key for key in [*lent_keys, *own_older] if key and key != (own_key or lent.newest))
    return Settings(
        home=home,
        # No default that could reach a foreign server: an empty URL fails at the first connection, with a sentence.
        warehouse_url=_read_text(env, "MULGIL_WAREHOUSE_URL", ""),
        landing_url=_read_text(env, "MULGIL_LANDING_URL", str(home / "landing")),
        lake_url=_read_text(env, "MULGIL_LAKE_URL", str(home / "lake")),
        models_url=_read_text(env, "MULGIL_MODELS_URL", str(home / "models")),
        # Tests and teams that keep their problems in another repository point this elsewhere.
        problems_dir=Path(_read_text(env, "MULGIL_PROBLEMS_DIR", str(REPOSITORY / "include" / "problems"))),
        engine=engine,
        # Several tasks share a machine. More than the default makes nothing faster: what is large is streamed.
        engine_memory_mb=int(read_number(env, "MULGIL_ENGINE_MEMORY_MB", 768, least=128, most=4_194_304)),
        spark_master=_read_text(env, "MULGIL_SPARK_MASTER", "local[*]"),
        # Spark listens at this address; at no other than the machine's own unless somebody says so.
        spark_driver_host=_read_text(env, "MULGIL_SPARK_DRIVER_HOST", "127.0.0.1"),
        pii_key=own_key or lent.newest,
        pii_older_keys=tuple(older),
        s3_endpoint=_read_text(env, "MULGIL_S3_ENDPOINT", "") or None,
        # Recorded truth may only pose as a reviewer where someone asked for it.
        is_demo_reviewer_on=_read_text(env, "MULGIL_DEMO_REVIEWER", "") == "1",
        # Separated by commas. A server that people reach under several names (a proxy, an alias) lists them here.
        page_origins=tuple(filter(None, map(str.strip, env.get("MULGIL_PAGE_ORIGINS", "").split(",")))),
        # Empty is no error here: a deployment that serves nothing live needs none.
        signing_key=_read_text(env, "MULGIL_SIGNING_KEY", ""),
        verify_key=_read_text(env, "MULGIL_VERIFY_KEY", ""),
    )
