"""What a stack of these tests keeps outside its home goes with the test."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack import unprivileged


@pytest.fixture(autouse=True)
def shared_folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder of its own to each test for the data of servers whose user cannot reach pytest's folders."""
    folder = Path(tempfile.mkdtemp(prefix="mulgil-shared-", dir=unprivileged.SHARED))
    folder.chmod(0o711)
    monkeypatch.setattr(unprivileged, "SHARED", folder)
    yield folder
    shutil.rmtree(folder)
