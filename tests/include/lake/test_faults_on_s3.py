"""A bucket that answers 503, is silent, or breaks off, while the lake is written to it and read from it."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import boto3
import pytest

from include.lake import files
from include.lake.reading import hash_files, open_rows
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions

pytestmark = pytest.mark.slow

KEY = {"problem": "flights", "partition_key": "2013-01"}
EVENTS = "lake.flights"
BUSY, CUT, SILENT, HALF = "busy", "cut", "silent", "half"


class Faults(BaseHTTPRequestHandler):
    """Passes requests on; those go wrong that a server's `fault_of` (writes) or `read_fault_of` says so of."""

    protocol_version = "HTTP/1.1"

    def pass_on(self) -> None:
        body = self.read_body()
        fault = None
        if self.command in {"PUT", "POST", "DELETE"}:
            self.server.n_writes += 1
            fault = self.server.fault_of(self.server.n_writes)
        elif self.command == "GET" and "/lake/" in self.path:
            self.server.n_reads += 1
            fault = self.server.read_fault_of(self.server.n_reads)
        if fault == SILENT:
            self.server.is_over.wait(60)
        if fault in {CUT, SILENT}:
            self.close_connection = True
            return
        if fault == BUSY:
            self.answer(503, [], b"<Error><Code>SlowDown</Code><Message>slow down</Message></Error>")
            return
        connection = http.client.HTTPConnection(*self.server.behind)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "transfer-encoding"}
        connection.request(self.command, self.path, body=body, headers=headers | {"Content-Length": str(len(body))})
        answer = connection.getresponse()
        content, length = answer.read(), answer.getheader("Content-Length")
        connection.close()
        length = length if self.command == "HEAD" or fault == HALF else None
        self.answer(
            answer.status, answer.getheaders(), content[: len(content) // 2] if fault == HALF else content, length
        )
        self.close_connection |= fault == HALF

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = pass_on  # noqa: N815 - as http.server calls them

    def read_body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().strip(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status, headers, body, length=None):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in {"content-length", "connection", "transfer-encoding", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length or str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def store(landing, s3_server, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Faults)
    server.behind, server.is_over = s3_server, threading.Event()
    server.n_writes, server.n_reads, server.fault_of, server.read_fault_of = 0, 0, lambda _: None, lambda _: None
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name, value in {
        "MULGIL_LAKE_URL": "s3://bucket/lake",
        "MULGIL_S3_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url="http://{}:{}".format(*server.behind))
    client.create_bucket(Bucket="bucket")
    client.close()
    yield server
    server.is_over.set()
    server.shutdown()
    server.server_close()


def ingest():
    staged = stage_partition(**KEY)
    paths = staged["staged"]
    audit = {"verdict": "pass", "first_reason": None, "n_warnings": 0, "n_rows": staged["n_staged"]}
    audit |= {"files": {path: files.hash_file(path) for path in paths}, "files_sha256": hash_files(paths)}
    return publish_partition(**KEY, staged=staged, audit=audit, run_id="r1")


def ids():
    return sorted(open_rows(EVENTS).to_pyarrow()["flight_id"].to_pylist())


def count_writes(store, landing, flight):
    """Publish something, and say how many writes that took."""
    landing.drop("a.jsonl", flight("a"), flight("b", gate="x"))
    find_new_partitions(problem="flights")
    ingest()
    before = store.n_writes
    landing.drop("a.jsonl", flight("c"), flight("d", gate="x"))
    find_new_partitions(problem="flights")
    ingest()
    return store.n_writes - before


@pytest.mark.parametrize("fault", [BUSY, CUT])
def test_a_write_that_fails_once_is_tried_again_and_nothing_is_lost_or_doubled(store, landing, flight, fault):
    n_writes = count_writes(store, landing, flight)
    assert n_writes > 6
    start = store.n_writes
    landing.drop("a.jsonl", flight("e"), flight("f"), flight("g", gate="x"))
    find_new_partitions(problem="flights")
    store.fault_of = lambda number: fault if (number - start) % 3 == 1 else None
    done = ingest()
    assert (done["n_published"], done["n_quarantined"]) == (2, 1)
    assert ids() == ["e", "f"]


def test_a_read_that_fails_once_is_tried_again_and_nothing_is_lost_or_doubled(store, landing, flight):
    count_writes(store, landing, flight)
    start = store.n_reads
    landing.drop("a.jsonl", flight("e"), flight("f"), flight("g", gate="x"))
    find_new_partitions(problem="flights")
    faults = cycle([BUSY, CUT, HALF])
    store.read_fault_of = lambda number: next(faults) if (number - start) % 3 == 1 else None
    done = ingest()
    assert (done["n_published"], done["n_quarantined"]) == (2, 1)
    assert ids() == ["e", "f"]
    assert store.n_reads - start > 9  # each of the three was met


def test_a_bucket_that_never_answers_a_write_and_a_read_is_asked_again(store, landing, flight):
    landing.drop("a.jsonl", flight("e"), flight("f", gate="x"))
    find_new_partitions(problem="flights")
    store.fault_of = lambda number: SILENT if number == 2 else None
    store.read_fault_of = lambda number: SILENT if number == 3 else None
    done = ingest()
    assert (done["n_published"], done["n_quarantined"]) == (1, 1)
    assert ids() == ["e"]
    assert store.n_writes > 2
    assert store.n_reads > 3


def test_a_bucket_that_stays_away_fails_the_step_and_a_repeat_mends_it(store, landing, flight):
    n_writes = count_writes(store, landing, flight)
    # The client tries each write again for a while before it gives up: four places are enough.
    for number in range(1, n_writes + 1, n_writes // 4 + 1):
        landing.drop("a.jsonl", flight(f"x{number}"), flight(f"d{number}", gate="x"))
        find_new_partitions(problem="flights")
        start = store.n_writes
        store.fault_of = lambda n, first=start + number: BUSY if n >= first else None
        before = ids()
        with pytest.raises(Exception, match=r"(?i)slow|503|error"):
            ingest()
        store.fault_of = lambda _: None
        assert ids() in ([f"x{number}"], before)  # whole, or not at all
        ingest()
        assert ids() == [f"x{number}"]
