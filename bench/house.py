"""A house to measure in: a throw-away home, warehouse and lake, made as the stack makes them.

    with open_house() as house:
        ...

What belongs here: where things are. What does not: what is measured.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

ROLE = "mulgil"


@contextmanager
def open_house() -> Iterator[Path]:
    """Start a warehouse with all tables, and point this process and its children at it and at an empty home.

    Gives the home: `home / "landing"` is where logs are dropped, `home / "problems"` where problem files are read from.
    """
    from include.warehouse import migrate
    from scripts.stack.postgres import EmbeddedPostgres

    with TemporaryDirectory(prefix="mulgil-bench-") as name:
        home = Path(name)
        home.chmod(0o711)  # as root, another user runs the server below it
        (home / "problems").mkdir()
        password = secrets.token_hex(12)
        with EmbeddedPostgres(home / "postgres", password, is_durable=False) as server:
            server.create_role(ROLE, password)
            server.create_database("warehouse", ROLE)
            os.environ |= {
                "MULGIL_HOME": str(home),
                "MULGIL_PROBLEMS_DIR": str(home / "problems"),
                "MULGIL_WAREHOUSE_URL": server.url("warehouse", ROLE),
                "MULGIL_PII_KEY": password,
            }
            migrate.upgrade(server.url("warehouse", ROLE))
            print(f"Measuring in {home} ...", file=sys.stderr)
            yield home
