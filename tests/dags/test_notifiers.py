"""Messages on their way to real servers on this machine: one for mail, one for webhooks."""

import json
import os
import socketserver
import threading
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException

from include.monitoring.contracts import Message
from notifiers import address_of, send_message

FACTS = {"problem": "rides", "alert_id": "drift", "event": "opened", "event_number": 1}


def mail(**changes: Any) -> Message:
    given = {"channel": "mail", "addresses": ("a@example.org", "b@example.org"), "connection": ""}
    given |= {"key": "rides/drift/1", "subject": "rides: alert: 분포가 달라졌습니다"}
    given |= {"text": "one line\nanother\n", "facts": FACTS}
    return Message(**given | changes)


def webhook(**changes: Any) -> Message:
    return mail(channel="webhook", addresses=(), connection="hook", **changes)


class _MailHandler(socketserver.StreamRequestHandler):
    """Speaks as much SMTP as a mail needs; refuses what the test says."""

    def handle(self) -> None:
        self._say("220 here")
        envelope: dict[str, Any] = {"to": []}
        while line := self.rfile.readline().decode().strip():
            word = line.split()[0].upper()
            if word == "RCPT":
                envelope["to"].append(line.partition("<")[2].rstrip(">"))
            if word == "DATA":
                self._say("354 go on")
                lines = []
                while (text := self.rfile.readline()) != b".\r\n":
                    lines.append(text)
                envelope["mail"] = message_from_bytes(b"".join(lines), policy=policy.default)
                self.server.n_asked += 1  # type: ignore[attr-defined]
                if self.server.refuses:  # type: ignore[attr-defined]
                    self._say("451 not now")
                    continue
                self.server.got.append(envelope)  # type: ignore[attr-defined]
            self._say("250 well")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


