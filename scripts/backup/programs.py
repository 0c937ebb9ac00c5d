"""PostgreSQL's own programs for a backup, as they come with its server: pg_dump and pg_restore.

What does not belong here: which database, and in which order.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from scripts.stack.errors import StackError
from scripts.stack.ports import HOST
from scripts.stack.postgres import SUPERUSER, EmbeddedPostgres, find_binaries


def dump(server: EmbeddedPostgres, database: str, target: Path, snapshot: str | None = None) -> None:
    """Write a database into one file.

    Args:
        server: that runs.
        database: its name.
        target: file to write.
        snapshot: exported moment to write; the present one when None.

    Raises:
        StackError: pg_dump failed; the message carries its words.
    """
    # Little compression: it is read back as fast as the disk gives it, and two cores have other work.
    options = ["--format=custom", "--compress=1", f"--file={target}"]
    _call(server, "pg_dump", [*options, *([f"--snapshot={snapshot}"] if snapshot else []), database])


def load(server: EmbeddedPostgres, database: str, source: Path) -> None:
    """Fill an empty database from a file that `dump` wrote.

    Raises:
        StackError: pg_restore failed; the message carries its words.
    """
    _call(server, "pg_restore", ["--exit-on-error", "--single-transaction", f"--dbname={database}", str(source)])


def _call(server: EmbeddedPostgres, program: str, arguments: list[str]) -> None:
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PGHOST": HOST,
        "PGPORT": str(server.port),
        "PGUSER": SUPERUSER,
        "PGPASSWORD": server.password,  # not in the arguments, which everybody on the machine reads
    }
    command = [str(find_binaries() / program), "--no-password", *arguments]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = done.stderr.strip()[-1500:] or f"exit code {done.returncode}"
        raise StackError(
            f"{program} failed:\n{words}\nMend that, then try again; make doctor looks at disk and server."
        )
