"""Start docker-compose.yaml for real, carry the three problems with Celery workers on S3, ask, and take it down.

    python -m scripts.compose_test [--problems NAMES] [--like URL] [--keep]      `make compose-test`

Needs root and Debian's docker.io, docker-compose and debootstrap. Images are stand-ins of the same names
(docker/standins), for a machine that can pull none. Where DOCKER_HOST is set that engine is used; else one is started
in a folder of its own and ended. Ports are those of the file, on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import psycopg
from sqlalchemy import NullPool, create_engine, text

from scripts import drop_logs
from scripts.stack.errors import StackError
from scripts.stack.loop import Loop, Patience, Snapshot, Stillness
from scripts.stack.progress import Progress
from scripts.stack.rest import Airflow
from scripts.stack.run import trigger
from scripts.stack.selection import select_problems

REPOSITORY = Path(__file__).resolve().parent.parent
PROJECT = "mulgil-compose-test"
FILES = ("docker-compose.yaml", "docker/standins/override.yaml")
HEALTHY_S, PARSED_S, STILL_S = 900, 600, 900
NEEDED = ("dockerd", "docker", "docker-compose", "debootstrap")


class Failed(Exception):
    """What a person should read."""


@contextlib.contextmanager
def engine(folder: Path) -> Iterator[dict[str, str]]:
    """Give the environment of a Docker engine: the one that DOCKER_HOST names, or one that ends with the work inside.

    Raises:
        Failed: a program is missing, or the engine does not start.
    """
    environment = {**os.environ, "DOCKER_BUILDKIT": "0", "COMPOSE_PROJECT_NAME": PROJECT}
    if environment.get("DOCKER_HOST"):
        yield environment
        return
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        raise Failed(f"Needs root and {', '.join(NEEDED)}; missing here: {', '.join(missing) or 'root'}.")
    socket = f"unix://{folder}/engine.sock"
    command = ["dockerd", "--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "-H", socket]
    with (folder / "engine.log").open("wb") as log:
        daemon = subprocess.Popen([*command, "--pidfile", f"{folder}/engine.pid"], stdout=log, stderr=log)
    environment["DOCKER_HOST"] = socket
    try:
        _wait("the Docker engine", 60, lambda: _is_good(["docker", "version"], environment))
        yield environment
    finally:
        daemon.terminate()
        daemon.wait(60)


def _is_good(command: list[str], environment: dict[str, str]) -> bool:
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0


def _wait(what: str, limit_s: float, is_there: Callable[[], bool]) -> float:
    """Wait until something is so; give how long that took, in seconds.

    Raises:
        Failed: it was not so in time.
    """
    started = time.monotonic()
    while not is_there():
        if time.monotonic() - started > limit_s:
            raise Failed(f"{what}: not there after {limit_s:.0f} s.")
        time.sleep(1)
    return time.monotonic() - started


class Stack:
    """The services of the file, from outside."""

    def __init__(self, environment: dict[str, str], env_file: Path) -> None:
        self.environment = environment
        self.secrets = dict(line.split("=", 1) for line in _secret_lines(env_file))
        files = [word for name in FILES for word in ("--file", str(REPOSITORY / name))]
        self.command = ["docker-compose", *files, "--env-file", str(env_file)]

    def compose(self, *words: str) -> str:
        """Run one command of Compose, and give what it printed.

        Raises:
            Failed: it failed; the message has its last lines.
        """
        done = subprocess.run(
            [*self.command, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failed(f"docker-compose {' '.join(words)} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def unhealthy(self) -> list[str]:
        """Name the containers that are not healthy; those that run once and ended well count as healthy."""
        ids = self.compose("ps", "--all", "--quiet").split()
        if not ids:
            return ["every service"]
        told = subprocess.run(
            ["docker", "inspect", *ids], env=self.environment, capture_output=True, text=True, check=True
        )
        return [found["Name"].strip("/") for found in json.loads(told.stdout) if not _is_well(found["State"])]

    @property
    def warehouse(self) -> str:
        """SQLAlchemy URL of the warehouse, from this machine."""
        return f"postgresql+psycopg://mulgil:{self.secrets['MULGIL_DB_PASSWORD']}@127.0.0.1:5432/mulgil"

    @property
    def metadata(self) -> str:
        """URL of Airflow's database, from this machine."""
        return f"postgresql://airflow:{self.secrets['AIRFLOW_DB_PASSWORD']}@127.0.0.1:5432/airflow"

    @property
    def client(self) -> Airflow:
        """Airflow, as its administrator."""
        return Airflow("http://127.0.0.1:8080", self.secrets["AIRFLOW_ADMIN_PASSWORD"], lambda: True)

    def land(self, problem: str) -> int:
        """Drop a built-in problem's logs into the store; give how many objects there are."""
        store = boto3.client(
            "s3",
            endpoint_url="http://127.0.0.1:9000",
            aws_access_key_id=self.secrets["S3_ACCESS_KEY"],
            aws_secret_access_key=self.secrets["S3_SECRET_KEY"],
            region_name="us-east-1",
        )
        n_objects = 0
        for key, lines, _ in drop_logs.make_objects(problem, drop_logs.DATA):
            store.put_object(Bucket="mulgil-landing", Key=f"{problem}/{key}", Body=drop_logs.pack(lines))
            n_objects += 1
        return n_objects