class _HookHandler(BaseHTTPRequestHandler):
    """Answers as the test says, and keeps what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))  # type: ignore[attr-defined]
        status = self.server.answers.pop(0)  # type: ignore[attr-defined]
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - the base class calls it by this name

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """Start a server on this machine; it ends with the test."""
    started: list[tuple[Any, threading.Thread]] = []

    def start_one(server: Any, **state: Any) -> Any:
        vars(server).update(got=[], **state)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        started.append((server, thread))
        return server

    yield start_one
    for server, thread in started:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mail_server(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _MailHandler)
    server.daemon_threads = True
    extra = {"disable_tls": True, "disable_ssl": True, "from_email": "mulgil@example.org", "timeout": 20}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.server_address[1], "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    return start(server, refuses=False, n_asked=0)


@pytest.fixture
def hook_server(start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _HookHandler)
    connection = {"conn_type": "http", "host": "http://127.0.0.1", "port": server.server_address[1]}
    connection |= {"password": "a secret", "extra": {"path": "/hooks/T0"}}
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(connection))
    return start(server, answers=[])


def test_a_mail_arrives_as_one_letter_with_its_lines_as_they_were(mail_server: Any) -> None:
    send_message(mail(text="a <script> & {{ 7 * 7 }}\n분포\n"))
    [envelope] = mail_server.got
    letter = envelope["mail"]
    assert envelope["to"] == ["a@example.org", "b@example.org"]
    assert (letter["From"], letter["To"]) == ("mulgil@example.org", "a@example.org, b@example.org")
    assert letter["Subject"] == "rides: alert: 분포가 달라졌습니다"
    assert letter["X-Mulgil-Message"] == "rides/drift/1"
    body = letter.get_body(("html",)).get_content()
    assert body.rstrip("\n") == "<pre>a &lt;script&gt; &amp; {{ 7 * 7 }}\n분포\n</pre>"


def test_a_mail_that_is_refused_is_tried_once_and_the_server_is_quoted(mail_server: Any) -> None:
    mail_server.refuses = True
    with pytest.raises(Exception, match="not now"):
        send_message(mail())
    assert (mail_server.n_asked, mail_server.got) == (1, [])


@pytest.mark.parametrize("subject", ["a\nBcc: eve@example.org", "a\r\n\r\nbody"])
def test_a_subject_that_would_add_a_header_sends_nothing(mail_server: Any, subject: str) -> None:
    with pytest.raises(AirflowException, match="not one line"):
        send_message(mail(subject=subject))
    assert mail_server.got == []


def test_a_webhook_gets_text_and_facts_with_its_token_and_a_key(hook_server: Any) -> None:
    hook_server.answers = [204]
    send_message(webhook(key="rides/calibration:a b/1"))
    [(path, headers, document)] = hook_server.got
    assert path == "/hooks/T0"
    assert document == {"text": "one line\nanother\n", "subject": "rides: alert: 분포가 달라졌습니다", **FACTS}
    assert (headers["Authorization"], headers["Content-Type"]) == ("Bearer a secret", "application/json")
    assert headers["Idempotency-Key"] == "rides/calibration%3Aa%20b/1"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_take_it_is_named_by_its_connection_alone(hook_server: Any, status: int) -> None:
    hook_server.answers = [status, 200]
    with pytest.raises(AirflowException) as refused:
        send_message(webhook())
    assert str(refused.value) == f"The server of connection hook answered {status}."
    assert [path for path, *_ in hook_server.got] == ["/hooks/T0"]


def test_a_connection_that_airflow_does_not_have_is_named() -> None:
    with pytest.raises(Exception, match="hook"):
        send_message(webhook())


CANNOT_BE_SENT = "Connection hook has an address or a password that cannot be sent."


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"password": "s3\ncret"}, CANNOT_BE_SENT),
        ({"password": "s3cret\N{SNOWMAN}"}, CANNOT_BE_SENT),
        ({"host": "http://user:s3cret@127.0.0.1", "port": None}, CANNOT_BE_SENT),
        ({"host": "http://127.0.0.1:81/T0/s3 cret", "port": None}, CANNOT_BE_SENT),
        ({"host": f"http://s3cret{'x' * 64}.example.org"}, CANNOT_BE_SENT),
        ({"host": "http://[s3cret"}, CANNOT_BE_SENT),
        ({"host": "ftp://127.0.0.1/s3cret"}, "Connection hook has no host, or one that is not http or https."),
    ],
)
def test_what_is_secret_of_a_connection_is_in_no_error(
    hook_server: Any, monkeypatch: pytest.MonkeyPatch, parts: dict[str, Any], said: str
) -> None:
    known = json.loads(os.environ["AIRFLOW_CONN_HOOK"])
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(known | parts))
    with pytest.raises(AirflowException) as refused:
        send_message(webhook())
    assert (str(refused.value), hook_server.got) == (said, [])


def test_a_password_is_sent_without_the_line_end_behind_it(hook_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    known = json.loads(os.environ["AIRFLOW_CONN_HOOK"])
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(known | {"password": "s3cret\n"}))
    hook_server.answers = [204]
    send_message(webhook())
    assert hook_server.got[0][1]["Authorization"] == "Bearer s3cret"


class _EchoHandler(socketserver.StreamRequestHandler):
    """Says back what it is told, as no web server does."""

    def handle(self) -> None:
        self.wfile.write(self.rfile.readline())


def test_a_server_that_speaks_no_http_is_not_quoted(
    hook_server: Any, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(socketserver.ThreadingTCPServer(("127.0.0.1", 0), _EchoHandler))
    known = json.loads(os.environ["AIRFLOW_CONN_HOOK"])
    monkeypatch.setenv("AIRFLOW_CONN_HOOK", json.dumps(known | {"port": server.server_address[1]}))
    with pytest.raises(AirflowException, match=r"^The server of connection hook does not speak HTTP\.$"):
        send_message(webhook())


@pytest.mark.parametrize(
    ("parts", "address"),
    [
        ({"host": "hooks.example.org"}, "https://hooks.example.org/"),
        ({"host": "hooks.example.org", "schema": "http", "port": 81}, "http://hooks.example.org:81/"),
        ({"host": "https://hooks.example.org/a/", "extra": '{"path": "/b"}'}, "https://hooks.example.org/a/b"),
    ],
)
def test_an_address_is_put_together_from_the_connection(parts: dict[str, Any], address: str) -> None:
    assert address_of(Connection(conn_id="hook", **parts)) == address


@pytest.mark.parametrize("host", [None, "", "file:///etc/passwd", "ftp://example.org"])
def test_an_address_that_is_no_web_address_is_refused(host: str | None) -> None:
    with pytest.raises(AirflowException, match="Connection hook has no host"):
        address_of(Connection(conn_id="hook", host=host))
