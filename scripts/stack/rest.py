"""A small client of Airflow's REST API on this machine: the standard library, one token, sentences for errors."""

from __future__ import annotations

import contextlib
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlsplit

from scripts.stack.errors import StackError

# A proxy from the environment has no business between two programs of one machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PAGE = 100
# A component that was started again takes 10 to 40 s.
AWAY_S = 120.0


def is_listened_to(url: str) -> bool:
    """Say whether anybody listens at an address; nothing is sent."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=5):
            return True
    except OSError:
        return False


def call(url: str, method: str = "GET", body: object = None, token: str | None = None, timeout_s: float = 30) -> Any:
    """Return the JSON answer of one request.

    Raises:
        OSError: nobody answers there (urllib's errors are OSErrors too), or the answer is an error status.
    """
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310  (always http)
    with _OPENER.open(request, timeout=timeout_s) as answer:
        text = answer.read()
    return json.loads(text) if text else None


@dataclass
class Airflow:
    """Airflow as its administrator sees it.

    Attributes:
        url: address without a trailing slash.
        password: of the user `admin`.
        is_own: says whether the one who listens there is the Airflow that the password belongs to.
        look: looks after the servers while nobody answers.
    """

    url: str
    password: str
    is_own: Callable[[], bool]
    look: Callable[[], None] = lambda: None
    token: str | None = None

    def health(self) -> dict[str, Any]:
        """Return what each component last said of itself; {} while nobody answers, or somebody else does."""
        if not self.is_own():
            return {}
        try:
            answer = call(f"{self.url}/api/v2/monitor/health", timeout_s=5)
        except (OSError, HTTPException, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def log_in(self) -> None:
        """Fetch a token.

        Raises:
            StackError: somebody else listens at the address, who is told nothing; or the password is refused.
            ConnectionRefusedError: nobody listens there.
        """
        if not self.is_own():
            if not is_listened_to(self.url):
                raise ConnectionRefusedError(f"nobody listens at {self.url}")
            raise StackError(
                f"The program that listens at {self.url} is not the Airflow of this home; its password was not sent. "
                "Run make run to start the own one, on another port if need be."
            )
        body = {"username": "admin", "password": self.password}
        try:
            self.token = call(f"{self.url}/auth/token", "POST", body)["access_token"]
        except urllib.error.HTTPError as error:
            raise StackError(
                f"Airflow at {self.url} refuses its own administrator ({error.code}). Was secrets.json replaced? "
                "Run make down, then make run."
            ) from error

    def warm(self) -> None:
        """Make the server build what its first caller would wait for: the tasks' API takes 3 to 5 s the first time."""
        with contextlib.suppress(OSError, HTTPException):  # who asks next waits instead
            call(f"{self.url}/execution/health")

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Call /api/v2; a token that ran out is renewed once, and a server that is away for a while is waited for.

        Raises:
            StackError: Airflow answers with an error, which the message carries, or not for two minutes.
            ComponentDied: it ends again and again.
        """
        renewed = False
        away_since: float | None = None
        while True:
            try:
                if self.token is None:
                    self.log_in()
                return call(f"{self.url}/api/v2/{path}", method, body, self.token)
            except urllib.error.HTTPError as error:
                if error.code == 401 and not renewed:
                    self.token, renewed = None, True
                    continue
                if error.code < 500:
                    words = error.read().decode(errors="replace")[:500]
                    raise StackError(f"Airflow answered {error.code} to {method} {path}: {words}") from error
                reason: Exception = error  # its database was started again a moment ago, perhaps
            except (OSError, HTTPException) as error:
                reason = error
            now = time.monotonic()
            away_since = now if away_since is None else away_since
            if now - away_since > AWAY_S:
                raise StackError(
                    f"Airflow at {self.url} did not answer {method} {path} for {AWAY_S:.0f} s ({reason}). Run make run "
                    "again; what was done stays done."
                ) from reason
            self.look()
            time.sleep(0.3)

    def dags(self) -> list[dict[str, Any]]:
        """Return every DAG that Airflow knows and that is still in its file."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.ask(f"dags?limit={PAGE}&offset={len(found)}&order_by=dag_id")
            found += page["dags"]
            if len(found) >= page["total_entries"] or not page["dags"]:
                return [dag for dag in found if not dag.get("is_stale")]

    def import_errors(self) -> list[dict[str, Any]]:
        """Return the files that Airflow could not read, with why."""
        errors: list[dict[str, Any]] = self.ask(f"importErrors?limit={PAGE}")["import_errors"]
        return errors

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self.ask(f"dags/{quote(dag_id)}", "PATCH", {"is_paused": False})

    def parse_again(self, file_token: str) -> None:
        """Ask for a DAG file to be read before its turn; asking twice is no error."""
        try:
            self.ask(f"parseDagFile/{file_token}", "PUT")
        except StackError as error:
            if "409" not in str(error):
                raise

    def trigger(self, dag_id: str) -> str:
        """Start a run of a DAG now and return its id. No logical date: it is the clock's business, not the data's."""
        answer = self.ask(f"dags/{quote(dag_id)}/dagRuns", "POST", {"logical_date": None, "conf": {}})
        return str(answer["dag_run_id"])
