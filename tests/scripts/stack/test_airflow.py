"""The environment of Airflow's components, and which change of it restarts one."""

import gzip
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from include.errors import BadSettings
from include.settings import read_settings
from scripts.stack import airflow, components, home, keys
from scripts.stack.airflow import Addresses
from scripts.stack.home import Home
from tests.airflow_database import metadata_template, metadata_url

__all__ = ["metadata_template", "metadata_url"]
ADDRESSES = Addresses(
    8081,
    "postgresql+psycopg2://airflow@127.0.0.1/airflow",
    "postgresql+psycopg://mulgil@127.0.0.1/m",
    "postgresql+psycopg://bi_reader@127.0.0.1/m",
)


@pytest.fixture
def stack_home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    home.make_folders(found)
    return found


def test_the_project_reads_back_what_the_stack_sets(stack_home: Home):
    made = keys.Keys()
    settings = read_settings(airflow.airflow_environment(stack_home, made, ADDRESSES, is_demo_reviewer_on=True))
    assert settings.home == stack_home.root
    assert settings.warehouse_url == ADDRESSES.warehouse_url
    assert (settings.landing_url, settings.lake_url) == (str(stack_home.landing), str(stack_home.lake))
    assert settings.models_url == str(stack_home.models)
    assert settings.pii_key == made.pii_key
    assert settings.is_demo_reviewer_on


def test_the_demo_reviewer_is_off_unless_asked_for(stack_home: Home):
    assert "MULGIL_DEMO_REVIEWER" not in airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)


def test_nothing_of_the_caller_steers_airflow_or_slows_python():
    env = airflow.inherited_environment(
        {"AIRFLOW__CORE__EXECUTOR": "X", "PYTHONDONTWRITEBYTECODE": "1", "PGHOST": "elsewhere", "HOME": "/h"}
    )
    assert not {"AIRFLOW__CORE__EXECUTOR", "PYTHONDONTWRITEBYTECODE", "PGHOST"} & env.keys()
    assert env["HOME"] == "/h"


def test_tasks_report_to_the_port_that_was_taken(stack_home: Home):
    env = airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)
    assert env["AIRFLOW__API__PORT"] == "8081"
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:8081/")


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "2.5", "1e3"])
def test_a_number_of_slots_that_is_none_is_refused_before_airflow_starts(
    stack_home: Home, text: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MULGIL_PARALLELISM", text)
    with pytest.raises(BadSettings, match=f"MULGIL_PARALLELISM is '{text}'; a whole number from 1"):
        airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("MULGIL_DEADLINE_MINUTES", False),
        ("MULGIL_AIRFLOW_PORT", False),
        ("MULGIL_VENV", False),
        ("MULGIL_TEST_ANYTHING", False),
        ("TERM", False),
        ("MULGIL_ENGINE_MEMORY_MB", True),
        ("MULGIL_PROBLEMS_DIR", True),
        ("MULGIL_PARALLELISM", True),
        ("AWS_ACCESS_KEY_ID", True),
        ("JAVA_HOME", True),
    ],
)
def test_only_what_a_component_reads_restarts_it(
    stack_home: Home, name: str, is_read: bool, monkeypatch: pytest.MonkeyPatch
):
    made = keys.Keys()
    monkeypatch.delenv(name, raising=False)
    before = airflow.airflow_environment(stack_home, made, ADDRESSES)
    monkeypatch.setenv(name, "200")
    after = airflow.airflow_environment(stack_home, made, ADDRESSES)
    is_same = components.fingerprint("scheduler", before) == components.fingerprint("scheduler", after)
    assert is_same is not is_read


@pytest.mark.parametrize("text", [None, "0"])
def test_nothing_is_sent_to_a_collector_unless_asked_for(stack_home: Home, text, monkeypatch: pytest.MonkeyPatch):
    if text is not None:
        monkeypatch.setenv("MULGIL_OTEL", text)
    env = airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)
    assert not [name for name in env if "OTEL_ON" in name]


def test_a_wish_for_telemetry_that_is_neither_yes_nor_no_is_refused(stack_home: Home, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MULGIL_OTEL", "http://collector:4318")
    with pytest.raises(BadSettings, match="MULGIL_OTEL is 'http://collector:4318'; 1 sends"):
        airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)


@pytest.mark.parametrize(("protocol", "exporter"), [("", "otlp_proto_http"), ("grpc", "otlp")])
def test_traces_speak_the_protocol_that_metrics_speak(stack_home: Home, protocol, exporter, monkeypatch):
    monkeypatch.setenv("MULGIL_OTEL", "1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    env = airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)
    assert env["OTEL_TRACES_EXPORTER"] == exporter
    assert env["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:4318"


class Collector(BaseHTTPRequestHandler):
    """Takes what is sent, and keeps path and content."""

    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        self.taken.append((self.path, gzip.decompress(content) if is_packed else content))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing of each."""


@pytest.mark.slow
def test_airflows_own_scheduler_tells_a_collector_how_it_does(
    stack_home: Home, metadata_url: str, monkeypatch: pytest.MonkeyPatch
):
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("MULGIL_OTEL", "1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("MULGIL_DAGS_FOLDER", str(stack_home.root))
        addresses = Addresses(8081, metadata_url.replace("+psycopg", "+psycopg2"), *[metadata_url] * 2)
        env = airflow.airflow_environment(stack_home, keys.Keys(), addresses)
        command = [*airflow.component_command("scheduler"), "--num-runs", "1"]
        run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        server.shutdown()
    assert run.returncode == 0, run.stderr[-3000:]
    metrics = b"".join(content for path, content in Collector.taken if path == "/v1/metrics")
    assert b"mulgil" in metrics
    assert b"airflow.scheduler" in metrics
