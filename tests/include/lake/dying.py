"""Runs one step in a process of its own, which kills itself at the n-th thing that it does to the world.

Things done are counted, not timed: SQL statements, commits, files opened for writing, moved or removed, and what
PyIceberg and the lake do to files and tables, before and after each. Not a test file.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

# A server that has imported everything, and neither runs an engine nor holds a connection, forks the processes.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "include.quality.gx_context",
        *(
            f"include.lake.{name}"
            for name in ("steps", "sources", "garbage_collection", "manifest", "group_ingest", "publishing")
        ),
        *(f"include.quality.{name}" for name in ("steps", "audit", "staged_files", "verdicts")),
        "tests.include.lake.dying",
    ]
)

_PLACES = {
    "files.py": {"write_parquet", "write_partitions", "unfinished_file", "keep_file", "remove_files"},
    "writing.py": {"write_rows", "publish_each", "_commit"},
    "publishing.py": {"commit_files", "store_outcome"},
    "pyarrow.py": {"create", "delete", "parquet_files_to_data_files"},
    "sql.py": {"commit_table", "create_table"},
    "manifest.py": {"__exit__"},
}
_WRITES = os.O_WRONLY | os.O_RDWR


def run(step: str, arguments: Mapping[str, Any], environment: Mapping[str, str], die_at: int | None = None) -> Any:
    """Run a step in another process.

    Args:
        step: of ingest, for a partition or for a group, or of experiments.
        environment: what the process finds in `os.environ`.
        die_at: the thing before which it kills itself; it only counts when None.

    Returns:
        how many things it did; None when it was killed.
    """
    receiver, sender = FORKS.Pipe(duplex=False)
    process = FORKS.Process(target=_live, args=(step, dict(arguments), dict(environment), die_at, sender))
    process.start()
    sender.close()
    process.join()
    assert process.exitcode in {0, -signal.SIGKILL}, f"{step} ended with {process.exitcode}"
    return receiver.recv() if process.exitcode == 0 else None


def _live(step: str, arguments: dict[str, Any], environment: dict[str, str], die_at: int | None, sender: Any) -> None:
    """Be the process."""
    os.environ.update(environment)
    n_done = 0

    def count() -> None:
        nonlocal n_done
        n_done += 1
        if n_done == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch(count)
    find_step(step)(**arguments)
    sys.setprofile(None)
    sender.send(n_done)


def ingest(partition_key: str, environment: Mapping[str, str], start: Any) -> None:
    """Walk a partition of `flights` through ingest in this process, once everybody else is ready, too."""
    os.environ.update(environment)
    key = {"problem": "flights", "partition_key": partition_key}
    start.wait(60)
    staged = find_step("stage_partition")(**key)
    audit = find_step("audit_partition")(**key, staged=staged)
    find_step("publish_partition")(**key, staged=staged, audit=audit)


def find_step(name: str) -> Callable[..., dict[str, Any]]:
    """Give a step of ingest, or of experiments, by its name."""
    from include.experiments import steps as experiments
    from include.lake import steps as lake
    from include.quality import steps as quality

    return next(getattr(room, name) for room in (lake, quality, experiments) if hasattr(room, name))


def _watch(count: Callable[[], None]) -> None:
    """Call `count` before each thing that this process does to the world."""
    from sqlalchemy import Engine, event

    event.listen(Engine, "before_cursor_execute", lambda *_: count())
    event.listen(Engine, "commit", lambda *_: count())

    def audited(name: str, arguments: tuple[Any, ...]) -> None:
        is_write = name == "open" and isinstance(arguments[2], int) and bool(arguments[2] & _WRITES)
        if is_write or name in {"os.rename", "os.remove", "os.mkdir"}:
            count()

    def profiled(frame: Any, kind: str, _: Any) -> None:
        file_name = frame.f_code.co_filename.rpartition("/")[2]
        if kind in {"call", "return"} and frame.f_code.co_name in _PLACES.get(file_name, ()):
            count()

    sys.addaudithook(audited)
    sys.setprofile(profiled)
