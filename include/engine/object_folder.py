"""A folder of small objects, on this machine's disk or in an S3-compatible store: read whole, written whole.

What does not belong here: what is in them.
"""

from pathlib import Path

from pyarrow import fs

from include.engine.durability import write_whole

# A store that is away must not keep a reader waiting: what was read last is good for a while.
CONNECT_S, REQUEST_S = 3, 10


class ObjectFolder:
    """One folder of objects.

    Args:
        url: a folder, or `s3://bucket/prefix`.
        s3_endpoint: of a store that stands in for S3; None for the cloud's own.
    """

    def __init__(self, url: str, s3_endpoint: str | None) -> None:
        self.url = url
        self._endpoint = s3_endpoint
        self._is_bucket = url.startswith("s3://")
        self._root = url.removeprefix("s3://").removeprefix("file://").rstrip("/")

    def read(self, key: str) -> bytes | None:
        """Read an object; None where there is none.

        Raises:
            OSError: the disk or the store does not answer, or refuses.
        """
        if not self._is_bucket:
            try:
                return (Path(self._root) / key).read_bytes()
            except FileNotFoundError:
                return None
        try:
            with self._store().open_input_stream(f"{self._root}/{key}") as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None

    def write(self, key: str, content: bytes) -> None:
        """Replace an object: whoever reads meanwhile gets the old one whole, or the new one.

        Raises:
            OSError: the disk or the store does not take it.
        """
        if not self._is_bucket:
            write_whole(Path(self._root) / key, content, Path(self._root))
            return
        with self._store().open_output_stream(f"{self._root}/{key}") as stream:
            stream.write(content)

    def _store(self) -> fs.S3FileSystem:
        """Open the store; the programs that stand in for S3 are named by their address."""
        limits = {"connect_timeout": CONNECT_S, "request_timeout": REQUEST_S}
        return fs.S3FileSystem(endpoint_override=self._endpoint, **limits)
