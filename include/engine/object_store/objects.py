"""Lists and fetches raw objects: a local folder, or S3 and what stands in for it.

Landing finds the objects, and the lake reads them again; both come here. What is inside of them:
`formats/record_batches.py`. Objects are read from disk, in pieces: those of a folder where they lie, those of a
bucket from a copy.
"""

import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from include.errors import BadLanding
from include.settings import Settings

if TYPE_CHECKING:
    from botocore.client import BaseClient

DOWNLOADS = 4  # at once; a bucket answers several
ATTEMPTS = 5
TIMEOUT_S = 60.0  # without one byte
FORGOTTEN_S = 2 * 86_400.0
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")


@dataclass(frozen=True)
class RawObject:
    """One object of landing, as a listing shows it.

    Attributes:
        key: path below the landing URL.
        size_bytes: size, in bytes.
        changed_at: when it was last written, as its store says; None where nobody asked.
        version: changes when the object does: the store's etag; of a file its size, both of its times of change (a
            copy that keeps the first one moves the second) and its number on the disk.
    """

    key: str
    size_bytes: int
    version: str
    changed_at: datetime | None = field(default=None, compare=False)


def list_objects(settings: Settings, prefix: str) -> list[RawObject]:
    """List the objects below a prefix of landing, by key.

    Names that start with a dot or an underscore are unfinished or not logs; they are left out. Empty objects are not:
    somebody meant to send something.

    Raises:
        BadLanding: the bucket or the landing folder cannot be reached.
    """
    if settings.landing_url.startswith("s3://"):
        found = _list_bucket(settings, prefix)
    else:
        found = _list_folder(settings, prefix)
    return sorted((item for item in found if _is_log(item.key)), key=lambda item: item.key)


@dataclass(frozen=True)
class LocalObject:
    """One object on this machine's disk.

    Attributes:
        key: path below the landing URL.
        path: where its bytes are.
        seen: the object as it was when it was fetched.
        is_copy: whether `path` is a copy that nobody else writes to.
    """

    key: str
    path: Path
    seen: RawObject
    is_copy: bool

    @property
    def changed_at(self) -> datetime:
        """When the file here was last written; of a copy, when it was made."""
        return _changed_at(self.path)

    def hash(self) -> str:
        """Return the sha256 of its bytes; nothing where they cannot be read, which reading them will tell, too."""
        try:
            with self.path.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            return ""


@contextmanager
def local_objects(settings: Settings, keys: Sequence[str]) -> Iterator[list[LocalObject]]:
    """Give objects as files on disk for the time of the block; a bucket's are copied, several at once.

    Raises:
        BadLanding: one is gone, cannot be read, or its copy is not whole.
    """
    with fetched_objects(settings, keys) as (found, troubles):
        for error in troubles.values():
            raise error
        yield found


@contextmanager
def fetched_objects(
    settings: Settings, keys: Sequence[str]
) -> Iterator[tuple[list[LocalObject], dict[str, BadLanding]]]:
    """As `local_objects`, and of each object that cannot be fetched say why: it stops no other."""
    if not settings.landing_url.startswith("s3://"):
        yield _sort_out([_try(_in_folder, settings, key) for key in keys], keys)
        return
    # Below the home, not in the system's folder for temporary files, which is often a small one in memory.
    spool = settings.home / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    _remove_forgotten(spool)
    with TemporaryDirectory(dir=spool) as folder:
        client, places = _client(settings), [Path(folder) / str(i) for i in range(len(keys))]
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            found = list(pool.map(lambda key, path: _try(_copy, settings, client, key, path), keys, places))
        yield _sort_out(found, keys)


def _try(fetch: Callable[..., LocalObject], *arguments: object) -> LocalObject | BadLanding:
    """Fetch an object, or say why it cannot be."""
    try:
        return fetch(*arguments)
    except BadLanding as error:
        return error


def _sort_out(
    found: Sequence[LocalObject | BadLanding], keys: Sequence[str]
) -> tuple[list[LocalObject], dict[str, BadLanding]]:
    """Tell objects that were fetched from those that were not."""
    troubles = {key: item for key, item in zip(keys, found, strict=True) if isinstance(item, BadLanding)}
    return [item for item in found if isinstance(item, LocalObject)], troubles


def _remove_forgotten(spool: Path) -> None:
    """Remove what runs that were killed left behind; no run is as old as that."""
    for path in spool.iterdir():
        try:
            is_forgotten = time.time() - path.stat().st_mtime > FORGOTTEN_S
        except FileNotFoundError:  # a neighbour has just cleaned up after itself
            continue
        if is_forgotten and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif is_forgotten:
            path.unlink(missing_ok=True)


def find_replaced(objects: Sequence[LocalObject]) -> list[str]:
    """Name the objects that were replaced, or removed, while they were read where they lie."""
    return [item.key for item in objects if not item.is_copy and _version_at(item.path) != item.seen.version]


