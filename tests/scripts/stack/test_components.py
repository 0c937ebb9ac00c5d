"""Airflow's four components together: who has not reported, and who has ended."""

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scripts.stack import components, processes
from scripts.stack import home as homes
from scripts.stack.home import Home

WAIT = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which all four components seem to run."""
    home = Home(tmp_path / "home")
    homes.make_folders(home)
    for name in components.NAMES:
        processes.start(home.run, name, WAIT, dict(os.environ), home.log(name), home.root)
    yield home
    components.stop(home)


def health(seconds_from_now: float = 1, **changed: object) -> dict[str, dict[str, str]]:
    """Return what a healthy Airflow says."""
    beat = (datetime.now(UTC) + timedelta(seconds=seconds_from_now)).isoformat()
    said = {key: {"status": "healthy", f"latest_{key}_heartbeat": beat} for key in components.HEALTH_NAMES.values()}
    return {"metadatabase": {"status": "healthy"}, **said} | changed  # type: ignore[dict-item]


def test_all_that_reported_since_their_start_are_healthy(home: Home):
    assert components.unhealthy(home, health()) == []


def test_a_report_from_before_the_start_is_the_predecessors(home: Home):
    assert components.unhealthy(home, health(-3600)) == ["scheduler", "dag-processor", "triggerer"]


def test_a_clock_that_was_set_back_after_the_start_makes_nobody_unhealthy(home: Home):
    for record in processes.read_records(home.run, components.NAMES):
        processes.write_record(home.run, replace(record, started_at=record.started_at + 86_400))
    assert components.unhealthy(home, health()) == []


def test_one_that_says_nothing_or_something_bad_is_named(home: Home):
    assert components.unhealthy(home, health(triggerer={})) == ["triggerer"]
    assert components.unhealthy(home, health(scheduler={"status": "unhealthy"})) == ["scheduler"]
    assert components.unhealthy(home, {}) == list(components.NAMES)


def test_one_that_ended_or_was_never_started_is_named(home: Home):
    assert components.find_ended(home) == []
    components.stop(home, ["dag-processor"])
    assert components.find_ended(home) == ["dag-processor"]
