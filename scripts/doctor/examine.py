"""Makes all looks, each with a limit of its own, and says which could not be made.

What does not belong here: what a look asks.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

import psycopg

from scripts.doctor import airflow_looks, machine, warehouse_looks
from scripts.doctor.finding import Finding, Report
from scripts.doctor.place import CONNECT_S, STATEMENT_MS, Place

# A look at a file system that hangs hangs with it; a large lake is listed in some seconds.
LIMIT_S = 45.0
NOT_MADE = "its tables are not there yet; make run makes them"

Look = Callable[[], Iterator[Finding]]
_MACHINE = {
    "servers": machine.look_at_servers,
    "disk": machine.look_at_disks,
    "backups": machine.look_at_backups,
    "versions": machine.look_at_packages,
    "ports": machine.look_at_ports,
}
_WAREHOUSE = {
    "revision": warehouse_looks.look_at_revision,
    "partitions": warehouse_looks.look_at_partitions,
    "failures": warehouse_looks.look_at_failures,
    "announcements": warehouse_looks.look_at_unheard_events,
    "batches": warehouse_looks.look_at_batches,
    "messages": warehouse_looks.look_at_messages,
    "locks and connections": warehouse_looks.look_at_server,
}
_AIRFLOW = {
    "dag files": airflow_looks.look_at_files,
    "paused DAGs": airflow_looks.look_at_paused_consumers,
    "pending runs": airflow_looks.look_at_pending_partitions,
    "runs": airflow_looks.look_at_runs,
    "questions": airflow_looks.look_at_questions,
}


class NotAsked(Exception):
    """A look that could not be made; the message says why, in a few words."""


def examine(place: Place, limit_s: float = LIMIT_S) -> Report:
    """Look at everything that can be looked at.

    Args:
        place: which deployment; its environment is this process's already, where the lake is to be read.
        limit_s: how long all looks together may take, in seconds; they are made side by side.
    """
    looks: dict[str, Look] = {name: _bound(look, place) for name, look in _MACHINE.items()}
    looks |= {name: _asking(look, place.warehouse_url, place) for name, look in _WAREHOUSE.items()}
    looks |= {name: _asking(look, place.metadata_url, place) for name, look in _AIRFLOW.items()}
    looks["lake"] = _reading_the_lake(place)
    if place.is_elsewhere:
        for name in ("servers", "ports"):
            del looks[name]  # the engine of the containers knows: docker compose ps
    answers = _ask_all(looks, limit_s)
    findings: list[Finding] = []
    fine: list[str] = []
    not_asked: dict[str, str] = {}
    for name in looks:
        answer = answers.get(name)
        if answer is None:
            findings.append(_unanswered(name, limit_s))
        elif isinstance(answer, str):
            not_asked[name] = answer
        elif answer:
            findings += answer
        else:
            fine.append(name)
    findings = [*_unreachable(place, not_asked), *findings]
    where = "the servers that the environment names" if place.is_elsewhere else str(place.home.root)
    return Report(where, tuple(findings), tuple(fine), not_asked)


def _bound(look: Callable[[Place], Iterator[Finding]], place: Place) -> Look:
    return lambda: look(place)


def _asking(look: Callable[[psycopg.Connection], Iterator[Finding]], url: str, place: Place) -> Look:
    """Make a look ask a database, on a connection of its own that gives up by itself."""

    def ask() -> Iterator[Finding]:
        _require_server(url, place)
        options = f"-c statement_timeout={STATEMENT_MS} -c default_transaction_read_only=on"
        try:
            with psycopg.connect(url, connect_timeout=CONNECT_S, options=options, autocommit=True) as connection:
                yield from look(connection)
        except psycopg.errors.UndefinedTable as error:
            raise NotAsked(NOT_MADE) from error
        except psycopg.OperationalError as error:
            raise NotAsked(_first_line(error)) from error

    return ask


def _reading_the_lake(place: Place) -> Look:
    def look() -> Iterator[Finding]:
        _require_server(place.warehouse_url, place)
        try:
            # The lake's catalog waits longer for a server than a doctor should.
            psycopg.connect(place.warehouse_url, connect_timeout=CONNECT_S).close()
        except psycopg.OperationalError as error:
            raise NotAsked(_first_line(error)) from error
        from scripts.doctor.lake_looks import look_at_lake

        yield from look_at_lake()

    return look


def _require_server(url: str, place: Place) -> None:
    """Raise NotAsked where there is no server to ask."""
    if not url:
        raise NotAsked("no URL names it" if place.is_elsewhere else "nothing was started yet")
    if place.stack is not None and not place.stack.postgres.is_running():
        raise NotAsked("PostgreSQL does not run")


def _ask_all(looks: dict[str, Look], limit_s: float) -> dict[str, list[Finding] | str]:
    """Make all looks side by side; one that does not come back in time is left behind, and has no answer."""
    done: queue.Queue[tuple[str, list[Finding] | str]] = queue.Queue()

    def make(name: str, look: Look) -> None:
        found: list[Finding] = []
        answer: list[Finding] | str = found
        try:
            found.extend(look())
        except NotAsked as error:
            answer = [*found, _broken(name, error)] if found else str(error)
        except Exception as error:
            # Whatever breaks one look must not take the others with it, and is no good sign.
            found.append(_broken(name, error))
        done.put((name, answer))

    for name, look in looks.items():
        threading.Thread(target=make, args=(name, look), daemon=True).start()
    answers: dict[str, list[Finding] | str] = {}
    until = time.monotonic() + limit_s
    while len(answers) < len(looks):
        try:
            name, answer = done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        answers[name] = answer
    return answers


def _broken(name: str, error: Exception) -> Finding:
    """Make a finding of a look that could be asked and broke off: a sick disk or store, or a fault of the doctor."""
    why = _first_line(error)
    return Finding(
        name,
        f"The look at {name} broke off",
        1,
        why if isinstance(error, NotAsked) else f"{type(error).__name__}: {why}",
        "may the disk or the store that it names be read? make logs; else it is a fault of the doctor: report it",
    )


def _unanswered(name: str, limit_s: float) -> Finding:
    return Finding(
        name,
        f"The look at {name} did not come back within {limit_s:.0f} s",
        1,
        "a disk, a store or a server that hangs",
        "make logs; is a network disk away? Then ask again",
    )


def _unreachable(place: Place, not_asked: dict[str, str]) -> list[Finding]:
    """Make one finding of a database that should answer and does not, whatever was to be asked of it."""
    is_expected = place.is_elsewhere or (place.stack is not None and place.stack.postgres.is_running())
    refused = {name: why for name, why in not_asked.items() if name in (*_WAREHOUSE, *_AIRFLOW) and why != NOT_MADE}
    if not is_expected or not refused:
        return []
    name, why = next(iter(refused.items()))
    return [
        Finding(
            "database",
            "PostgreSQL should answer, and these could not be asked of it",
            len(refused),
            f"{name}: {why}",
            "make logs, and docs/debugging.md, A page says 503; a server that hangs: make down; make run",
        )
    ]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