def _in_folder(settings: Settings, key: str) -> LocalObject:
    """Find an object in the landing folder.

    Raises:
        BadLanding: it is gone, or may not be read.
    """
    path = _path_of(_folder(settings), key)
    try:
        seen = RawObject(key, *_size_and_version(path))
    except OSError as error:
        raise _gone(settings, key, error) from error
    return LocalObject(key, path, seen, is_copy=False)


def _size_and_version(path: Path) -> tuple[int, str]:
    """Say how large a file is, and which version it is."""
    stat = path.stat()
    return stat.st_size, f"{stat.st_mtime_ns}-{stat.st_ctime_ns}-{stat.st_size}-{stat.st_ino}"


def _changed_at(path: Path) -> datetime:
    """Say when a file was last written."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _version_at(path: Path) -> str | None:
    """Say which version of an object lies in a folder; None when there is none."""
    try:
        return _size_and_version(path)[1]
    except OSError:
        return None


def _key_of(path: Path, root: Path) -> str:
    """Name a file below the landing folder; bytes of its name that are no UTF-8 are written like \\xb7."""
    return os.fsencode(path.relative_to(root).as_posix()).decode(errors="backslashreplace")


def _path_of(root: Path, key: str) -> Path:
    """Find the file of a key."""
    path = root / key
    if "\\x" not in key or path.exists():
        return path
    name = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), key.encode())
    return root / os.fsdecode(name)


def _copy(settings: Settings, client: "BaseClient", key: str, path: Path) -> LocalObject:
    """Copy an object from its bucket.

    Raises:
        BadLanding: it is gone, broke off at every try, or the store does not answer.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    from include.engine.object_store.downloads import download

    bucket, base = _bucket(settings)
    try:
        etag = download(client, bucket, f"{base}{key}", path)
    except (BotoCoreError, ClientError, OSError) as error:
        raise _gone(settings, key, error) from error
    return LocalObject(key, path, RawObject(key, path.stat().st_size, etag), is_copy=True)


def _list_folder(settings: Settings, prefix: str) -> list[RawObject]:
    """List a local folder; one that nobody has dropped anything into yet has no objects.

    Raises:
        BadLanding: this user may not read it.
    """
    root = _folder(settings)
    found = []
    try:
        for path in (root / prefix).rglob("*"):
            # One that vanishes meanwhile was never there.
            with suppress(FileNotFoundError):
                if path.is_file():
                    found.append(RawObject(_key_of(path, root), *_size_and_version(path), _changed_at(path)))
    except OSError as error:
        raise BadLanding(f"Landing cannot be listed below {root / prefix}: {error}. May this user read it?") from error
    return found


def _list_bucket(settings: Settings, prefix: str) -> list[RawObject]:
    """List a bucket page by page: one answer holds at most a thousand keys.

    Raises:
        BadLanding: the store does not answer, or refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, base = _bucket(settings)
    try:
        below = f"{base}{prefix.rstrip('/')}/"  # with two slashes a bucket has no such object, and says nothing
        pages = _client(settings).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        return [
            RawObject(item["Key"].removeprefix(base), item["Size"], item["ETag"].strip('"'), item["LastModified"])
            for page in pages
            for item in page.get("Contents", [])
        ]
    except (BotoCoreError, ClientError) as error:
        raise BadLanding(
            f"Landing cannot be listed at {settings.landing_url}/{prefix}: {error}. "
            "Check MULGIL_LANDING_URL, MULGIL_S3_ENDPOINT and this machine's credentials."
        ) from error


def _client(settings: Settings) -> "BaseClient":
    """Open S3; heavy to import, and most deployments of one machine never need it."""
    import boto3
    from botocore.config import Config

    # A store that answers 503 is busy, not broken: it is asked again, later and later.
    config = Config(
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        connect_timeout=TIMEOUT_S,
        read_timeout=TIMEOUT_S,
        max_pool_connections=DOWNLOADS,
    )
    return boto3.client("s3", endpoint_url=settings.s3_endpoint, config=config)


def _bucket(settings: Settings) -> tuple[str, str]:
    """Split the landing URL into its bucket and the prefix of every key, which is empty or ends with a slash."""
    bucket, _, base = settings.landing_url.removeprefix("s3://").partition("/")
    return bucket, f"{base.strip('/')}/" if base.strip("/") else ""


def _folder(settings: Settings) -> Path:
    """Return the landing folder."""
    return Path(settings.landing_url.removeprefix("file://"))


def _is_log(key: str) -> bool:
    """Say whether it is no folder's own key, and no part of the path marks it as hidden or unfinished."""
    return not key.endswith("/") and not any(part.startswith((".", "_")) for part in key.split("/"))


def _gone(settings: Settings, key: str, error: Exception) -> BadLanding:
    """Say that an object cannot be read."""
    return BadLanding(
        f"The object {key} cannot be read from {settings.landing_url}: {error}. "
        "Landing keeps every object that was ever ingested; put it back, then clear the task."
    )
