"""Puts a backup back into an empty home, and checks that rows and files add up.

What does not belong here: starting Airflow; `make run` or `make up` does that afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from alembic.script import ScriptDirectory

from include.settings import REPOSITORY
from scripts.backup import programs
from scripts.backup.freeze import FOLDERS
from scripts.backup.manifest import BadBackup, Manifest, hash_problems, read_manifest, require_whole
from scripts.backup.take import AIRFLOW_DUMP, SECRETS, WAREHOUSE_DUMP
from scripts.stack import databases
from scripts.stack.errors import StackError
from scripts.stack.home import NEEDED_GB, Home, check_disk, make_folders
from scripts.stack.keys import read_keys
from scripts.stack.postgres import EmbeddedPostgres
from scripts.stack.processes import hold_lock
from scripts.stack.stack import Stack, open_stack

MIGRATIONS = REPOSITORY / "include" / "warehouse" / "migrations"
# What a person has to write before a home that holds something is put aside.
CLEAR_WORD = "replace"


@dataclass(frozen=True)
class Restored:
    """What was put back.

    Attributes:
        manifest: of the backup.
        set_aside: where the home that was there before went; None where there was none.
        other_problems: problem files that are not what they were.
        took_s: all in all, in seconds.
    """

    manifest: Manifest
    set_aside: Path | None
    other_problems: tuple[str, ...]
    took_s: float


def restore(home: Home, source: Path, over: str = "") -> Restored:
    """Put a backup back; servers stay down.

    Args:
        home: where to; the path that it was backed up from.
        source: folder or tar file that `take_backup` wrote.
        over: the clear word, for a home that holds something: it is put aside, not removed.

    Raises:
        BadBackup: the backup is not whole, not of this path, or newer than this code.
        StackError: the home holds something and nobody said the clear word, or it runs.
    """
    started = time.monotonic()
    _require_room(home, over)
    home.root.parent.mkdir(parents=True, exist_ok=True)
    check_disk(home, max(NEEDED_GB, _size_gb(source)))
    draft = Path(tempfile.mkdtemp(prefix=f".{home.root.name}.restore-", dir=home.root.parent))
    try:
        folder = _unpack(source, draft)
        manifest = read_manifest(folder)
        _require_fit(home, manifest)
        require_whole(folder, manifest)
        with hold_lock(home.run, "restore") if home.run.exists() else contextlib.nullcontext():
            set_aside = _set_aside(home)
        _fill(home, folder, is_draft=folder == draft)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    now = hash_problems()
    other = sorted(name for name in manifest.problems if now.get(name) != manifest.problems[name])
    return Restored(manifest, set_aside, tuple(other), time.monotonic() - started)


def _size_gb(source: Path) -> float:
    """Return how much room a backup takes, in GB; 0 for one that is not there, which is refused later."""
    if source.is_dir():
        return sum(path.stat().st_size for path in source.rglob("*") if path.is_file()) / 1e9
    return source.stat().st_size / 1e9 if source.exists() else 0.0


def _require_room(home: Home, over: str) -> None:
    """Raise StackError where the home holds something that nobody gave away."""
    if not home.root.exists() or not any(home.root.iterdir()) or home.restoring.exists():
        return
    if over != CLEAR_WORD:
        raise StackError(
            f"{home.root} holds something. To put it aside and restore in its place, say OVER={CLEAR_WORD}; nothing "
            "was changed."
        )
    if home.secrets.exists() and any(open_stack(home).running().values()):
        raise StackError(f"The stack of {home.root} runs. make down stops it; then restore again.")


def _unpack(source: Path, draft: Path) -> Path:
    """Return the folder of a backup; a tar file is unpacked into the draft first."""
    if source.is_dir():
        return source
    try:
        with tarfile.open(source) as tar:
            tar.extractall(draft, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise BadBackup(
            f"{source} is neither the folder nor the whole tar file of a backup ({error}). Give FROM= what make backup "
            "TO= was given."
        ) from error
    return draft


def _require_fit(home: Home, manifest: Manifest) -> None:
    """Raise BadBackup where the backup belongs to another path, or to newer code."""
    if manifest.home != str(home.root):
        raise BadBackup(
            f"The backup is of {manifest.home}, and the home is {home.root}. Lake tables name their files by the whole "
            f"path: restore with MULGIL_HOME={manifest.home}."
        )
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if manifest.revision and manifest.revision not in known:
        raise BadBackup(
            f"The backup's warehouse is at revision {manifest.revision}, which this code does not know: it is older "
            f"than the backup. Check out {manifest.commit or 'the commit it was taken with'} or newer, then restore."
        )


def _set_aside(home: Home) -> Path | None:
    """Rename what is in the way, PostgreSQL's data included where that lives elsewhere; a broken-off restore goes."""
    is_empty = not home.root.exists() or not any(home.root.iterdir())
    home.root.mkdir(exist_ok=True)
    home.root.chmod(0o711)  # as `make_folders` does: where the data is depends on who may pass through
    server = EmbeddedPostgres(home.postgres)
    server.stop()  # of a home that was lost, or of a restore that was broken off; any other was refused
    data = server.data_dir
    if home.restoring.exists():
        shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(home.root)
        return None
    aside = home.root.with_name(f"{home.root.name}.before-{time.strftime('%Y%m%dT%H%M%S')}")
    if data.exists() and home.root not in data.parents:
        elsewhere = data.with_name(f"{data.name}.before-{aside.name.rpartition('-')[2]}")
        data.replace(elsewhere)
        print(f"Put PostgreSQL's data that was there before into {elsewhere}.", flush=True)
    if is_empty:
        return None
    home.root.replace(aside)
    print(f"Put what was there before into {aside}.", flush=True)
    return aside


def _fill(home: Home, folder: Path, *, is_draft: bool) -> None:
    """Put files and databases in place; until all of it is there, the home says that it is being restored."""
    make_folders(home)
    home.restoring.touch()
    with hold_lock(home.run, "restore"):
        for name in FOLDERS:
            if (folder / name).exists():
                place = home.root / name
                if is_draft:
                    shutil.rmtree(place, ignore_errors=True)
                    (folder / name).replace(place)
                else:
                    shutil.copytree(folder / name, place, dirs_exist_ok=True)
                place.chmod(0o700)
        shutil.copyfile(folder / SECRETS, home.secrets)
        home.secrets.chmod(0o600)
        stack = Stack(home, read_keys(home.secrets))
        stack.postgres.start()
        try:
            _load_databases(stack, folder)
        finally:
            stack.postgres.stop()
        os.sync()
        home.restoring.unlink()


def _load_databases(stack: Stack, folder: Path) -> None:
    server, keys = stack.postgres, stack.keys
    server.create_role(databases.METADATA_ROLE, keys.airflow_database_password)
    server.create_role(databases.WAREHOUSE_ROLE, keys.warehouse_password)
    server.create_role(databases.BI_ROLE, keys.bi_password)
    for name, role, dump in (
        (databases.METADATA, databases.METADATA_ROLE, AIRFLOW_DUMP),
        (databases.WAREHOUSE, databases.WAREHOUSE_ROLE, WAREHOUSE_DUMP),
    ):
        server.create_database(name, role)
        programs.load(server, name, folder / dump)
    databases.prepare_databases(server, keys)
