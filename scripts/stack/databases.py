"""The databases of the embedded PostgreSQL and who may enter them: the twin of docker/postgres/databases.sql."""

from __future__ import annotations

from psycopg import sql

from scripts.stack.keys import Keys
from scripts.stack.postgres import EmbeddedPostgres

METADATA = "airflow"
WAREHOUSE = "mulgil"
# Tasks know the warehouse's role; Airflow's own tables belong to another, which they do not know.
METADATA_ROLE = "airflow"
WAREHOUSE_ROLE = "mulgil"
# Reads the views of `bi` and nothing else: what a person or a BI tool connects as.
BI_ROLE = "bi_reader"

_LIMITS = (
    # People's answers are in no log, and the lake's files are on the disk before their commit: neither may be lost to a
    # power cut. What Airflow alone knows may: `land` announces again, steps repeat. All databases of a server share one
    # log, so that a commit here takes along all of Airflow's before it, and Airflow is never ahead.
    f"ALTER DATABASE {WAREHOUSE} SET synchronous_commit = on",
    # A report that runs away is stopped before it slows down the loop.
    "ALTER ROLE bi_reader SET statement_timeout = '60s'",
    "ALTER ROLE bi_reader SET default_transaction_read_only = on",
    f"GRANT CONNECT ON DATABASE {WAREHOUSE} TO {BI_ROLE}",
    # By default every role may fill the disk with temporary tables.
    f"REVOKE TEMPORARY ON DATABASE {WAREHOUSE} FROM PUBLIC",
    # By default every role may enter the server's own databases, and look around there.
    "REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC",
)
_VIEWS = (
    # Made here, not by the first migration, so that views which a migration adds are readable from their first moment.
    f"CREATE SCHEMA IF NOT EXISTS bi AUTHORIZATION {WAREHOUSE_ROLE}",
    f"GRANT USAGE ON SCHEMA bi TO {BI_ROLE}",
    f"GRANT SELECT ON ALL TABLES IN SCHEMA bi TO {BI_ROLE}",  # of a home that is older than this role
    f"ALTER DEFAULT PRIVILEGES FOR ROLE {WAREHOUSE_ROLE} IN SCHEMA bi GRANT SELECT ON TABLES TO {BI_ROLE}",
)


def prepare_databases(server: EmbeddedPostgres, keys: Keys) -> None:
    """Make sure that both databases, their owners and the reader of the views exist, each with its own rights."""
    server.create_role(METADATA_ROLE, keys.airflow_database_password)
    server.create_role(WAREHOUSE_ROLE, keys.warehouse_password)
    server.create_role(BI_ROLE, keys.bi_password)
    server.create_database(METADATA, METADATA_ROLE)
    server.create_database(WAREHOUSE, WAREHOUSE_ROLE)
    for database, statements in (("postgres", _LIMITS), (WAREHOUSE, _VIEWS)):
        with server.connect(database) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement))
