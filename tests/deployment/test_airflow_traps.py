"""Traps of the installed Airflow that Mulgil works around: a test here that fails says which one an upgrade took away.

Then remove the test and what it names as its work-around, or say why that stays. Each runs Airflow's own code on a
metadata database of its own.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.stack.home import REPO
from tests.airflow_database import airflow_environment, metadata_template, metadata_url

__all__ = ["metadata_template", "metadata_url"]
pytestmark = pytest.mark.slow


@pytest.fixture
def walk_into(metadata_url: str, tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    def walk(trap: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, REPO / "tests" / "deployment" / "trap_player.py", trap],
            env=airflow_environment(metadata_url, tmp_path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    return walk


def test_events_for_a_paused_consumer_are_dropped(walk_into: Callable[[str], dict[str, Any]]):
    """Worked around by `include/landing/lost_events.py`, shown by `make doctor`, paused DAGs."""
    found = walk_into("pause_and_announce")
    assert found == {"dropped": [], "again": ["consumer 2013-01 queued"]}


def test_pausing_does_not_stop_partition_runs_from_being_made(walk_into: Callable[[str], dict[str, Any]]):
    """Shown by `make doctor`: paused DAGs that hold runs."""
    assert walk_into("announce_and_pause") == {"runs": ["consumer 2013-01 queued"]}


def test_an_unsatisfiable_pending_partition_blocks_newer_ones(walk_into: Callable[[str], dict[str, Any]]):
    """Avoided by scheduling on one asset, or on any of several, never on all; shown by `make doctor`, pending runs."""
    assert walk_into("block") == {"blocked": [], "with_room": ["ready 2013-02 queued"]}


def test_two_producers_of_one_key_at_once_make_two_pending_runs(walk_into: Callable[[str], dict[str, Any]]):
    """Issue 71070 of Airflow: the lock is on the asset. `review` has two; steps replace what the first run wrote."""
    found = walk_into("two_producers")
    assert (found["at_once"], found["one_by_one"]) == (2, 1)
    assert found["runs"] == ["review 2013-01 queued", "review 2013-01 queued", "review 2013-02 queued"]


def test_a_cleared_approval_shows_the_old_figures(walk_into: Callable[[str], dict[str, Any]]):
    """Issue 72155 of Airflow. Harmless only where the answer is held against the versions that were asked about."""
    found = walk_into("clear_approval")
    assert found == {"asked": "earns 100 a day", "shown_after_clearing": "earns 100 a day"}
