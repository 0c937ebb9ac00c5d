"""A small client of Airflow's REST API on this machine: the standard library, one token, sentences for errors."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote

from scripts.stack.errors import StackError

# A proxy from the environment has no business between two programs of one machine.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PAGE = 100


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
    """

    url: str
    password: str
    token: str | None = None

    def health(self) -> dict[str, Any]:
        """Return what each component last said of itself; {} while nobody answers."""
        try:
            answer = call(f"{self.url}/api/v2/monitor/health", timeout_s=5)
        except (OSError, HTTPException, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def log_in(self) -> None:
        """Fetch a token.

        Raises:
            StackError: the password is not this Airflow's.
        """
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
        call(f"{self.url}/execution/health")

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """Call /api/v2; a token that ran out is renewed once.

        Raises:
            StackError: Airflow answers with an error; the message carries its words.
        """
        for attempt in (1, 2):
            if self.token is None:
                self.log_in()
            try:
                return call(f"{self.url}/api/v2/{path}", method, body, self.token)
            except urllib.error.HTTPError as error:
                if error.code == 401 and attempt == 1:
                    self.token = None
                    continue
                words = error.read().decode(errors="replace")[:500]
                raise StackError(f"Airflow answered {error.code} to {method} {path}: {words}") from error
        raise AssertionError("unreachable: the second attempt returns or raises")

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
