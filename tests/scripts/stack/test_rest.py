"""Talking to Airflow: to our own, and to nobody who only listens where it should."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psutil
import pytest

from scripts.stack import home as homes
from scripts.stack import keys, processes
from scripts.stack.errors import StackError
from scripts.stack.home import Home
from scripts.stack.stack import Stack

HEALTHY = {"metadatabase": {"status": "healthy"}}
# An api-server as far as this matters: it listens, by a worker of its own.
LISTENS = """
import http.server, os, sys
server = http.server.HTTPServer(("127.0.0.1", 0), type("Answers", (http.server.BaseHTTPRequestHandler,), {
    "do_GET": lambda self: (self.send_response(200), self.end_headers(), self.wfile.write(b'{"metadatabase": {}}'))}))
if os.fork() == 0:
    print("up", server.server_port, flush=True)
    server.serve_forever()
server.socket.close()
os.wait()
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    home = Home(tmp_path / "home")
    homes.make_folders(home)
    return Stack(home, keys.make_keys(home.secrets))


@contextmanager
def another_airflow(told: list[bytes]) -> Iterator[int]:
    """Run a server that answers as Airflow does, and keeps what it is told."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(HEALTHY)

        def do_POST(self) -> None:
            told.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer({"access_token": "a"})

        def _answer(self, answer: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, format: str, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("has_record", [False, True])
def test_another_airflow_on_our_port_is_not_healthy_for_us_and_gets_no_password(stack: Stack, has_record: bool):
    told: list[bytes] = []
    if has_record:  # our own api-server starts, and has not bound its port yet
        log = stack.home.log("api-server")
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        processes.start(stack.home.run, "api-server", command, dict(os.environ), log, stack.home.root)
    with another_airflow(told) as stack.airflow_port:
        assert stack.client.health() == {}
        with pytest.raises(StackError, match="is not the Airflow of this home; its password was not sent"):
            stack.client.dags()
    assert told == []
    processes.stop(stack.home.run, processes.read_records(stack.home.run, ["api-server"]))


def test_our_own_server_is_believed_also_where_a_worker_of_its_listens(stack: Stack):
    log = stack.home.log("api-server")
    record = processes.start(
        stack.home.run, "api-server", [sys.executable, "-c", LISTENS], dict(os.environ), log, stack.home.root
    )
    while "up " not in log.read_text().splitlines()[-1] and psutil.pid_exists(record.pid):
        time.sleep(0.02)
    stack.airflow_port = int(log.read_text().split()[-1])
    assert stack.client.health() == {"metadatabase": {}}
    processes.stop(stack.home.run, [record])
    assert stack.client.health() == {}


def test_a_first_run_beside_another_chooses_another_port(tmp_path: Path, shared_folder: Path):
    # Until its server listens, the first command holds the port: another command, in another home, passes it by.
    code = (
        "import sys; from pathlib import Path; from scripts.stack.home import Home\n"
        "from scripts.stack.keys import Keys\n"
        "from scripts.stack import unprivileged; unprivileged.SHARED = Path(sys.argv[2])\n"
        "from scripts.stack.stack import Stack\n"
        "home = Home(Path(sys.argv[1])); home.root.mkdir()\n"
        "stack = Stack(home, Keys())\n"
        "with stack.with_airflow_port(): print(stack.airflow_port, flush=True); input()"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, tmp_path / name, shared_folder],
            cwd=homes.REPO,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    chosen = {int(child.stdout.readline()) for child in started if child.stdout}
    for child in started:
        child.communicate("\n")
    assert len(chosen) == 2
