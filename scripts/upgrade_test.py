"""Start the release before, let its loop run, stop it, and let this one go on in the same home: nothing may be lost.

    python -m scripts.upgrade_test [--from COMMIT] [--keep FOLDER]      `make upgrade-test`

The release before is cloned into a temporary folder and gets an environment of its own. With `--keep` its home stays in
FOLDER as it was left, and the next call begins there. Ports are free ones on 127.0.0.1; servers end with the command.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from sqlalchemy import Connection, NullPool, create_engine, text

from include.errors import TamperedModel
from include.learning.registry.artifacts import load_registered
from include.learning.registry.versions import list_versions
from include.names import CORE
from include.problems.reading import load_problem
from include.review.demo_reviewer import read_truth
from scripts import assert_run, drop_logs, upgrade_figures
from scripts.stack import rest
from scripts.stack.errors import StackError
from scripts.stack.home import Home
from scripts.stack.selection import BY_DEFAULT
from scripts.stack.stack import Stack, open_stack

REPOSITORY = Path(__file__).resolve().parent.parent
BEFORE = "41258af"
# A loop takes 5 minutes on two quiet cores.
RUN_S, OTHER_S = 2400, 900
DESK, LATE = "ad_review", "flight_delay"
N_ANSWERED_BEFORE = 3
LATE_KEY = "2014/01/flights-2014-01-01.jsonl.gz"
LATE_PARTITION = "2014-01"
# What is so where everything goes on: what is said where it is not, to a query that counts.
GOES_ON = {
    "no promoted model scored the late partition": f"""
        SELECT count(*) FROM {CORE}.scored_partition AS s
        JOIN {CORE}.model_event AS e USING (problem, model_version)
        WHERE s.problem = '{LATE}' AND s.partition_key = '{LATE_PARTITION}' AND e.event = 'promoted'
    """,
    "what people answered is not all there": f"""
        SELECT count(*) FROM {CORE}.review_batch AS b
        WHERE b.problem = '{DESK}' AND b.status = 'answered' AND b.n_items <= (
            SELECT count(DISTINCT item_id) FROM {CORE}.label AS l
            WHERE l.problem = b.problem AND l.batch_id = b.batch_id AND NOT l.is_demo
        )
    """,
    "no version was fitted on the batch that people finished": f"""
        SELECT count(*) FROM {CORE}.model_version AS v
        JOIN {CORE}.label AS l ON l.problem = v.problem AND v.model_version LIKE l.batch_id || '%'
        WHERE v.problem = '{DESK}' AND NOT l.is_demo
    """,
    "no batch is open after the one that people finished": f"""
        SELECT count(*) FROM {CORE}.review_batch WHERE problem = '{DESK}' AND status = 'open'
    """,
}
QUESTIONS = (
    assert_run.ask_landing,
    assert_run.ask_counts,
    assert_run.ask_models,
    assert_run.ask_experiment,
    assert_run.ask_steps,
)


class Failed(Exception):
    """What a person should read."""


@dataclass(frozen=True)
class Release:
    """A clone of one release, and the home that it works in.

    Attributes:
        clone: its folder.
        words: what `make` is told beside the target.
    """

    clone: Path
    home: Home
    log: Path
    words: tuple[str, ...] = ()

    def make(self, target: str, limit_s: float = OTHER_S) -> None:
        """Run one target.

        Raises:
            Failed: it failed, or took longer than allowed; the message has its last lines.
        """
        told = f"make {target} in {self.clone.name}"
        with self.log.open("a", encoding="utf-8") as log:
            child = subprocess.Popen(
                ["make", "--no-print-directory", target, *self.words],
                cwd=self.clone,
                env=clean_environment(os.environ, self.home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = child.wait(limit_s)
            except BaseException as error:
                _end(child)  # `make run` stops what it started when it is told to end
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Failed(f"{told} took longer than {limit_s / 60:.0f} minutes:\n{self.last_words()}") from error
                raise
        if code:
            raise Failed(f"{told} failed ({code}):\n{self.last_words()}")

    def last_words(self) -> str:
        """Give the end of what its commands said."""
        return self.log.read_text(encoding="utf-8")[-3000:]


def clean_environment(environment: Mapping[str, str], home: Home) -> dict[str, str]:
    """Give the environment of a release's commands: nothing of another stack's, and nothing of the make that asked."""
    foreign = ("MULGIL_", "AIRFLOW", "MAKE", "MFLAGS", "VIRTUAL_ENV")
    kept = {name: value for name, value in environment.items() if not name.startswith(foreign)}
    return {**kept, "MULGIL_HOME": str(home.root), "MULGIL_DEADLINE_MINUTES": f"{RUN_S / 60:.0f}"}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a command and what it started in its own session."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid, number)
        with suppress(subprocess.TimeoutExpired):
            child.wait(120)
            return


# ---------------------------------------------------------------- the release before


def run_before(folder: Path, commit: str, say: Callable[[str], None]) -> None:
    """Clone a release, let its loop run, answer a few items of its open batch, write down what stands, and stop it.

    Leaves `home.before` and `before.json` in the folder.

    Raises:
        Failed: it cannot be cloned or does not run here.
        StackError: its Airflow answers with an error.
    """
    clone, home = folder / "before", Home(folder / "home")
    for part in (clone, home.root, folder / "home.before"):
        shutil.rmtree(part, ignore_errors=True)
    fetch = ("git", "clone", "--quiet", "--no-checkout", str(REPOSITORY), str(clone))
    for command in (fetch, ("git", "-C", str(clone), "checkout", "--quiet", commit)):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{' '.join(command)} failed: {done.stderr.strip()}")
    release = Release(clone, home, folder / "before.log")
    try:
        release.make("run", RUN_S)
        say(f"{commit} is at rest")
        stack = _running_stack(home)
        answered = answer_batch(stack, ["reviewer"], N_ANSWERED_BEFORE)
        say(f"{answered} items of the batch that is left for people are answered by a person")
        figures = upgrade_figures.read_figures(stack.addresses.warehouse_url, home.lake)
        upgrade_figures.save(figures, folder / "figures.json")
    finally:
        release.make("down")
    _copy(home.root, folder / "home.before")
    (folder / "figures.json").replace(folder / "before.json")


def _running_stack(home: Home) -> Stack:
    """Give the stack of a home whose PostgreSQL runs."""
    stack = open_stack(home)
    stack.postgres.start()  # reads the port of the running server; starts nothing
    return stack


def _copy(source: Path, target: Path) -> None:
    """Copy a folder with its owners: another user's PostgreSQL lies in it.

    Raises:
        Failed: it cannot be copied.
    """
    done = subprocess.run(["cp", "-a", source, target], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"{source} could not be copied: {done.stderr.strip()[-500:]}")


# ---------------------------------------------------------------- what people and producers do


def answer_batch(stack: Stack, people: list[str], most: int | None = None) -> int:
    """Answer items of the desk's open batch with their recorded truth, over the page's own routes.

    Args:
        people: who answers, one after the other.
        most: how many items; all when None.

    Returns:
        how many were answered.

    Raises:
        Failed: no batch is open.
    """
    query = text(f"SELECT batch_id FROM {CORE}.review_batch WHERE problem = :problem AND status = 'open'")
    with connected(stack.addresses.warehouse_url) as connection:
        batch_id = connection.scalar(query, {"problem": DESK})
    if batch_id is None:
        raise Failed(f"No batch of {DESK} is open.")
    truth, n_answered = _read_truth(stack, batch_id), 0
    for name in people:
        desk = Desk(stack, name, batch_id)
        item = desk.post("take")["item"]
        while item is not None and n_answered != most:
            said = {"item_id": item["item_id"], "label": truth[item["item_id"]], "request_id": uuid.uuid4().hex}
            item = desk.post("answer", **said)["item"]
            n_answered += 1
    return n_answered


def _read_truth(stack: Stack, batch_id: str) -> dict[str, str]:
    """Read what a batch's items are, by the names that they have on the desk."""
    path = REPOSITORY / "include" / "problems" / "data" / DESK / "truth.parquet"
    query = text(f"SELECT item_id FROM {CORE}.review_item WHERE problem = :problem AND batch_id = :batch_id")
    with connected(stack.addresses.warehouse_url) as connection:
        item_ids = connection.scalars(query, {"problem": DESK, "batch_id": batch_id}).all()
    return read_truth(path, load_problem(DESK).source, [stack.keys.pii_key], item_ids)


