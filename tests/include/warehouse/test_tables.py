"""Every file of tables is part of the one metadata that migrations are compared with."""

import pkgutil

from sqlalchemy import Table

from include.names import CORE
from include.warehouse import tables


def test_every_file_of_tables_is_in_the_metadata():
    files = {module.name for module in pkgutil.iter_modules(tables.__path__)} - {"base"}
    assert files == set(tables.__all__) - {"METADATA"}
    declared = {
        value.fullname for name in files for value in vars(getattr(tables, name)).values() if isinstance(value, Table)
    }
    assert declared == set(tables.METADATA.tables)
    assert {table.schema for table in tables.METADATA.sorted_tables} == {CORE}
