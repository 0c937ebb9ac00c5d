"""A Spark cluster of one master and two workers on loopback, from the classes that PySpark brings: no container."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer
from typing import Any

from include.settings import REPOSITORY

START_LIMIT_S, STOP_LIMIT_S = 90, 20
# Two workers of this size fit beside everything else that a test machine runs.
WORKER = ("--cores", "1", "--memory", "1g", "--webui-port", "0")
# A java of a test lives for a minute or two: its optimising compiler would spend more than it ever saves.
SHORT_LIVED = {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


@dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        url: what MULGIL_SPARK_MASTER is to be.
        worker_folders: one for each worker; it holds what its executors said.
    """

    url: str
    worker_folders: list[Path]

    def call(self, function: str, *arguments: str) -> Any:
        """Call a function as an Airflow task would, in a process of its own whose engine is this cluster.

        A process of its own, for Spark keeps to the master that a process first knew.

        Args:
            function: `package.module:name`; takes texts, gives what JSON can hold.
        """
        module, name = function.split(":")
        program = f"import json, sys; from {module} import {name}; print(json.dumps({name}(*sys.argv[1:])))"
        environment = os.environ | SHORT_LIVED | {"MULGIL_ENGINE": "spark", "MULGIL_SPARK_MASTER": self.url}
        command = [sys.executable, "-c", program, *arguments]
        run = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-3_000:]
        return json.loads(run.stdout.splitlines()[-1])

    def n_executors(self) -> list[int]:
        """Count the executors that each worker has had; all of an application are there before its first task ends."""
        return [len(list(folder.glob("app-*/*/stderr"))) for folder in self.worker_folders]


@contextmanager
def run_cluster(folder: Path) -> Iterator[Cluster]:
    """Run one master and two workers, from when they can be used until the end, whatever happens in between."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = Cluster(f"spark://127.0.0.1:{port}", [folder / "worker-1", folder / "worker-2"])
    with ExitStack() as servers:
        options = ["--port", str(port), "--webui-port", "0"]
        servers.enter_context(_daemon("master.Master", *options, until="I have been elected leader"))
        for work in cluster.worker_folders:
            options = [*WORKER, "--work-dir", str(work), cluster.url]
            servers.enter_context(_daemon("worker.Worker", *options, until="Successfully registered with master"))
        yield cluster


@contextmanager
def _daemon(kind: str, *arguments: str, until: str) -> Iterator[None]:
    """Run one server of Spark from when it says that it is ready."""
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = os.environ | SHORT_LIVED | {"SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
    # The script becomes the server, so that the process is the server's own.
    command = [home / "bin" / "spark-class", f"org.apache.spark.deploy.{kind}", "--host", "127.0.0.1", *arguments]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert server.stdout is not None
    too_late = Timer(START_LIMIT_S, server.kill)
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
        _end(server)
        listening.join()
        server.stdout.close()


def _end(server: "subprocess.Popen[str]") -> None:
    """End a server; a worker takes its executors with it."""
    server.terminate()
    try:
        server.wait(STOP_LIMIT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
