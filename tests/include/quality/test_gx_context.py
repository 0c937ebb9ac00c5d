import logging
import subprocess
import sys
from pathlib import Path

import pytest

from include.quality.gx_context import gx, gxe, open_context

pytestmark = pytest.mark.slow

QUIET = """
import logging, warnings
logging.basicConfig(level=logging.DEBUG)
warnings.simplefilter("error")
from include.quality.gx_context import open_context
open_context()
"""


def test_a_context_sends_nothing_draws_nothing_and_leaves_no_site():
    config = open_context().config
    assert config.analytics_enabled is False
    assert config.progress_bars.globally is config.progress_bars.metric_calculations is False
    assert not config.data_docs_sites


def test_two_contexts_know_nothing_of_each_other():
    first, second = open_context(), open_context()
    first.suites.add(gx.ExpectationSuite(name="mine"))
    assert [suite.name for suite in first.suites.all()] == ["mine"]
    assert list(second.suites.all()) == []


def test_opening_leaves_no_file_where_it_is_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    open_context().suites.add(gx.ExpectationSuite(name="mine", expectations=[gxe.ExpectColumnToExist(column="a")]))
    assert list(tmp_path.rglob("*")) == []


def test_importing_and_opening_warn_of_nothing_and_log_nothing_of_its_own(tmp_path):
    repository = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", QUIET],
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path)},
    )
    assert "great_expectations" not in done.stderr
    assert done.stdout == ""
    assert logging.getLogger("great_expectations").level == logging.WARNING
