"""Keeps the SQL of queries that are asked again and again.

For a small partition, Ibis takes several times as long to write a query as DuckDB takes to answer it. What a query is
written from is the problem's definition, this code and the libraries: where they are the same, so is the text. What
differs each time stands in it as a stand-in, and is put in when the query is asked; so nothing secret is kept.

The code is hashed when this file is imported: what runs is what was on the disk then. A process whose files were edited
since keeps nothing that it writes.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

import ibis

from include.settings import REPOSITORY, read_settings

_LIBRARIES = ("ibis-framework", "sqlglot", "duckdb")
_CODE = ("engine", "lake", "problems", "names.py", "partition_keys.py", "row_key.py")


def compile_once(name: str, about: str, write: Callable[[], ibis.Table]) -> str:
    """Give the SQL of a query in DuckDB's words; it is written where nobody has written it before.

    Args:
        name: of the query; one text is kept under it.
        about: what its text follows from beside the code.
        write: makes the query.
    """
    digest = hashlib.sha256(f"{_WRITTEN_BY}\n{about}".encode()).hexdigest()[:32]
    folder = read_settings().home / "sql"
    place = folder / f"{name}.{digest}.sql"
    with suppress(OSError):
        kept, _, end = place.read_bytes().rpartition(b"\n")
        if end.decode() == hashlib.sha256(kept).hexdigest():  # a power cut may leave half of it
            return kept.decode()
    text = str(ibis.to_sql(write(), dialect="duckdb"))
    if _hash_code() == _WRITTEN_BY:
        _keep(folder, name, place, text)
    return text


def _keep(folder: Path, name: str, place: Path, text: str) -> None:
    """Put a text in the place of the one before it; where that cannot be, it is written again the next time."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{place.name}.{os.getpid()}"
        unfinished.write_bytes(f"{text}\n{hashlib.sha256(text.encode()).hexdigest()}".encode())
        unfinished.replace(place)
        for older in set(folder.glob(f"{name}.{'?' * 32}.sql")) - {place}:
            older.unlink(missing_ok=True)


def _hash_code() -> str:
    """Hash the code as it is on the disk, and the versions of the libraries that write queries."""
    root = REPOSITORY / "include"
    digest = hashlib.sha256("".join(f"{library} {version(library)}\n" for library in _LIBRARIES).encode())
    for part in _CODE:
        for path in sorted((root / part).rglob("*.py")) if (root / part).is_dir() else [root / part]:
            digest.update(f"{path.relative_to(root)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


_WRITTEN_BY = _hash_code()
