"""`make run`: from nothing, or from whatever already runs, to a finished loop.

Every phase is safe to repeat. What this command started, it also stops when it is broken off.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from include.names import Single, Stage
from include.problems.reading import load_problems
from include.settings import DEADLINE_VARIABLE, read_deadline_minutes, read_settings
from scripts.stack import components, info, parsing, summary
from scripts.stack.engine import require_engine
from scripts.stack.errors import ComponentDied, LoopFailed, OutOfTime, StackError
from scripts.stack.home import Home, check_disk, make_folders
from scripts.stack.keeper import Keeper
from scripts.stack.keys import make_keys
from scripts.stack.loop import FailedRun, Loop, Patience, Snapshot, Stillness
from scripts.stack.processes import hold_lock, last_lines
from scripts.stack.progress import Progress
from scripts.stack.rest import Airflow
from scripts.stack.selection import EVERYTHING, Selection, broken_problems, select_problems
from scripts.stack.stack import Stack

LAND_SUFFIX = f"__{Stage.LAND}"
PROBLEM_FILES = "problem_files.py"  # the DAG file whose import error tells broken problem files


def run(home: Home, progress: Progress, *, wanted: str = "", are_secrets_shown: bool = False) -> str:
    """Start what does not run, let the loop run, and return the summary with all addresses.

    Args:
        home: whose servers.
        progress: where a person reads how far it is.
        wanted: which problems are carried to the end, as `selection.Selection.of` takes it.
        are_secrets_shown: whether the addresses say passwords, too.

    Raises:
        StackError: something stands in the way, or DAG runs failed; the message says what to do.
        OutOfTime: the loop did not finish in the time that was given; all goes on.
        BadSettings: a setting that this command or the components read is not what is allowed.
        KeyboardInterrupt: the user broke it off; everything that this call started is stopped.
    """
    patience_s = 60 * read_deadline_minutes()
    parsing.require_problems()
    selection = select_problems(wanted) if parsing.has_own_dags() else EVERYTHING
    with _opened(home) as stack:
        try:
            with _stopping_on_failure(stack, progress), _naming_a_lost_database(stack):
                keeper = start(stack, progress, selection)
                watch(stack, keeper, progress, patience_s, selection)
        except OutOfTime as error:
            raise OutOfTime(f"{_describe(stack, are_secrets_shown=are_secrets_shown)}\n\n{error}") from error
        text = _describe(stack, are_secrets_shown=are_secrets_shown)
    return f"{text}\n\nAirflow keeps running; make down stops it, make info shows this again."


def up(home: Home, progress: Progress, *, are_secrets_shown: bool = False) -> str:
    """Start everything without the built-in problems' data, and return all addresses; what runs is up to the files.

    Problems whose file says `active: true` begin by themselves; DAGs of others wait for whoever unpauses them.

    Raises:
        StackError, BadSettings, KeyboardInterrupt: as `run`.
    """
    with _opened(home) as stack, _stopping_on_failure(stack, progress), _naming_a_lost_database(stack):
        start(stack, progress, Selection(()))
        facts = info.build_info(stack, are_secrets_shown=are_secrets_shown)
    own = sorted(problem.name for problem in load_problems()[0] if problem.active)
    begun = f"These begin by themselves: {', '.join(own)}." if own else "No problem begins by itself."
    return f"{info.format_text(facts)}\n\n{begun} make problem FROM=file proposes one; make down stops everything."


@contextlib.contextmanager
def _opened(home: Home) -> Iterator[Stack]:
    """Give the stack of a home to one command at a time, once nothing stands in its way.

    Raises:
        StackError: the engine cannot start, the disk is full, or a restore was broken off here.
    """
    require_engine(read_settings().engine)
    check_disk(home)
    if home.restoring.exists():
        raise StackError(f"A restore into {home.root} was broken off, so that half is missing. Run make restore again.")
    make_folders(home)
    with hold_lock(home.run, "run"):
        yield Stack(home, make_keys(home.secrets))


def _describe(stack: Stack, *, are_secrets_shown: bool) -> str:
    """Return what the loop has found so far, as far as the warehouse answers, and all addresses."""
    try:
        text = summary.summarise(stack.addresses.warehouse_url)
    except StackError as error:
        text = str(error)
    facts = info.build_info(stack, are_secrets_shown=are_secrets_shown)
    return f"{text}\n\n{info.format_text(facts)}".lstrip()


@contextlib.contextmanager
def _naming_a_lost_database(stack: Stack) -> Iterator[None]:
    """Turn whatever a database that went away makes of the work inside into one sentence.

    Raises:
        ComponentDied: PostgreSQL ended.
        StackError: it runs, but broke a connection off.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (psycopg.Error, DBAPIError, StackError) as error:
        if not stack.postgres.is_running():
            log = stack.postgres.log
            raise ComponentDied(
                f"PostgreSQL ended by itself. Its last lines ({log}):\n{last_lines(log)}\n"
                "Run make run again to start it; if it ends again, the lines above say why."
            ) from error
        if isinstance(error, StackError):
            raise
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise StackError(
            f"PostgreSQL broke off a connection ({reason}). Run make run again: what was done stays done; "
            f"if it comes again, {stack.postgres.log} says why."
        ) from error


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


