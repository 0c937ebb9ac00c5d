"""Names what a library's error means for a step: the warehouse is away, a disk is full, the lake is damaged.

What belongs here: telling those three from everything else, at the one edge that every step has. What does not: a lake
whose newest metadata is lost (`include/lake/recovery.py` brings it back), and errors that Mulgil words itself.
"""

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

from include.errors import DiskFull, LakeDamaged, MulgilError, WarehouseAway
from include.settings import Settings, read_settings
from include.warehouse.database import is_away

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# DuckDB and Spark have words alone; the second is DuckDB's when a spill has filled what was free on its disk.
_FULL_WORDS = ("No space left on device", "Disk quota exceeded", "'max_temp_directory_size' setting")
_POSTGRES_FULL = "53100"
# None: PyArrow's for bytes that are not what was written.
_DAMAGED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EIO, errno.ESTALE, None})
_READERS = frozenset({"IOException", "InvalidInputException", "ArrowInvalid"})
# Every data file of the lake is named after its hash; object stores name it without the lake's place.
_LAKE_FILE = re.compile(r"data/[^/]+/[0-9a-f]{32}\.parquet")


@contextmanager
def naming_faults() -> Iterator[None]:
    """Say in a sentence what is away, full or damaged, and what to do; every other error passes through untouched.

    Raises:
        WarehouseAway: the warehouse does not answer; an answer (a deadlock, a query that took too long) passes through.
        DiskFull: a disk has no room, here or where the warehouse lies.
        LakeDamaged: a file of the lake, or its folder, is gone or is not what was written.
    """
    try:
        yield
    except Exception as error:
        named = _name_fault(error, read_settings())
        if named is None:
            raise
        raise named from error


def _name_fault(error: Exception, settings: Settings) -> MulgilError | None:
    """Find what an error means, in it or in what led to it; None when it is neither of the three, or says so itself."""
    if isinstance(error, WarehouseAway | DiskFull | LakeDamaged):
        return None
    if isinstance(error, OperationalError) and is_away(error):
        return WarehouseAway(
            f"The warehouse does not answer ({_first_line(error)}). Nothing is half-written: what a step writes is "
            "there whole or not at all. Once the server runs again, clear the task."
        )
    causes = list(_causes(error))
    if full := next((cause for cause in causes if _is_full(cause)), None):
        return DiskFull(
            f"The disk is full: {_first_line(full)}. {_free_room(settings)}. Nothing is half-written: what a step "
            "writes is there whole or not at all. Make room on that disk (old logs of tasks, or a shorter "
            "`upkeep.snapshots` and the `upkeep` DAG), then clear the task."
        )
    lost = next((cause for cause in causes if _is_damage(cause, settings)), None)
    if lost is None or isinstance(error, MulgilError):
        return None
    return LakeDamaged(
        f"The lake is damaged: {type(lost).__name__}: {_first_line(lost)}. If the disk of {settings.lake_url} is not "
        "mounted, mount it and clear the task. Else clear the `ingest` run of the partition that the path names, which "
        "reads it again from landing, then this task."
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and those that led to it, as a traceback shows them."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def _is_full(error: BaseException) -> bool:
    """Say whether an error means that a disk has no room."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return True
    if getattr(getattr(error, "orig", None), "sqlstate", None) == _POSTGRES_FULL:
        return True
    return any(words in str(error) for words in _FULL_WORDS)


def _is_damage(error: BaseException, settings: Settings) -> bool:
    """Say whether an error means that a file of the lake is gone, or is not what was written."""
    is_reader = type(error).__name__ in _READERS and "Permission denied" not in str(error)
    is_reader = is_reader or (isinstance(error, OSError) and error.errno in _DAMAGED)
    return is_reader and _is_of_lake(str(error), settings)


def _is_of_lake(text: str, settings: Settings) -> bool:
    """Say whether a message names a file of the lake."""
    scheme, _, place = settings.lake_url.rpartition("://")
    root = place.rstrip("/") if scheme else str(Path(place).absolute())
    return f"{root}/" in text or text.strip("'").endswith(root) or _LAKE_FILE.search(text) is not None


def _first_line(error: BaseException) -> str:
    """Give the first line of what an error says, of the driver's own where it has one."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(".")


def _free_room(settings: Settings) -> str:
    """Say how much room is left on the disks that a step on this machine writes to."""
    places = [settings.home, Path(tempfile.gettempdir())]
    if "://" not in settings.lake_url.removeprefix("file://"):
        places.insert(0, Path(settings.lake_url.removeprefix("file://")))
    free = (f"{shutil.disk_usage(place).free >> 20} MB below {place}" for place in places if place.exists())
    return f"Free on this machine: {', '.join(dict.fromkeys(free))}"
