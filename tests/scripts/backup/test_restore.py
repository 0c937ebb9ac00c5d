"""What is found out before a restore touches anything."""

import os
from pathlib import Path

import pytest

from scripts.backup.restore import restore
from scripts.stack.errors import StackError
from scripts.stack.home import Home


def test_a_backup_larger_than_the_disk_is_refused_before_unpacking(tmp_path: Path):
    tar = tmp_path / "b.tar"
    tar.touch()
    os.truncate(tar, 8 * 10**12)  # takes no room
    with pytest.raises(StackError, match=r"Only .* GB are free at .* need 8000 GB"):
        restore(Home(tmp_path / "home"), tar)
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar"]