def start(stack: Stack, progress: Progress, selection: Selection) -> Keeper:
    """Bring up PostgreSQL and Airflow, with databases migrated and logs in landing; return who looks after them."""
    stack.start_postgres()
    verb = "started" if stack.started_postgres else "already runs"
    progress.say(f"PostgreSQL {verb} on port {stack.postgres.port} ({stack.postgres.data_dir})")
    with stack.with_airflow_port():
        environment = stack.environment(is_demo_reviewer_on=True)
        wait_for_metadata = stack.prepare_metadata(environment)
        prepared = _in_background(lambda: prepare_warehouse(stack, selection))
        if wait_for_metadata():
            progress.say("Airflow's database, roles and users are made")
        for line in prepared.result():
            progress.say(line)
        stack.start_airflow(environment)
        names = stack.started_components
        progress.say(f"Starting {', '.join(names)} ..." if names else "Airflow already runs")
        keeper = Keeper(stack, environment, progress)
        components.wait_until_healthy(stack.home, stack.client, keeper.look)
    stack.client.warm()
    progress.say(f"Airflow is healthy at {stack.addresses.airflow_url}")
    return keeper


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


def prepare_warehouse(stack: Stack, selection: Selection) -> list[str]:
    """Migrate the warehouse and drop the logs of selected built-in problems into landing; return what to say of it.

    Raises:
        StackError: the warehouse is of a version that this code does not know.
    """
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
    files = read_settings().problems_dir
    for problem in drop_logs.REPLAYS:
        if not selection.names_problem(problem) or not (files / f"{problem}.yaml").exists():
            continue  # its data may have been removed with its file
        report = drop_logs.drop_logs(problem, stack.home.landing)
        lines.append(f"{problem}: {report.n_objects} log files in landing, {report.n_written} of them new")
    return lines


def watch(stack: Stack, keeper: Keeper, progress: Progress, patience_s: float, selection: Selection) -> None:
    """Let the DAGs of selected problems run until their loop is at rest.

    Args:
        stack: its servers are healthy.
        keeper: looks after them.
        progress: where a person reads how far it is.
        patience_s: how long nothing may come further.
        selection: whose runs are waited for, and may fail this one.

    Raises:
        LoopFailed: runs failed, a file could not be read, or nothing can be triggered.
        OutOfTime: nothing came further for too long.
        ComponentDied: a server ends again and again.
    """
    client = replace(stack.client, look=keeper.look)
    url = stack.addresses.metadata_url.replace("+psycopg2", "")
    with Loop(lambda: psycopg.connect(url, autocommit=True), datetime.now(UTC), keeper.look, selection.holds) as loop:
        parsing.wait_until_parsed(stack.home, client, loop, keeper.look, selection)
        told = client.import_errors()
        for error in told:
            progress.say(f"NOT READ {error['filename']}: {_last_line(error['stack_trace'])}")
        # A problem file of somebody else is told, and is theirs to mend.
        n_errors = sum(not error["filename"].endswith(PROBLEM_FILES) for error in told)
        n_errors += len(broken_problems(selection)) if n_errors < len(told) else 0
        started = trigger(client, selection)
        progress.say(f"{len(started)} problems start: {', '.join(started)}")
        last = wait_until_at_rest(stack, loop, keeper, progress, patience_s)
        progress.show(last, is_last=True)
        failed = loop.failed_runs()
    if failed or n_errors:
        raise LoopFailed(describe_failures(failed, n_errors, stack))
    waits = f"; {last.n_waiting} wait for a person" if last.n_waiting else ""
    progress.say(f"The loop is at rest: {last.n_done} runs done{waits}")


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def trigger(client: Airflow, selection: Selection) -> list[str]:
    """Unpause selected problems' DAGs, those that listen first; trigger each one's landing; return the names.

    DAGs with a form, which belong to no problem, are unpaused, too.

    Raises:
        LoopFailed: there is nothing to trigger.
    """
    everyone = sorted(client.dags(), key=lambda dag: dag["dag_id"].endswith(LAND_SUFFIX))
    dags = [dag for dag in everyone if selection.holds(dag["dag_id"]) or dag["dag_id"] in set(Single)]
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


def wait_until_at_rest(stack: Stack, loop: Loop, keeper: Keeper, progress: Progress, patience_s: float) -> Snapshot:
    """Show the progress until nothing works and nothing waits.

    Raises:
        OutOfTime: nothing came further for `patience_s`; Airflow keeps running.
        ComponentDied: a server ends again and again.
    """
    patience, stillness = Patience(), Stillness(time.monotonic())
    while True:
        keeper.look()
        snapshot = loop.snapshot()
        progress.show(snapshot)
        now = time.monotonic()
        if patience.is_at_rest(snapshot, now):
            return snapshot
        if stillness.seconds(snapshot, now) > patience_s:
            raise OutOfTime(
                f"The loop is not at rest, and nothing came further for {patience_s / 60:.3g} minutes: "
                f"{snapshot.n_active} runs work, {snapshot.n_pending} partitions wait. Airflow keeps running: watch it "
                f"at {stack.addresses.airflow_url}, or run make run again, which restarts nothing and waits on. "
                f"{DEADLINE_VARIABLE} allows more minutes."
            )
        time.sleep(0.5)


def describe_failures(failed: list[FailedRun], n_errors: int, stack: Stack) -> str:
    """Return what failed, each with the page and the log that say why."""
    lines = [f"{n_errors} DAG or problem files could not be read; see NOT READ above."] if n_errors else []
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
