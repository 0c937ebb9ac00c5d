"""`make run`: from nothing, or from whatever already runs, to a finished loop.

Every phase is safe to repeat. What this command started, it also stops when it is broken off.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from scripts.stack import components, info, parsing, summary
from scripts.stack.errors import LoopFailed, OutOfTime, StackError
from scripts.stack.home import Home, check_disk, make_folders
from scripts.stack.keys import make_keys
from scripts.stack.loop import FailedRun, Loop, Patience, Snapshot
from scripts.stack.processes import hold_lock
from scripts.stack.progress import Progress
from scripts.stack.rest import Airflow
from scripts.stack.stack import Stack

DEADLINE_VARIABLE = "MULGIL_DEADLINE_MINUTES"
DEADLINE_MINUTES = 15.0
LAND_SUFFIX = "__land"


def _deadline() -> float:
    """Return the moment (monotonic seconds) at which waiting ends, whatever happens.

    Raises:
        StackError: the variable is not a number of minutes.
    """
    text = os.environ.get(DEADLINE_VARIABLE) or str(DEADLINE_MINUTES)
    try:
        return time.monotonic() + 60 * float(text)
    except ValueError as error:
        raise StackError(f"{DEADLINE_VARIABLE} is {text!r}; allowed is a number of minutes, such as 15.") from error


def run(home: Home, progress: Progress) -> str:
    """Start what does not run, let the loop run, and return the summary with all addresses.

    Raises:
        StackError: something stands in the way, or DAG runs failed; the message says what to do.
        KeyboardInterrupt: the user broke it off; everything that this call started is stopped.
    """
    deadline = _deadline()
    check_disk(home)
    make_folders(home)
    with hold_lock(home.run, "run"):
        stack = Stack(home, make_keys(home.secrets))
        with _stopping_on_failure(stack, progress):
            start(stack, progress, deadline)
            watch(stack, progress, deadline)
        text = summary.summarise(stack.addresses.warehouse_url)
        addresses = info.format_text(info.build_info(home, stack.keys, stack.addresses, stack.running()))
    return f"{text}\n\n{addresses}\n\nAirflow keeps running; make down stops it, make info shows this again.".lstrip()


@contextlib.contextmanager
def _stopping_on_failure(stack: Stack, progress: Progress) -> Iterator[None]:
    """Stop what was started when the work inside is broken off; a finished loop with failed runs stays for a look."""
    try:
        yield
    except (LoopFailed, OutOfTime):
        if not stack.started_components or all(stack.running().values()):
            raise
        _stop_quietly(stack, progress)
        raise
    except BaseException:
        _stop_quietly(stack, progress)
        raise


def _stop_quietly(stack: Stack, progress: Progress) -> None:
    """Stop what was started; a second Ctrl-C must not leave half of it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if stack.started_components or stack.started_postgres:
        progress.say("Stopping what this run started ...")
    stack.stop_started()


def start(stack: Stack, progress: Progress, deadline: float) -> None:
    """Bring up PostgreSQL and Airflow, with both databases migrated and the logs in landing."""
    stack.start_postgres()
    verb = "started" if stack.started_postgres else "already runs"
    progress.say(f"PostgreSQL {verb} on port {stack.postgres.port} ({stack.postgres.data_dir})")
    stack.choose_airflow_port()
    environment = stack.environment(is_demo_reviewer_on=True)
    wait_for_metadata = stack.prepare_metadata(environment)
    prepared = _in_background(lambda: prepare_warehouse(stack))
    if wait_for_metadata():
        progress.say("Airflow's database and users are made")
    for line in prepared.result():
        progress.say(line)
    stack.start_airflow(environment)
    names = stack.started_components
    progress.say(f"Starting {', '.join(names)} ..." if names else "Airflow already runs")
    components.wait_until_healthy(stack.home, stack.client, deadline, lambda: None)
    stack.client.warm()
    progress.say(f"Airflow is healthy at {stack.addresses.airflow_url}")


def _in_background(work: Callable[[], list[str]]) -> Future[list[str]]:
    """Begin some work on the second core; Ctrl-C does not wait for it, so every step of it must bear being cut off."""
    future: Future[list[str]] = Future()

    def do() -> None:
        try:
            future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=do, daemon=True).start()
    return future


def prepare_warehouse(stack: Stack) -> list[str]:
    """Migrate the warehouse and drop the built-in problems' logs into landing; return what to say about it."""
    from alembic.util.exc import CommandError

    from include.warehouse import migrate
    from scripts import drop_logs

    try:
        migrate.upgrade(stack.addresses.warehouse_url)
    except CommandError as error:
        raise StackError(
            f"The warehouse cannot be brought to this code's version: {error}. Was it made by a newer Mulgil? "
            "Check that version out, or start afresh with make clean, then make run."
        ) from error
    lines = ["The warehouse is at its newest version"]
    for problem in drop_logs.REPLAYS:
        report = drop_logs.drop_logs(problem, stack.home.landing)
        lines.append(f"{problem}: {report.n_objects} log files in landing, {report.n_written} of them new")
    return lines


