"""A store that is busy, slow, or breaks off: a server that misbehaves as it is told stands in front of moto's S3."""

import http.client
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest

from include.engine.object_store import objects
from include.engine.object_store.objects import list_objects, local_objects
from include.errors import BadLanding
from include.settings import read_settings

CONTENT = b"".join(b'{"line": %d}\n' % i for i in range(40_000))


class Faults(BaseHTTPRequestHandler):
    """Passes requests on; GETs of objects go wrong in the ways that wait in `server.faults`."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        fault = self.server.faults.pop(0) if self.server.faults and "list-type" not in self.path else None
        if fault == "busy":
            self.answer(503, [], b"<Error><Code>SlowDown</Code></Error>")
            return
        if fault == "silent":
            self.server.is_over.wait(30)
            self.close_connection = True
            return
        if callable(fault):
            fault()
        connection = http.client.HTTPConnection(*self.server.behind)
        connection.request("GET", self.path, headers=dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.answer(answer.status, answer.getheaders(), body, cut_after=len(body) // 2 if fault == "cut" else None)

    def answer(self, status, headers, body, cut_after=None):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut_after])
        if cut_after is not None:
            self.wfile.flush()
            self.connection.shutdown(1)
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def store(s3_server, mulgil_home, monkeypatch) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faults)
    server.behind, server.faults, server.is_over = s3_server, [], threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    for name, value in {
        "MULGIL_LANDING_URL": "s3://logs/raw",
        "MULGIL_S3_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(objects, "TIMEOUT_S", 0.5)
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    client = boto3.client("s3", endpoint_url="http://{}:{}".format(*server.behind))
    client.create_bucket(Bucket="logs")
    server.put = lambda body: client.put_object(Bucket="logs", Key="raw/a/a.jsonl", Body=body)
    server.put(CONTENT)
    yield server
    client.close()
    server.is_over.set()
    server.shutdown()
    server.server_close()


def read(key="a/a.jsonl"):
    with local_objects(read_settings(), [key]) as (found,):
        return found.path.read_bytes(), found.seen


@pytest.mark.parametrize(
    "faults",
    [
        [],
        ["busy"],
        ["busy", "busy", "busy"],
        ["silent"],
        ["cut"],
        ["cut", "cut", "busy", "cut"],
    ],
)
def test_a_store_that_recovers_gives_the_object_whole(store, faults):
    store.faults[:] = faults
    content, seen = read()
    assert content == CONTENT
    assert (seen.version, seen.size_bytes) == (list_objects(read_settings(), "a")[0].version, len(CONTENT))
    assert store.faults == []


@pytest.mark.parametrize("fault", ["cut", "busy"])
def test_a_store_that_does_not_recover_is_given_up_with_a_sentence(store, fault):
    store.faults[:] = [fault] * 100
    with pytest.raises(BadLanding, match=r"a/a\.jsonl"):
        read()


def test_an_object_that_is_replaced_between_two_tries_is_read_from_its_start(store):
    newer = CONTENT[::-1]
    store.faults[:] = ["cut", lambda: store.put(newer)]
    content, seen = read()
    assert content == newer
    assert seen.version == list_objects(read_settings(), "a")[0].version


def test_an_object_that_is_gone_is_named(store):
    with pytest.raises(BadLanding, match=r"nowhere\.jsonl cannot be read"):
        read("a/nowhere.jsonl")


def test_nothing_stays_on_disk_afterwards(store, mulgil_home):
    read()
    assert [path for path in mulgil_home.rglob("*") if path.is_file()] == []


def test_an_old_copy_of_a_killed_run_is_removed_a_neighbours_is_not(store, mulgil_home):
    spool = mulgil_home / "spool"
    for name in ("old", "new"):
        (spool / name).mkdir(parents=True)
        (spool / name / "0").write_bytes(b"x")
    (spool / ".unfinished-1").write_bytes(b"x")
    for path in (spool / "old", spool / ".unfinished-1"):
        os.utime(path, (0, 0))
    read()
    assert [path.name for path in spool.iterdir()] == ["new"]