def _secret_lines(env_file: Path) -> list[str]:
    return [line for line in env_file.read_text().splitlines() if "=" in line and not line.startswith("#")]


def _is_well(state: dict[str, Any]) -> bool:
    if "Health" in state:
        return bool(state["Health"]["Status"] == "healthy")
    return bool(state["Status"] == "exited" and state["ExitCode"] == 0)


def run_loop(stack: Stack, wanted: str, say: Callable[[str], None]) -> None:
    """Land built-in problems' logs, let their DAGs run, and wait until they are at rest.

    Raises:
        Failed: a DAG file cannot be read, runs failed, or nothing came further for too long.
        StackError: Airflow answers with an error.
    """
    selection = select_problems(wanted)
    n_objects = sum(stack.land(name) for name in selection.names or ())
    say(f"{n_objects} log files in the store")
    client = stack.client
    with Loop(lambda: psycopg.connect(stack.metadata, autocommit=True), datetime.now(UTC)) as loop:
        _wait("Airflow's DAGs", PARSED_S, lambda: _count_dags(loop) > 0)
        if errors := client.import_errors():
            raise Failed(
                f"{len(errors)} files cannot be read, {errors[0]['filename']}: {errors[0]['stack_trace'][-500:]}"
            )
        say(f"{', '.join(trigger(client, selection))} start")
        last = wait_until_at_rest(loop)
        failed = loop.failed_runs()
    if failed:
        words = "\n".join(f"  {run.dag_id} {run.partition_key or ''} task {run.task_id}" for run in failed[:20])
        raise Failed(f"{len(failed)} tasks failed:\n{words}")
    say(f"at rest: {last.n_done} runs done")


def _count_dags(loop: Loop) -> int:
    """Count the DAGs that are known once no more come."""
    before = loop.parsed_dags()
    time.sleep(10)
    return len(before) if before.keys() == loop.parsed_dags().keys() else 0


def wait_until_at_rest(loop: Loop) -> Snapshot:
    """Wait until nothing works and nothing waits.

    Raises:
        Failed: nothing came further for a quarter of an hour.
    """
    patience, stillness, progress = Patience(), Stillness(time.monotonic()), Progress()
    while True:
        snapshot = loop.snapshot()
        progress.show(snapshot)
        if patience.is_at_rest(snapshot, time.monotonic()):
            return snapshot
        if stillness.seconds(snapshot, time.monotonic()) > STILL_S:
            raise Failed(f"{snapshot.n_active} runs work, and nothing came further for {STILL_S / 60:.0f} minutes.")
        time.sleep(2)


