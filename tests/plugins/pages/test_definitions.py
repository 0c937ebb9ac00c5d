"""The pages know a problem file as soon as it is there, and count the ones that are broken."""

import os
from pathlib import Path

import pytest
import yaml

from pages.definitions import read_definitions
from tests.plugins.reports.test_app import PROBLEM


def test_a_file_is_read_again_when_it_changes_and_a_broken_one_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    assert read_definitions().problems == {}
    file = tmp_path / "hostile.yaml"
    for number, title in enumerate(("First", "Second")):
        file.write_text(yaml.safe_dump(PROBLEM | {"title": title}))
        os.utime(file, ns=(number, number))
        assert [problem.title for problem in read_definitions().problems.values()] == [title]
    (tmp_path / "broken.yaml").write_text("name: [")
    assert (list(read_definitions().problems), read_definitions().n_broken) == (["hostile"], 1)
