"""Waiting until Airflow has read the DAGs as they are now: an event whose consumer is unknown, or paused, is lost."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path

from scripts.stack import components
from scripts.stack.errors import OutOfTime
from scripts.stack.home import REPO, Home
from scripts.stack.loop import Loop
from scripts.stack.rest import Airflow

PARSE_S = 120.0
# No file of this project takes longer to read, even while three other processes want the two cores.
NO_NEWS_S = 6.0
ASK_AGAIN_S = 5.0


def dags_folder() -> Path:
    """Return the folder that Airflow reads DAGs from."""
    return Path(os.environ.get("MULGIL_DAGS_FOLDER") or REPO / "dags")


def expected_dags() -> set[str]:
    """Return the ids of the DAGs that the problem files call for, and of those that are there once for all problems.

    Empty where the DAGs are not the project's own.
    """
    from include.names import Single, dag_id
    from include.problems.reading import load_problems
    from include.problems.stages import stages_of

    if dags_folder() != REPO / "dags":
        return set()
    problems, _ = load_problems()
    return {str(single) for single in Single} | {
        dag_id(problem.name, stage) for problem in problems for stage in stages_of(problem, is_demo_reviewer_on=True)
    }


def find_stale(expected: set[str], parsed: dict[str, datetime], changed: float) -> set[str]:
    """Return the DAGs that Airflow does not know, or has not read since the code last changed.

    Args:
        expected: ids that must be known.
        parsed: id to when Airflow last read it.
        changed: when the newest source file changed, in seconds since 1970.
    """
    missing = expected - parsed.keys()
    return missing | {name for name, moment in parsed.items() if moment.timestamp() < changed}


def wait_until_parsed(home: Home, client: Airflow, loop: Loop, deadline: float) -> None:
    """Wait until every expected DAG is known as it is now; where files cannot be read, until nothing new comes.

    Raises:
        OutOfTime: DAGs are missing although every file could be read; the message names them.
        ComponentDied: a component ended meanwhile.
    """
    expected = expected_dags()
    changed = components.newest_change([dags_folder(), REPO / "include"])
    limit = min(deadline, time.monotonic() + PARSE_S)
    last: dict[str, datetime] = {}
    news_at = asked_at = time.monotonic()
    while True:
        components.require_alive(home)
        parsed = loop.parsed_dags()
        stale = find_stale(expected, parsed, changed)
        now = time.monotonic()
        if parsed != last:
            last, news_at = parsed, now
        is_quiet = now - news_at >= NO_NEWS_S
        if not stale and (expected or (parsed and is_quiet)):
            return
        if is_quiet and loop.count_import_errors():
            return  # the caller names the files that could not be read
        if now > limit:
            raise OutOfTime(
                f"Airflow has not read {len(stale)} of {len(expected | parsed.keys())} DAGs in time: "
                f"{', '.join(sorted(stale)[:10])}. Look into {home.log('dag-processor')}, then run make again."
            )
        if now - asked_at >= ASK_AGAIN_S:
            _ask_to_parse(client, stale)
            asked_at = now
        time.sleep(0.3)


def _ask_to_parse(client: Airflow, dag_ids: set[str]) -> None:
    """Ask for files to be read before their turn."""
    for token in {dag["file_token"] for dag in client.dags() if dag["dag_id"] in dag_ids}:
        client.parse_again(token)
