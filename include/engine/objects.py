"""Lists and fetches raw objects: a local folder, or S3 and what stands in for it.

Landing finds the objects, and the lake reads them again; both come here. What is inside of them: `records.py`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from include.errors import BadLanding
from include.settings import Settings


@dataclass(frozen=True)
class RawObject:
    """One object of landing, as a listing shows it.

    Attributes:
        key: path below the landing URL.
        size_bytes: size, in bytes.
        version: changes when the object does: the store's etag, or the file's time of change in nanoseconds.
    """

    key: str
    size_bytes: int
    version: str


def list_objects(settings: Settings, prefix: str) -> list[RawObject]:
    """List the objects below a prefix of landing, by key.

    Names that start with a dot or an underscore, and empty objects, are unfinished or not logs; they are left out.

    Raises:
        BadLanding: the bucket or the landing folder cannot be reached.
    """
    if settings.landing_url.startswith("s3://"):
        found = _list_bucket(settings, prefix)
    else:
        found = _list_folder(settings, prefix)
    return sorted((item for item in found if item.size_bytes and _is_log(item.key)), key=lambda item: item.key)


def read_object(settings: Settings, key: str) -> bytes:
    """Fetch one object's bytes.

    Raises:
        BadLanding: it is gone, or cannot be read.
    """
    if settings.landing_url.startswith("s3://"):
        return _read_from_bucket(settings, key)
    try:
        return (_folder(settings) / key).read_bytes()
    except OSError as error:
        raise _gone(settings, key, error) from error


def _list_folder(settings: Settings, prefix: str) -> list[RawObject]:
    """List a local folder; one that nobody has dropped anything into yet has no objects."""
    root = _folder(settings)
    found = []
    try:
        for path in (root / prefix).rglob("*"):
            if path.is_file():
                stat = path.stat()
                found.append(RawObject(path.relative_to(root).as_posix(), stat.st_size, str(stat.st_mtime_ns)))
    except OSError as error:
        raise BadLanding(f"Landing cannot be listed below {root / prefix}: {error}. May this user read it?") from error
    return found


def _list_bucket(settings: Settings, prefix: str) -> list[RawObject]:
    """List a bucket page by page: one answer holds at most a thousand keys."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, base = _bucket(settings)
    try:
        below = f"{base}{prefix.rstrip('/')}/"  # with two slashes a bucket has no such object, and says nothing
        pages = _client(settings).get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below)
        return [
            RawObject(item["Key"].removeprefix(base), item["Size"], item["ETag"].strip('"'))
            for page in pages
            for item in page.get("Contents", [])
        ]
    except (BotoCoreError, ClientError) as error:
        raise BadLanding(
            f"Landing cannot be listed at {settings.landing_url}/{prefix}: {error}. "
            "Check MULGIL_LANDING_URL, MULGIL_S3_ENDPOINT and this machine's credentials."
        ) from error


def _read_from_bucket(settings: Settings, key: str) -> bytes:
    """Fetch an object from its bucket."""
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, base = _bucket(settings)
    try:
        body: bytes = _client(settings).get_object(Bucket=bucket, Key=f"{base}{key}")["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise _gone(settings, key, error) from error
    return body


def _client(settings: Settings) -> Any:
    """Open S3; heavy to import, and most deployments of one machine never need it."""
    import boto3

    return boto3.client("s3", endpoint_url=settings.s3_endpoint)


def _bucket(settings: Settings) -> tuple[str, str]:
    """Split the landing URL into its bucket and the prefix of every key, which is empty or ends with a slash."""
    bucket, _, base = settings.landing_url.removeprefix("s3://").partition("/")
    return bucket, f"{base.strip('/')}/" if base.strip("/") else ""


def _folder(settings: Settings) -> Path:
    """Return the landing folder."""
    return Path(settings.landing_url.removeprefix("file://"))


def _is_log(key: str) -> bool:
    """Say whether no part of the path marks it as hidden or unfinished."""
    return not any(part.startswith((".", "_")) for part in key.split("/"))


def _gone(settings: Settings, key: str, error: Exception) -> BadLanding:
    """Say that an object cannot be read."""
    return BadLanding(
        f"The object {key} cannot be read from {settings.landing_url}: {error}. "
        "Landing keeps every object that was ever ingested; put it back, then clear the task."
    )
