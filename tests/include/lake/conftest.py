import gzip
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer

import pytest
import yaml

PROBLEM = {
    "name": "flights",
    "title": "t",
    "why": "w",
    "owner": "o",
    "escalation": "e",
    "source": {
        "landing": "flights",
        "format": "jsonl",
        "grain": "month",
        "key": ["flight_id"],
        "event_time": "at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {
            "flight_id": {"type": "string"},
            "at": {"type": "timestamp"},
            "delay": {"type": "number"},
            "gate": {"type": "integer"},
            "is_cancelled": {"type": "boolean"},
        },
    },
}


class Landing:
    """A problem of its own, and a landing folder to drop logs into."""

    def __init__(self, house, problems_dir):
        self.house, self.problems_dir = house, problems_dir
        self.folder = house.home / "landing"

    def write_problem(self, **source):
        problem = PROBLEM | {"source": PROBLEM["source"] | source}
        (self.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))

    def drop(self, name, *records):
        """Drop records (dicts, or lines as they are) as one object; gzip when the name says so."""
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        content = "".join(line + "\n" for line in lines).encode()
        path = self.folder / "flights" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return f"flights/{name}"


@pytest.fixture
def landing(house, tmp_path, monkeypatch):
    problems_dir = tmp_path / "problems"
    problems_dir.mkdir()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(problems_dir))
    landing = Landing(house, problems_dir)
    landing.write_problem()
    return landing


def make_flight(flight_id="a", at="2013-01-05T10:00:00Z", **more):
    return {"flight_id": flight_id, "at": at, "delay": 5.0, "gate": 3, "is_cancelled": False} | more


@pytest.fixture
def flight():
    return make_flight


@dataclass(frozen=True)
class Cluster:
    """A Spark cluster that runs on loopback.

    Attributes:
        url: what MULGIL_SPARK_MASTER is to be.
        worker_folders: one for each worker; it holds what its executors said.
    """

    url: str
    worker_folders: list[Path]


@contextmanager
def spark_daemon(kind: str, *arguments: str, until: str) -> Iterator[None]:
    """Run one server of Spark from the classes that PySpark brings, from when it says that it is ready."""
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = os.environ | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", *arguments]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    too_late = Timer(90, server.kill)
    too_late.start()
    said = []
    for line in server.stdout:
        said.append(line)
        if until in line:
            break
    too_late.cancel()
    # Nobody reads on, but a full pipe would stop the server.
    listening = Thread(target=server.stdout.read, daemon=True)
    listening.start()
    try:
        assert until in "".join(said[-1:]), f"{kind} did not start: {''.join(said)[-2_000:]}"
        yield
    finally:
        server.terminate()
        server.wait()
        listening.join()
        server.stdout.close()


@pytest.fixture
def spark_cluster(tmp_path: Path, require_java: None) -> Iterator[Cluster]:
    """Run one master and two workers on loopback, and end them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = Cluster(f"spark://127.0.0.1:{port}", [tmp_path / "worker-1", tmp_path / "worker-2"])
    with ExitStack() as servers:
        options = ["--port", str(port), "--webui-port", "0"]
        servers.enter_context(spark_daemon("master.Master", *options, until="I have been elected leader"))
        for folder in cluster.worker_folders:
            options = ["--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir", str(folder), cluster.url]
            servers.enter_context(spark_daemon("worker.Worker", *options, until="Successfully registered with master"))
        yield cluster