class Desk:
    """The desk's routes, as one person's program asks them: logged in once."""

    def __init__(self, stack: Stack, name: str, batch_id: str) -> None:
        self.url, self.name = stack.addresses.airflow_url, name
        self.where = {"problem": DESK, "batch_id": batch_id}
        who = {"username": name, "password": stack.keys.user_passwords[name]}
        self.token = rest.call(f"{self.url}/auth/token", "POST", who)["access_token"]

    def post(self, route: str, **more: str) -> Any:
        """Ask one thing.

        Raises:
            Failed: the desk refuses; the message has its words.
        """
        try:
            return rest.call(f"{self.url}/mulgil/desk/{route}", "POST", {**self.where, **more}, self.token)
        except HTTPError as error:
            words = error.read().decode(errors="replace")[:500]
            raise Failed(f"The desk answered {error.code} to {self.name}, who asked for {route}: {words}") from error


def late_records() -> list[dict[str, Any]]:
    """Make a day of flights that no release has seen: the last day of the log once more, a day later."""
    of_last_day = [lines for key, lines, _ in drop_logs.make_objects(LATE, drop_logs.DATA) if "2013-12-31" in key]
    records = [json.loads(line) for lines in of_last_day for line in lines.splitlines()]
    shifted = []
    for record in records:
        at = datetime.fromisoformat(record["scheduled_at"])
        if at.date().isoformat() == "2013-12-31":  # evenings are in the next day already
            later = (at + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            shifted.append(record | {"flight_id": f"late-{record['flight_id']}", "scheduled_at": later})
    return shifted


def land_late(landing: Path) -> int:
    """Drop a day of flights into landing; give how many there are."""
    records = late_records()
    lines = "".join(json.dumps(record) + "\n" for record in records)
    drop_logs.write_object(landing, f"{LATE}/{LATE_KEY}", drop_logs.pack(lines))
    return len(records)


# ---------------------------------------------------------------- this release


def run_after(folder: Path, say: Callable[[str], None]) -> None:
    """Let this release go on where the one before was stopped, and ask whether everything is still there and goes on.

    Raises:
        Failed: something does not run, was lost, or does not go on.
        StackError: Airflow answers with an error.
    """
    home = Home(folder / "home")
    shutil.rmtree(home.root, ignore_errors=True)
    _copy(folder / "home.before", home.root)
    before = upgrade_figures.load(folder / "before.json")
    log = folder / "after.log"
    log.unlink(missing_ok=True)
    release = Release(REPOSITORY, home, log, (f"VENV={sys.prefix}",))
    try:
        release.make("run", RUN_S)
        say("this release is at rest on the same home")
        stack = _running_stack(home)
        after = upgrade_figures.read_figures(stack.addresses.warehouse_url, home.lake, before)
        _require("After the upgrade", [*upgrade_figures.find_losses(before, after), *ask(stack)])
        say(f"{sum(map(len, before.tables.values()))} rows of {len(before.tables)} tables, and the lake, are as before")
        with connected(stack.addresses.warehouse_url) as connection:
            n_before = count_published(connection)
        n_answered = answer_batch(stack, ["reviewer", "lead", "admin"])
        n_landed = land_late(home.landing)
        say(f"people answered the other {n_answered} items; {n_landed} late records landed")
        release.make("run", RUN_S)
        with connected(stack.addresses.warehouse_url) as connection:
            _require("After new work", [*ask(stack), *goes_on(connection, n_before + n_landed)])
        say("the batch was learned from, and the late records are published and scored")
    finally:
        release.make("down")


def _require(when: str, faults: list[str]) -> None:
    """Let faults stop the test.

    Raises:
        Failed: there are some.
    """
    if faults:
        raise Failed("\n".join([f"{when}, {len(faults)} things are wrong:", *(f"  - {fault}" for fault in faults)]))


def ask(stack: Stack) -> list[str]:
    """Ask the gate's questions that do not change with a release, whether models are readable, and what failed."""
    problems = [load_problem(name) for name in BY_DEFAULT]
    with connected(stack.addresses.warehouse_url) as connection:
        faults = [fault for question in QUESTIONS for fault in question(connection, problems)]
        for name in BY_DEFAULT:
            faults += unreadable_models(connection, name, stack.home.models / name)
    with connected(stack.addresses.metadata_url) as connection:
        return faults + red_runs(connection)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect to a database that others stop soon: nothing stays open."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        yield connection


def unreadable_models(connection: Connection, problem: str, folder: Path) -> list[str]:
    """Name the versions whose stored model cannot be loaded as the registry knows it."""
    faults = []
    for row in list_versions(connection, problem):
        try:
            load_registered(folder, row)
        except TamperedModel as error:
            faults.append(f"{problem} {row['model_version']}: {error}")
    return faults


def red_runs(connection: Connection) -> list[str]:
    """Name the runs that failed, from Airflow's database."""
    query = "SELECT dag_id, partition_key FROM dag_run WHERE state = 'failed' ORDER BY 1, 2"
    return [f"a run of {dag_id} for {key} is red" for dag_id, key in connection.execute(text(query))]


def count_published(connection: Connection) -> int:
    """Count the published rows of the partition that late records fall into, as its audit says."""
    query = f"SELECT n_published FROM {CORE}.partition_audit WHERE problem = :problem AND partition_key = :key"
    return int(connection.scalar(text(query), {"problem": LATE, "key": LATE_PARTITION}) or 0)


def goes_on(connection: Connection, n_published: int) -> list[str]:
    """Say what did not go on: the batch, what was learned from it, the late partition, and its scores.

    Args:
        n_published: rows that the late partition should have by now.
    """
    found = count_published(connection)
    faults = [] if found == n_published else [f"{LATE} {LATE_PARTITION} has {found} published rows, not {n_published}"]
    return faults + [fault for fault, query in GOES_ON.items() if not connection.scalar(text(query))]


# ---------------------------------------------------------------- the command


def main(arguments: list[str]) -> int:
    """Run the release before and this one; say by the exit code whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m scripts.upgrade_test", description=__doc__)
    parser.add_argument("--from", dest="commit", default=BEFORE, help="commit of the release before")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where its home stays, and is used the next time")
    options = parser.parse_args(arguments)
    # Whatever ends this, the servers that it started end, too; a shell tells what runs behind it to ignore Ctrl-C.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    began = time.monotonic()
    folder = options.keep or Path(tempfile.mkdtemp(prefix="mulgil-upgrade-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)  # as root, another user runs PostgreSQL in it

    def say(words: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {words}", flush=True)

    try:
        if (folder / "before.json").exists():
            say(f"the home of the release before stands in {folder}")
        else:
            run_before(folder, options.commit or BEFORE, say)
        run_after(folder, say)
    except (Failed, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
