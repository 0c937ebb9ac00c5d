"""Airflow's environment and its four components.

Not `airflow standalone`: it forces another login and opens log servers on all interfaces. Everything here is said by
environment variables, so that `airflow.cfg` never disagrees with the repository.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.errors import BadSettings
from include.settings import read_number
from scripts.stack.home import REPO, Home
from scripts.stack.keys import Keys
from scripts.stack.ports import HOST

DEFAULT_PORT = 8080
PORT_VARIABLE = "MULGIL_AIRFLOW_PORT"
TELEMETRY_VARIABLE = "MULGIL_OTEL"

# The order is the order of starting: the others call the api-server. Log servers are off: everything is on this disk.
COMPONENTS: dict[str, tuple[str, ...]] = {
    "api-server": ("api-server",),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}


@dataclass(frozen=True)
class Addresses:
    """Where the servers of one home listen, as SQLAlchemy and web URLs."""

    airflow_port: int
    metadata_url: str
    warehouse_url: str
    bi_url: str

    @property
    def airflow_url(self) -> str:
        """Return the address of Airflow's pages and REST API."""
        return f"http://{HOST}:{self.airflow_port}"


def inherited_environment(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the caller's environment without what would steer Airflow or Python from outside the repository."""
    env = dict(os.environ if environment is None else environment)
    for name in list(env):
        if name.startswith(("AIRFLOW", "_AIRFLOW", "PG", "MAKE", "MFLAGS", "PYTHON")):
            # PYTHONDONTWRITEBYTECODE among them: with it every start of Airflow takes twice as long.
            del env[name]
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["PYTHONUNBUFFERED"] = "1"  # the last words of a server that dies must reach its log
    return env


def _folders(home: Home) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home.airflow),
        # An override exists for tests of the stack itself, which bring DAGs of their own.
        "AIRFLOW__CORE__DAGS_FOLDER": os.environ.get("MULGIL_DAGS_FOLDER") or str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        # `include` and `scripts` for DAGs and plugins; `config` for airflow_local_settings.
        "PYTHONPATH": f"{REPO}{os.pathsep}{REPO / 'config'}",
        # Beside the servers' own logs, so that one folder answers "what happened".
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "tasks"),
    }


def _security(keys: Keys) -> dict[str, str]:
    return {
        # Users and roles in the metadata database, hashed; the simple manager keeps plain passwords in a file.
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        # Generated once per home: components that generate their own reject each other's tokens.
        "AIRFLOW__CORE__FERNET_KEY": keys.fernet_key,
        "AIRFLOW__API__SECRET_KEY": keys.api_secret,
        "AIRFLOW__API_AUTH__JWT_SECRET": keys.jwt_secret,
        "AIRFLOW__API_AUTH__JWT_ISSUER": "mulgil",
        # Stack traces and configuration hold paths and keys; the logs have them for those who may look.
        "AIRFLOW__API__EXPOSE_CONFIG": "False",
        "AIRFLOW__API__EXPOSE_STACKTRACE": "False",
    }


def _servers(addresses: Addresses) -> dict[str, str]:
    return {
        # PostgreSQL, because SQLite answers half of concurrent API calls with "database is locked".
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": addresses.metadata_url,
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(addresses.airflow_port),
        "AIRFLOW__API__BASE_URL": addresses.airflow_url,
        # Tasks report here; the default says 8080 whatever the port is.
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{addresses.airflow_url}/execution/",
        # One worker serves one person and six tasks; each more costs 250 MB.
        "AIRFLOW__API__WORKERS": "1",
        # The pages poll; one line per poll would bury what matters.
        "AIRFLOW__LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
    }


def _pace() -> dict[str, str]:
    return {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # Three per core of a small machine: tasks wait for the API and the database a third of their time.
        "AIRFLOW__CORE__PARALLELISM": f"{read_number(os.environ, 'MULGIL_PARALLELISM', 6, least=1, most=256):.0f}",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG": "6",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # An asset event that arrives while its consumer is paused is lost, so `make run` unpauses from the far end.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        # Default 1 s: each step of a chain would wait for the scheduler's nap.
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.25",
        # Default 5 s: a finished task may hold its slot until its next heartbeat.
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        # The first call to a fresh server takes 3 to 5 s, and the default gives up at 5.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
        # New and changed files are seen within seconds; unchanged ones cost parsing only twice a minute.
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "2",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "30",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "2",
        # The local folder has no versions to keep.
        "AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING": "True",
        # A component that was killed is noticed in time to be named by `make run`.
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "30",
    }


def _project(home: Home, keys: Keys, addresses: Addresses) -> dict[str, str]:
    return {
        "MULGIL_HOME": str(home.root),
        "MULGIL_WAREHOUSE_URL": addresses.warehouse_url,
        "MULGIL_LANDING_URL": str(home.landing),
        "MULGIL_LAKE_URL": str(home.lake),
        "MULGIL_MODELS_URL": str(home.models),
        "MULGIL_PII_KEY": keys.pii_key,
        "MULGIL_SIGNING_KEY": keys.signing_key,
        # Six tasks at once on two cores: numerical libraries that each take every core only get in each other's way.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Great Expectations asks before it counts its users; the answer is no.
        "GX_ANALYTICS_ENABLED": "False",
    }


def _telemetry(environment: Mapping[str, str]) -> dict[str, str]:
    """Say whether Airflow sends metrics and traces, and where to, in OpenTelemetry's own names."""
    wanted = environment.get(TELEMETRY_VARIABLE, "0")
    if wanted not in {"0", "1"}:
        raise BadSettings(f"{TELEMETRY_VARIABLE} is {wanted!r}; 1 sends metrics and traces, 0 sends nothing")
    if wanted == "0":
        return {}
    defaults = {
        "OTEL_SERVICE_NAME": "mulgil",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{HOST}:4318",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
    }
    said = {name: environment.get(name) or default for name, default in defaults.items()}
    # Airflow takes traces' exporter by this name alone, and speaks gRPC whatever the protocol says without it.
    exporter = "otlp" if said["OTEL_EXPORTER_OTLP_PROTOCOL"] == "grpc" else "otlp_proto_http"
    said["OTEL_TRACES_EXPORTER"] = environment.get("OTEL_TRACES_EXPORTER") or exporter
    return said | {"AIRFLOW__METRICS__OTEL_ON": "True", "AIRFLOW__TRACES__OTEL_ON": "True"}


def airflow_environment(
    home: Home, keys: Keys, addresses: Addresses, *, is_demo_reviewer_on: bool = False
) -> dict[str, str]:
    """Return the whole environment of Airflow's components, each setting with its reason beside it.

    Args:
        home: folders of this stack.
        keys: its secrets.
        addresses: its servers.
        is_demo_reviewer_on: whether recorded truth may answer review batches; only `make run` says so.

    Raises:
        BadSettings: a number of slots, or MULGIL_OTEL, is none.
    """
    env = inherited_environment()
    for part in (_folders(home), _security(keys), _servers(addresses), _pace(), _project(home, keys, addresses)):
        env.update(part)
    env.update(_telemetry(env))
    if is_demo_reviewer_on:
        env["MULGIL_DEMO_REVIEWER"] = "1"
    return env


def component_command(name: str) -> list[str]:
    """Return how a component is started: by this very Python, whatever PATH says."""
    return [sys.executable, "-m", "airflow", *COMPONENTS[name]]
