"""Running PostgreSQL as somebody who is not root, and finding files where that somebody reaches them.

PostgreSQL refuses to run as root. As an ordinary user nothing here does anything; as root, an existing unprivileged
user of the system runs the server, and nothing on the system is changed for it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from scripts.stack.errors import StackError

# A user made for PostgreSQL where the system has one, else the one that every system has.
CANDIDATES = ("postgres", "nobody")
# Survives restarts, exists on every Unix, and everybody may pass through it.
SHARED = Path("/var/tmp")  # noqa: S108  (the folder made in it is 0700, owned, and named after this home)


@dataclass(frozen=True)
class Runner:
    """Who runs PostgreSQL; `uid` None means: we ourselves."""

    uid: int | None = None
    gid: int | None = None

    def popen_options(self) -> dict[str, object]:
        """Return what subprocess needs to become this user."""
        if self.uid is None:
            return {"cwd": "/"}
        return {"cwd": "/", "user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give a path to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def can(self, test: str, path: Path) -> bool:
        """Ask the system, as this user, whether `test` (-x, -r, -w, -d) holds for a path."""
        command = ["/bin/sh", "-c", 'test "$0" "$1"', test, str(path)]
        answer: int = subprocess.run(command, **self.popen_options()).returncode  # type: ignore[call-overload]
        return answer == 0


def choose_runner(data_dir: Path) -> Runner:
    """Return who runs the server: ourselves, or as root the owner of the data, else an unprivileged user.

    Raises:
        StackError: we are root, and there is no other user.
    """
    if os.geteuid() != 0:
        return Runner()
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        status = data_dir.stat()
        return Runner(status.st_uid, status.st_gid)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Runner(entry.pw_uid, entry.pw_gid)
    raise StackError(
        "PostgreSQL does not run as root, and this system has neither a user 'postgres' nor 'nobody'. "
        "Run make as an ordinary user."
    )


def _private_folder(wanted: Path) -> Path:
    """Return the stand-in for a folder that the unprivileged user cannot reach; refuse one planted by somebody else."""
    folder = SHARED / f"mulgil-{sha256(str(wanted).encode()).hexdigest()[:12]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
        raise StackError(
            f"{folder} belongs to another user. Remove it, or set MULGIL_HOME to a folder outside {Path.home()}."
        )
    folder.chmod(0o711)
    return folder


def reachable_data_dir(wanted: Path) -> Path:
    """Return where the data of a server goes: the wanted folder, or its stand-in in a shared place.

    A clone under /root is closed to everybody else, and opening /root for a database would be worse than moving it.
    """
    if os.geteuid() != 0:
        return wanted
    runner = choose_runner(wanted)
    return wanted if runner.can("-x", wanted.parent) else _private_folder(wanted) / "postgres"


def reachable_binaries(runner: Runner, binaries: Path, data_dir: Path) -> Path:
    """Return PostgreSQL's `bin` folder: the installed one, or a copy (73 MB) beside the data where it is closed."""
    probe = [str(binaries / "postgres"), "--version"]
    try:
        if subprocess.run(probe, stdout=subprocess.DEVNULL, **runner.popen_options()).returncode == 0:  # type: ignore[call-overload]
            return binaries
    except PermissionError:
        pass
    package = binaries.parent.parent
    copy = data_dir.parent / f"programs-{binaries.stat().st_mtime_ns}"
    if not copy.exists():
        draft = copy.with_suffix(".new")
        shutil.rmtree(draft, ignore_errors=True)
        # The programs find the wheel's libraries by a path relative to themselves: keep the two folders' places.
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(binaries.parent, draft / package.name / binaries.parent.name, symlinks=True)
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        _open_for_all(draft)
        draft.replace(copy)
    return copy / package.name / binaries.parent.name / "bin"


def _open_for_all(folder: Path) -> None:
    """Let everybody read, and run what was runnable: these are public programs."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o555 if path.is_dir() or mode & 0o100 else mode | 0o444)
