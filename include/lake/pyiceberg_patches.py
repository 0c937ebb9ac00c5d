"""Lets PyIceberg 0.12 commit without copying the table's whole history, and without reading it twice.

Within one commit it asks for the table's metadata some fifteen times, and copies all of it each time, to the last word
of every snapshot ever taken: a commit into a table of a thousand partitions took ten times as long as one into a table
of ten. Remove this file when `update_table_metadata` copies only what it changes.
"""

from copy import copy

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata, TableMetadataV1, TableMetadataV2, TableMetadataV3


def share_history() -> None:
    """Let copies of a table's metadata have lists of their own, and share what is in them: all of it is frozen."""
    for kind in (TableMetadataV1, TableMetadataV2, TableMetadataV3):
        kind.__deepcopy__ = _copy_lists  # type: ignore[method-assign, assignment]


def _copy_lists(metadata: TableMetadata, _memo: object = None) -> TableMetadata:
    """Stand in for a copy of everything."""
    copied = metadata.__copy__()
    copied.__dict__ |= {name: copy(held) for name, held in vars(metadata).items() if isinstance(held, (list, dict))}
    return copied


class LakeCatalog(SqlCatalog):
    """A catalog that does not read again the metadata file it read last, as each commit does: none is ever changed."""

    def __init__(self, name: str, **properties: str) -> None:
        """Open the catalog; copies of it share what was read last, by its place."""
        super().__init__(name, **properties)
        self._read_last: dict[str, TableMetadata] = {}

    def _convert_orm_to_iceberg(self, orm_table: IcebergTables) -> Table:
        """Open the table that a row of the catalog names."""
        location = str(orm_table.metadata_location)
        metadata = self._read_last.get(location)
        if metadata is None:
            table = super()._convert_orm_to_iceberg(orm_table)
            self._read_last.clear()
            self._read_last[location] = table.metadata
            return table
        name = (*self.identifier_to_tuple(orm_table.table_namespace), orm_table.table_name)
        return Table(name, metadata, location, self._load_file_io(metadata.properties, location), self)
