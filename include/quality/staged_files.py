"""Finds the staged files of a partition and says what exactly they are, byte by byte.

What belongs here: paths, copies, hashes. What does not: reading rows (`audit.py`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from include.errors import AuditFailed
from include.settings import Settings


@contextmanager
def local_copies(settings: Settings, paths: Sequence[str]) -> Iterator[dict[str, Path]]:
    """Give each staged file as a local one: itself in a folder lake, a copy for the time of the block from S3.

    Args:
        paths: relative to `settings.lake_url`.

    Raises:
        AuditFailed: a path leaves the lake, a file is not there, or the lake is neither a folder nor on S3.
    """
    for path in paths:
        _require_plain(path)
    scheme, _, rest = settings.lake_url.rpartition("://")
    if scheme in {"", "file"}:
        yield {path: _existing(Path(rest) / path) for path in paths}
    elif scheme == "s3":
        with TemporaryDirectory(prefix="mulgil_audit_") as folder:
            yield _download(settings, rest, paths, Path(folder))
    else:
        raise AuditFailed(f"MULGIL_LAKE_URL starts with {scheme}://; a folder and s3:// can be audited.")


def sha256_of(file: Path) -> str:
    """Hash one file's bytes."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def combine_hashes(hashes: Mapping[str, str]) -> str:
    """Hash a set of files: SHA-256 over the lines `<sha256>  <path>` in the order of the paths, newlines included."""
    lines = "".join(f"{hashes[path]}  {path}\n" for path in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def _require_plain(path: str) -> None:
    """Refuse a path that could name another file than the one that is hashed.

    Raises:
        AuditFailed: it is absolute, leaves the lake, or is a pattern.
    """
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "://" in path or set(path) & set("*?[]{}"):
        raise AuditFailed(f"staged path {path!r} is not a plain path inside the lake; it must be relative to it.")


def _existing(file: Path) -> Path:
    """Refuse a file that is not there.

    Raises:
        AuditFailed: it is not.
    """
    if not file.is_file():
        raise AuditFailed(
            f"staged file {file.name} is not in {file.parent}. "
            "Clear the task stage_partition of this run; it writes it again."
        )
    return file


def _download(settings: Settings, bucket_and_prefix: str, paths: Sequence[str], folder: Path) -> dict[str, Path]:
    """Copy files from S3 into a folder.

    Raises:
        AuditFailed: one is gone, or the store does not give it.
    """
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    bucket, _, prefix = bucket_and_prefix.partition("/")
    client = boto3.client("s3", endpoint_url=settings.s3_endpoint)
    copies: dict[str, Path] = {}
    for number, path in enumerate(paths):
        key = f"{prefix.rstrip('/')}/{path}".lstrip("/")
        copies[path] = folder / f"{number}.parquet"
        try:
            client.download_file(bucket, key, str(copies[path]))
        except (BotoCoreError, ClientError) as error:
            raise AuditFailed(
                f"staged file s3://{bucket}/{key} cannot be read: {error}. "
                "If it is gone, clear the task stage_partition of this run; it writes it again."
            ) from error
    return copies
