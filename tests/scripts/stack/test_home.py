"""The folder that everything lives in: made, or refused with what to do."""

from pathlib import Path

import pytest

from scripts.stack import home
from scripts.stack.errors import StackError
from scripts.stack.home import Home


def test_too_little_disk_is_refused_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = home.shutil.disk_usage(tmp_path)._replace(free=900_000_000)
    monkeypatch.setattr(home.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StackError, match=r"Only 0\.9 GB.*need 2 GB"):
        home.check_disk(Home(tmp_path / "not" / "yet"))


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match=r"cannot be written.*MULGIL_HOME"):
        home.make_folders(Home(tmp_path / "file" / "home"))
