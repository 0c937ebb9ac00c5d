"""How Alembic sees the warehouse: the tables of `core`, on the connection that `migrate.py` hands over."""

from alembic import context

from include.names import CORE
from include.warehouse.tables import METADATA


def _is_ours(name, kind, _parents):
    """Leave alone what lies beside `core`: the views, and the lake's catalog."""
    return kind != "schema" or name == CORE


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    include_schemas=True,
    include_name=_is_ours,
    version_table_schema=CORE,
    compare_type=True,
    compare_server_default=True,
)
with context.begin_transaction():
    context.run_migrations()