def watch(stack: Stack, progress: Progress, deadline: float) -> None:
    """Let the DAGs run until the loop is at rest.

    Raises:
        LoopFailed: runs failed, or nothing can be triggered.
        OutOfTime: the loop did not come to rest before the deadline.
        ComponentDied: a component ended meanwhile.
    """
    client = stack.client
    url = stack.addresses.metadata_url.replace("+psycopg2", "")
    with psycopg.connect(url, autocommit=True) as connection:
        loop = Loop(connection, since=datetime.now(UTC))
        parsing.wait_until_parsed(stack.home, client, loop, deadline)
        errors = client.import_errors()
        for error in errors:
            progress.say(f"NOT READ {error['filename']}: {_last_line(error['stack_trace'])}")
        started = trigger(client)
        progress.say(f"{len(started)} problems start: {', '.join(started)}")
        last = wait_until_at_rest(stack, loop, progress, deadline)
        progress.show(last, is_last=True)
        failed = loop.failed_runs()
    if failed or errors:
        raise LoopFailed(describe_failures(failed, len(errors), stack))
    waits = f"; {last.n_waiting} wait for a person" if last.n_waiting else ""
    progress.say(f"The loop is at rest: {last.n_done} runs done{waits}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def trigger(client: Airflow) -> list[str]:
    """Unpause every DAG, those that listen before those that speak; trigger each problem's landing; return the names.

    Raises:
        LoopFailed: there is nothing to trigger.
    """
    dags = sorted(client.dags(), key=lambda dag: dag["dag_id"].endswith(LAND_SUFFIX))
    for dag in dags:
        if dag["is_paused"]:
            client.unpause(dag["dag_id"])
    landing = [dag["dag_id"] for dag in dags if dag["dag_id"].endswith(LAND_SUFFIX)]
    if not landing:
        raise LoopFailed(
            f"Airflow read {len(dags)} DAGs, and none is called <problem>{LAND_SUFFIX}: nothing can start."
        )
    for dag_id in landing:
        client.trigger(dag_id)
    return [dag_id.removesuffix(LAND_SUFFIX) for dag_id in landing]


def wait_until_at_rest(stack: Stack, loop: Loop, progress: Progress, deadline: float) -> Snapshot:
    """Show the progress until nothing works and nothing waits.

    Raises:
        OutOfTime: that did not happen before the deadline; Airflow keeps running.
        ComponentDied: a component ended meanwhile.
    """
    patience = Patience()
    while True:
        snapshot = loop.snapshot()
        progress.show(snapshot)
        components.require_alive(stack.home)
        now = time.monotonic()
        if patience.is_at_rest(snapshot, now):
            return snapshot
        if now > deadline:
            raise OutOfTime(
                f"The loop did not come to rest in time: {snapshot.n_active} runs work, {snapshot.n_pending} "
                f"partitions wait. Airflow keeps running; watch it at {stack.addresses.airflow_url}, "
                f"or allow more minutes with {DEADLINE_VARIABLE}."
            )
        time.sleep(0.5)


def describe_failures(failed: list[FailedRun], n_errors: int, stack: Stack) -> str:
    """Return what failed, each with the page and the log that say why."""
    lines = [f"{n_errors} DAG files could not be read; see NOT READ above."] if n_errors else []
    n_runs = len({(run.dag_id, run.run_id) for run in failed})
    if n_runs:
        lines.append(f"{n_runs} DAG runs failed:")
    for run_ in failed[:20]:
        partition = f" for {run_.partition_key}" if run_.partition_key else ""
        lines.append(f"  {run_.dag_id}{partition}, task {run_.task_id or '–'}")
        lines.append(f"    {stack.addresses.airflow_url}/dags/{run_.dag_id}/runs/{run_.run_id}")
        log = find_log(stack.home, run_)
        if log:
            lines.append(f"    {log}")
    if len(failed) > 20:
        lines.append(f"  and {len(failed) - 20} more tasks")
    lines.append(
        "Airflow keeps running for a look. Mend the cause, then make run again: only what is missing is repeated."
    )
    return "\n".join(lines)


def find_log(home: Home, failed: FailedRun) -> Path | None:
    """Return the newest log file of a failed task, if it wrote one."""
    if failed.task_id is None:
        return None
    folder = home.logs / "tasks" / f"dag_id={failed.dag_id}" / f"run_id={failed.run_id}" / f"task_id={failed.task_id}"
    if failed.map_index is not None and failed.map_index >= 0:
        folder /= f"map_index={failed.map_index}"
    logs = sorted(folder.glob("attempt=*.log"), key=lambda path: path.stat().st_mtime)
    return logs[-1] if logs else None
