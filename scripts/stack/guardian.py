"""What a test leaves behind when it is killed: nothing. `... guardian OWNER BIRTH DATA_DIR FOLDER...`

A throw-away server cannot end with its parent by itself: PostgreSQL's own starter is its parent, and gone at once. So a
small process watches the owner, in a session of its own that no Ctrl-C and no killed process group reaches. When the
owner ends without having ended the guardian, it stops the server and removes the folders.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil

from scripts.stack import processes
from scripts.stack.home import REPO
from scripts.stack.postgres import EmbeddedPostgres


def watch_over(owner: int, data_dir: Path, folders: Sequence[Path]) -> subprocess.Popen[bytes]:
    """Start a guardian; whoever clears up in good order ends it with `dismiss`.

    Args:
        owner: process with which the server is to end.
        data_dir: of a server that may not have been started yet.
        folders: what is removed with it.
    """
    command = [sys.executable, "-m", "scripts.stack.guardian", str(owner), processes.birth_of(owner), str(data_dir)]
    return subprocess.Popen(
        [*command, *map(str, folders)],
        cwd=REPO,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def dismiss(guardian: subprocess.Popen[bytes]) -> None:
    """End a guardian whose work was done by others."""
    guardian.kill()
    guardian.wait()


def wait_for_end(owner: int, birth: str) -> None:
    """Return when a process has ended, or when another has its number."""
    with contextlib.suppress(psutil.NoSuchProcess):
        if processes.birth_of(owner) == birth:
            psutil.Process(owner).wait()


def clear_up(data_dir: Path, folders: Sequence[Path]) -> None:
    """Stop a throw-away server, if it was ever started, and remove what is left of it."""
    server = EmbeddedPostgres(data_dir, is_durable=False)
    if server.data_dir.exists():
        server.stop()
    if server.data_dir != data_dir:  # it had to live elsewhere
        shutil.rmtree(server.data_dir.parent, ignore_errors=True)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def main(arguments: list[str]) -> None:
    """Wait, then clear up."""
    owner, birth, data_dir, *folders = arguments
    wait_for_end(int(owner), birth)
    clear_up(Path(data_dir), [Path(folder) for folder in folders])


if __name__ == "__main__":
    main(sys.argv[1:])
