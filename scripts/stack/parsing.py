"""Waiting until Airflow has read the DAGs as they are now: an event whose consumer is unknown, or paused, is lost."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from include.names import Single
from include.problems.reading import load_problems
from include.problems.stages import dag_ids_of
from include.settings import read_settings
from scripts.stack import components
from scripts.stack.errors import OutOfTime, StackError
from scripts.stack.home import REPO, Home
from scripts.stack.loop import Loop
from scripts.stack.rest import Airflow
from scripts.stack.selection import EVERYTHING, Selection

PARSE_S = 120.0
# No file of this project takes longer to read, even while three other processes want the two cores.
NO_NEWS_S = 6.0
ASK_AGAIN_S = 5.0


def dags_folder() -> Path:
    """Return the folder that Airflow reads DAGs from."""
    return Path(os.environ.get("MULGIL_DAGS_FOLDER") or REPO / "dags")


def has_own_dags() -> bool:
    """Say whether Airflow reads the project's own DAGs, and not those of a test of the stack."""
    return dags_folder() == REPO / "dags"


def expected_dags(selection: Selection = EVERYTHING) -> set[str]:
    """Return the ids of the DAGs that problem files call for, by the function that the DAG files ask, too.

    Empty where the DAGs are not the project's own.

    Args:
        selection: whose DAGs; those with a form, which belong to no problem, are always among them.
    """
    if not has_own_dags():
        return set()
    problems, _ = load_problems()
    called_for = dag_ids_of(problems, is_demo_reviewer_on=True)
    return {dag_id for dag_id in called_for if selection.holds(dag_id) or dag_id in set(Single)}


def require_problems() -> None:
    """Refuse to start servers for which there is nothing to do.

    Raises:
        StackError: there is no problem file, or none that can be used.
    """
    if not has_own_dags():
        return
    folder = read_settings().problems_dir
    problems, errors = load_problems(folder)
    if problems:
        return
    if errors:
        told = "\n\n".join(str(error) for error in errors)
        raise StackError(
            f"None of the {len(errors)} problem files in {folder} can be used, so nothing can run:\n\n{told}"
        )
    raise StackError(
        f"{folder} holds no problem file, so nothing can run. Write one (README.md shows the shortest), restore the "
        "built-in ones from git, or point MULGIL_PROBLEMS_DIR at the folder that holds yours."
    )


def find_stale(expected: set[str], parsed: dict[str, datetime], changed: float) -> set[str]:
    """Return the DAGs that Airflow does not know, or has not read since the code last changed.

    Args:
        expected: ids that must be known; any that is known where there are none.
        parsed: id to when Airflow last read it.
        changed: when the newest source file changed, in seconds since 1970.
    """
    missing = expected - parsed.keys()
    # What no file calls for any more is Airflow's to forget, which takes it a minute.
    awaited = expected or parsed.keys()
    return missing | {name for name in awaited & parsed.keys() if parsed[name].timestamp() < changed}


def wait_until_parsed(
    home: Home, client: Airflow, loop: Loop, look: Callable[[], None], selection: Selection = EVERYTHING
) -> None:
    """Wait until every expected DAG is known as it is now; where files cannot be read, until nothing new comes.

    Args:
        home: whose Airflow.
        client: of that Airflow.
        loop: reads what its DAG processor has read.
        look: looks after the servers meanwhile.
        selection: whose DAGs are waited for.

    Raises:
        OutOfTime: DAGs are missing although every file could be read; the message names them.
        ComponentDied: a component ends again and again.
    """
    expected = expected_dags(selection)
    changed = components.newest_change([dags_folder(), REPO / "include", read_settings().problems_dir])
    last: dict[str, datetime] = {}
    news_at = asked_at = time.monotonic()
    while True:
        look()
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
        if now - news_at > PARSE_S:
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
