"""Looking after servers while a command waits for them: what ended by itself is started again, a few times.

PostgreSQL is looked at first: where it is gone, everything else that fails fails because of it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from scripts.stack import components, processes
from scripts.stack.errors import ComponentDied
from scripts.stack.progress import Progress
from scripts.stack.stack import Stack

# A server that cannot start ends within seconds, again and again; one that is killed once a minute goes on.
MAX_RESTARTS = 3
WINDOW_S = 120.0


class Keeper:
    """Starts servers of one stack again.

    Args:
        stack: whose servers.
        environment: what Airflow's components are started with.
        progress: where a person reads what was started again.
        clock: seconds that only go on.
    """

    def __init__(
        self,
        stack: Stack,
        environment: Mapping[str, str],
        progress: Progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._stack = stack
        self._environment = dict(environment)
        self._progress = progress
        self._ended_at: dict[str, list[float]] = defaultdict(list)

    def look(self) -> None:
        """Look at every server once, and start again what ended.

        Raises:
            ComponentDied: one ended four times within two minutes; the message carries its last words.
        """
        if not self._stack.postgres.is_running():
            self._count("PostgreSQL")
            self._stack.restart_postgres()
            self._progress.say("PostgreSQL ended by itself and was started again")
        ended = components.find_ended(self._stack.home)
        for name in ended:
            self._count(name)
        if ended:
            self._stack.start_airflow(self._environment)
            self._progress.say(f"{' and '.join(ended)} ended and {'were' if len(ended) > 1 else 'was'} started again")

    def _count(self, name: str) -> None:
        now = self._clock()
        recent = [moment for moment in self._ended_at[name] if now - moment < WINDOW_S]
        self._ended_at[name] = [*recent, now]
        if len(recent) >= MAX_RESTARTS:
            log = self._stack.postgres.log if name == "PostgreSQL" else self._stack.home.log(name)
            raise ComponentDied(
                f"{name} ended {len(recent) + 1} times within {WINDOW_S / 60:.0f} minutes; it is not started again. "
                f"Its last lines ({log}):\n{processes.last_lines(log)}\n"
                "The lines say why. Mend that, then run make run again."
            )
