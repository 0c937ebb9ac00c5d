"""Takes a backup of one home: Airflow's database, then one moment of warehouse, lake, landing and models.

Airflow first: what it says is then never newer than the warehouse. A run that the backup's Airflow still has before it
is run again after a restore, and every step may run twice; the other way round a partition would count as done whose
rows are not there.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from scripts.backup import programs
from scripts.backup.freeze import frozen
from scripts.backup.manifest import NAME, FileEntry, HashingReader, Manifest, hash_problems, hash_stream, read_commit
from scripts.stack import databases
from scripts.stack.errors import StackError
from scripts.stack.home import Home
from scripts.stack.processes import hold_lock
from scripts.stack.stack import Stack, open_stack

# Of the folder in the home that holds the links; the number of the process that made it follows.
PREFIX = ".backup-"
AIRFLOW_DUMP, WAREHOUSE_DUMP, SECRETS = "airflow.dump", "warehouse.dump", "secrets.json"


@dataclass(frozen=True)
class Taken:
    """What was backed up.

    Attributes:
        target: folder or tar file.
        n_files: how many files it holds.
        n_bytes: of all of them, in bytes.
        held_s: for how long nobody could publish, in seconds.
        took_s: all in all, in seconds.
    """

    target: Path
    n_files: int
    n_bytes: int
    held_s: float
    took_s: float


def take_backup(home: Home, target: Path) -> Taken:
    """Write everything of a home that cannot be made anew, also while its stack runs and publishes.

    Args:
        home: what to back up.
        target: a folder that is made, or a file ending in `.tar`. It holds the home's secrets; only its owner reads it.

    Raises:
        StackError: nothing was ever started in the home, the target is there already, or a file that the warehouse
            names is gone; nothing is left at the target.
        OutOfTime: see `freeze.frozen`.
    """
    started = time.monotonic()
    stack = open_stack(home)
    target = target.absolute()
    if target.exists():
        raise StackError(f"{target} is there already; a backup never writes over another. Give another TO=.")
    if home.root == target or home.root in target.parents:
        raise StackError(f"{target} is inside of the home that is to be backed up. Give a TO= on another disk.")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.unfinished-{os.getpid()}")
    for left in stale_drafts(home):
        shutil.rmtree(left, ignore_errors=True)
    links = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=home.root))
    try:
        with _running_postgres(stack):
            manifest, held_s = _collect(stack, home, links)
        _write(links, manifest, draft, is_tar=target.suffix == ".tar")
        os.sync()
        draft.replace(target)
    finally:
        shutil.rmtree(links, ignore_errors=True)
        shutil.rmtree(draft, ignore_errors=True)
        draft.unlink(missing_ok=True)
    n_bytes = sum(entry.n_bytes for entry in manifest.files.values())
    return Taken(target, len(manifest.files), n_bytes, held_s, time.monotonic() - started)


def stale_drafts(home: Home) -> list[Path]:
    """Name what killed backups left in a home: links that keep every file since removed, also of erased people."""
    drafts = sorted(home.root.glob(f"{PREFIX}*"))
    return [path for path in drafts if not _is_at_work(path.name.removeprefix(PREFIX).partition("-")[0])]


def _is_at_work(number: str) -> bool:
    return number.isdigit() and psutil.pid_exists(int(number))


@contextlib.contextmanager
def _running_postgres(stack: Stack) -> Iterator[None]:
    """Use the server that runs; start one for the time being where none does."""
    if stack.postgres.is_running():
        stack.postgres.start()  # reads the port of the running server; starts nothing
        yield
        return
    with hold_lock(stack.home.run, "backup"):
        stack.postgres.start()
        try:
            yield
        finally:
            stack.postgres.stop()


def _collect(stack: Stack, home: Home, links: Path) -> tuple[Manifest, float]:
    """Put everything below one folder, as it was at one moment; return its description without files, and the hold."""
    began = datetime.now(UTC).isoformat(timespec="seconds")
    server = stack.postgres
    programs.dump(server, databases.METADATA, links / AIRFLOW_DUMP)
    url = stack.addresses.warehouse_url.replace("+psycopg", "")
    with frozen(url, home, links) as moment:
        programs.dump(server, databases.WAREHOUSE, links / WAREHOUSE_DUMP, moment.snapshot)
    shutil.copy2(home.secrets, links / SECRETS)
    return Manifest(began, str(home.root), read_commit(), moment.revision, hash_problems()), moment.held_s


def _write(links: Path, manifest: Manifest, draft: Path, *, is_tar: bool) -> None:
    """Write all files, and last what they are: each is hashed as it is written."""
    paths = sorted(path for path in links.rglob("*") if path.is_file())
    if is_tar:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, tarfile.open(fileobj=file, mode="w", dereference=True) as tar:
            for path in paths:
                name = str(path.relative_to(links))
                manifest.files[name] = _add(tar, path, name)
            text = links / NAME
            text.write_text(manifest.to_text())
            _add(tar, text, NAME)
        return
    draft.mkdir(mode=0o700)
    for path in paths:
        copy = draft / path.relative_to(links)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        with copy.open("rb") as written:
            manifest.files[str(path.relative_to(links))] = hash_stream(written)
    (draft / SECRETS).chmod(0o600)
    (draft / NAME).write_text(manifest.to_text())


def _add(tar: tarfile.TarFile, path: Path, name: str) -> FileEntry:
    """Write a file as long as it is at this moment: one that is still appended to may grow meanwhile."""
    with path.open("rb") as source:
        info = tar.gettarinfo(arcname=name, fileobj=source)
        reader = HashingReader(source)
        try:
            tar.addfile(info, reader)
        except OSError as error:
            if error.errno is not None:  # the disk's own word
                raise
            raise StackError(
                f"{name} became shorter while it was written: {reader.entry.n_bytes:,} of {info.size:,} bytes were "
                "there. No backup was made; let whoever writes it end, then back up again."
            ) from error
    return reader.entry
