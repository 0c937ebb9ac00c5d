"""How PyIceberg writes metadata and manifests: on a local disk they outlive a power cut once they are closed.

The catalog's PostgreSQL makes its commits durable, and a commit must never name a file that is not. What does not
belong here: Parquet files, which `files.py` and `engine/parquet_file.py` write.
"""

import io
import os
from pathlib import Path

from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from include.engine.durability import sync_names

ROOT = "mulgil.lake-root"  # property of the catalog: the folder above which nothing is made


class LakeFileIO(PyArrowFileIO):
    """PyArrow's files, but that what is written to a local disk is on the disk when it is closed."""

    def new_output(self, location: str) -> PyArrowFile:
        """Name a file to write.

        Args:
            location: as it stands in table metadata.
        """
        output = super().new_output(location)
        scheme, _, path = self.parse_location(location, self.properties)
        return _LocalOutput(output, Path(path), Path(self.properties[ROOT])) if scheme == "file" else output


class _LocalOutput(PyArrowFile):
    """A file of the local disk."""

    def __init__(self, output: PyArrowFile, place: Path, root: Path) -> None:
        super().__init__(output.location, output._path, output._filesystem, output._buffer_size)
        self._place, self._root = place, root

    def create(self, overwrite: bool = False) -> OutputStream:
        """Open it for writing.

        Raises:
            FileExistsError: it is there, and may not be overwritten.
        """
        self._place.parent.mkdir(parents=True, exist_ok=True)
        return _SyncedFile(self._place, self._root, "w" if overwrite else "x")


class _SyncedFile(io.FileIO):
    """A file that is closed when it is on the disk."""

    def __init__(self, path: Path, root: Path, mode: str) -> None:
        super().__init__(path, mode)
        self._path, self._root = path, root

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Wait for the bytes and the name, then close it."""
        if not self.closed:
            os.fsync(self.fileno())
            sync_names(self._path, self._root)
        super().close()
