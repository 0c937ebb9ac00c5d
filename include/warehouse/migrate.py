"""Brings a warehouse to the newest shape: tables by Alembic, then the views of `include/bi`.

    python -m include.warehouse.migrate upgrade
    python -m include.warehouse.migrate downgrade base
    python -m include.warehouse.migrate revision "what changes"   # compares the tables with a warehouse at head

All three use the warehouse that `MULGIL_WAREHOUSE_URL` names. What does not belong here: what the tables are
(`tables/`), what the views say (`include/bi`).
"""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, create_engine
from sqlalchemy.schema import CreateSchema

from include.names import BI, CORE
from include.settings import read_settings
from include.warehouse.locks import lock_until_commit
from include.warehouse.views import create_views, drop_views

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the warehouse to a revision, and make its views anew; running it again changes nothing.

    Everything happens in one transaction under one lock: callers that race wait for each other, and a killed one
    leaves the warehouse as it was.

    Args:
        url: SQLAlchemy URL of a PostgreSQL database whose owner, or better, the URL's role is.
        revision: an Alembic revision; the newest by default. Views are only made for the newest.
    """
    with _alone_in(url) as connection:
        drop_views(connection)
        command.upgrade(_config(connection), revision)
        if revision == "head":
            create_views(connection)


def downgrade(url: str, revision: str) -> None:
    """Take the warehouse back to an older revision; its views go until the next upgrade."""
    with _alone_in(url) as connection:
        drop_views(connection)
        command.downgrade(_config(connection), revision)


def write_revision(url: str, message: str) -> Path:
    """Write the migration that leads from the warehouse at `url` to the tables as they are declared.

    Returns:
        the new file.
    """
    with _alone_in(url) as connection:
        number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
        script = command.revision(_config(connection), message, autogenerate=True, rev_id=f"{number:04d}")
    return Path(script.path)  # type: ignore[union-attr]


@contextmanager
def _alone_in(url: str) -> Iterator[Connection]:
    """Open one transaction that no other migration runs beside, with both schemas in place."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            lock_until_commit(connection, "migrate")
            connection.execute(CreateSchema(CORE, if_not_exists=True))
            connection.execute(CreateSchema(BI, if_not_exists=True))
            yield connection
    finally:
        engine.dispose()


def _config(connection: Connection) -> Config:
    """Hand Alembic the open connection; there is no alembic.ini to find or to drift."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(prog="python -m include.warehouse.migrate", description="Migrate the warehouse.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("upgrade", help="to the newest revision, and its views")
    commands.add_parser("downgrade", help="to an older one").add_argument("revision")
    commands.add_parser("revision", help="write a migration from the tables").add_argument("message")
    chosen = parser.parse_args(arguments)
    url = read_settings().warehouse_url
    if chosen.command == "upgrade":
        upgrade(url)
    elif chosen.command == "downgrade":
        downgrade(url, chosen.revision)
    else:
        write_revision(url, chosen.message)


if __name__ == "__main__":
    main()