# What a decision rests on, the same on every stack: no times of a clock, ids of snapshots, or places.
COMPARED = {
    "data completeness": """
        SELECT problem, partition_key, n_in, n_published, n_quarantined, n_duplicate, verdict FROM bi.data_completeness
    """,
    "quarantine": "SELECT problem, reason, n_rows FROM bi.quarantine_by_reason",
    "models in force": "SELECT problem, serves_from FROM bi.model_in_production WHERE is_in_production",
    "candidates": """
        SELECT problem, trained_through, candidate, n_rows, round(log_loss_nats::numeric, 9) FROM bi.model_comparison
    """,
    "calibration": """
        SELECT problem, month, n_rows, round(mean_predicted_ratio::numeric, 9), round(ece_ratio::numeric, 9)
        FROM bi.calibration_monthly
    """,
    "experiments": """
        SELECT problem, experiment, decision, variant_in_force, round(realised_lift_ratio::numeric, 9)
        FROM bi.experiment_result
    """,
}


def compare(ours: str, theirs: str, questions: dict[str, str] = COMPARED) -> list[str]:
    """Compare what two warehouses say; give a sentence for each question that they answer differently."""
    said = []
    for name, query in questions.items():
        answers = []
        for url in (ours, theirs):
            with create_engine(url, poolclass=NullPool).connect() as connection:
                answers.append(Counter(map(str, connection.execute(text(query)).all())))
        differ = (answers[0] - answers[1]) + (answers[1] - answers[0])
        if differ:
            said.append(f"{name}: {differ.total()} rows differ, such as {min(differ)}")
    return said


def carry(folder: Path, options: argparse.Namespace, say: Callable[[str], None]) -> None:
    """Start every service, let the loop run, ask the warehouse, and take everything down.

    Args:
        folder: for the engine and the secrets.
        options: what the command line said.
        say: prints a line.

    Raises:
        Failed: an image cannot be built, a service is not healthy in time, runs failed, or an answer is wrong.
        StackError: Airflow answers with an error.
    """
    with engine(folder) as environment:
        if subprocess.run([REPOSITORY / "docker" / "standins" / "build.sh"], env=environment, check=False).returncode:
            raise Failed("An image could not be built; see above.")
        say("images are built")
        subprocess.run([sys.executable, REPOSITORY / "docker" / "make_env.py", folder / "env"], check=True)
        stack = Stack(environment, folder / "env")
        try:
            stack.compose("up", "--detach", "--no-build")
            _wait("health of every service", HEALTHY_S, lambda: not stack.unhealthy())
            say("every service is healthy")
            run_loop(stack, options.problems, say)
            asked = [sys.executable, "-m", "scripts.assert_run", "--problems", options.problems]
            if subprocess.run([*asked, "--warehouse", stack.warehouse], check=False, cwd=REPOSITORY).returncode:
                raise Failed("The warehouse answers a question wrongly; see above.")
            if options.like and (differences := compare(stack.warehouse, options.like)):
                raise Failed("\n".join(differences))
            say("the warehouse says what it should")
        except (Failed, StackError):
            print(stack.compose("logs", "--tail", "15")[-6000:], file=sys.stderr)
            raise
        finally:
            if not options.keep:
                stack.compose("down", "--volumes", "--timeout", "20")
                say("down")


def main(arguments: list[str]) -> int:
    """Start, run, ask, take down; say by the exit code whether all was well."""
    parser = argparse.ArgumentParser(prog="python -m scripts.compose_test", description=__doc__)
    parser.add_argument("--problems", default="", help="as make run takes them; three by default")
    parser.add_argument("--like", metavar="URL", help="warehouse of a `make run` that must say the same")
    parser.add_argument("--keep", action="store_true", help="leave the services running, where the engine is yours")
    options = parser.parse_args(arguments)
    if options.keep and not os.environ.get("DOCKER_HOST"):
        parser.error(
            "--keep needs an engine of yours (DOCKER_HOST): the one that is started here ends with the command"
        )
    began = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="mulgil-compose-"))
    try:
        carry(folder, options, lambda words: print(f"{time.monotonic() - began:6.0f} s  {words}", flush=True))
    except (Failed, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
