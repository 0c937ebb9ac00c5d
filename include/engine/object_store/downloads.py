"""Copies one object out of a bucket, whole or not at all, over a line that may break.

What breaks off is asked for again from there on, and only of the same version: halves of two versions are no object.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from include.errors import BadLanding

if TYPE_CHECKING:
    from botocore.client import BaseClient

_PIECE_BYTES = 1 << 20
_TRIES = 5
_IS_MD5 = re.compile(r"[0-9a-f]{32}")  # of what was sent in one piece, under no key of its own


def download(client: "BaseClient", bucket: str, key: str, path: Path) -> str:
    """Copy an object to a file.

    Returns:
        the store's etag of the version that was copied.

    Raises:
        BadLanding: it broke off at every try, was replaced at every try, or its bytes are not those that were sent.
        ClientError, BotoCoreError: the store does not give it.
    """
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, IncompleteReadError
    from urllib3.exceptions import HTTPError

    # What botocore makes of a body that ends early or stalls is not one family of errors.
    broken_line = (HTTPClientError, IncompleteReadError, HTTPError, ConnectionError, TimeoutError)
    etag, last = "", None
    path.write_bytes(b"")
    for _ in range(_TRIES):
        n_held = path.stat().st_size
        wanted = {"IfMatch": etag, "Range": f"bytes={n_held}-"} if n_held else {}
        try:
            answer = client.get_object(Bucket=bucket, Key=key, **wanted)
            etag = answer["ETag"]
            n_all = n_held + answer["ContentLength"]
            with path.open("ab") as file:
                for piece in answer["Body"].iter_chunks(_PIECE_BYTES):
                    file.write(piece)
            if path.stat().st_size == n_all:
                _require_same_bytes(answer, path, key)
                return str(etag).strip('"')
        except broken_line as error:
            last = error
        except ClientError as error:
            # Replaced between two tries, or nothing is left of it behind what we hold: from the start.
            if error.response["Error"]["Code"] not in {"PreconditionFailed", "412", "InvalidRange"}:
                raise
            last = error
            path.write_bytes(b"")
        except BotoCoreError:
            raise
    raise BadLanding(
        f"The object {key} broke off {_TRIES} times while it was read from {bucket}, the last time after "
        f"{path.stat().st_size} bytes ({last}). Nothing was ingested; clear the task when the store is well again."
    )


def _require_same_bytes(answer: Mapping[str, object], path: Path, key: str) -> None:
    """Compare the copy with the store's checksum, where the etag is one.

    Raises:
        BadLanding: they differ.
    """
    etag = str(answer["ETag"]).strip('"')
    if not _IS_MD5.fullmatch(etag) or answer.get("SSEKMSKeyId") or answer.get("SSECustomerAlgorithm"):
        return
    with path.open("rb") as stream:
        found = hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    if found != etag:
        raise BadLanding(f"The copy of {key} is not what the store holds: MD5 {found}, not {etag}. Clear the task.")
