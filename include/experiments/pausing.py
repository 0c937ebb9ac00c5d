"""Whether what stands of an experiment is what its file says of pauses by now.

What does not belong here: who is counted meanwhile (`participation.py`), and what is decided (`decision.py`).
"""

from datetime import datetime

from sqlalchemy import Connection

from include.experiments import store
from include.experiments.analysis import ENDED, PAUSED
from include.experiments.design import require_experiment
from include.problems.schema import Problem


def find_outdated(connection: Connection, definition: Problem, name: str, now: datetime) -> str | None:
    """Name the newest window where its shares are those of a pause and there is none, or the other way round.

    Args:
        definition: the problem as if this experiment were its only one.
        name: of the experiment.
        now: UTC.

    Returns:
        None where both say the same, where no window is there, and where the experiment is over.
    """
    window, ranges, _ = store.read_in_force_now(connection, definition.name, name)
    if window is None or ranges[0].phase == ENDED:
        return None
    since = require_experiment(definition).paused_since(now)
    is_paused = ranges[0].phase == PAUSED
    return window if is_paused != (since is not None) or ranges[0].paused_since_utc != since else None
