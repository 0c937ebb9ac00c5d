"""Showing how far the loop is: a block that redraws itself on a terminal, a line when something changed elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from include.names import Stage
from scripts.stack.loop import DagCounts, Snapshot

STAGES = tuple(str(stage) for stage in Stage)
# In a log file, more than one line in this many seconds is noise.
QUIET_S = 5.0


def split_dag_id(dag_id: str) -> tuple[str, str]:
    """Return (problem, stage) of a DAG id; a DAG that belongs to no problem is its own, with the stage ''."""
    problem, _, stage = dag_id.rpartition("__")
    return (problem, stage) if problem else (dag_id, "")


def describe_counts(counts: DagCounts) -> str:
    """Return one stage's progress: `12/31`, and whatever is not plainly done."""
    extras = [
        f"{number} {word}"
        for number, word in (
            (counts.running - counts.waiting, "running"),
            (counts.waiting, "waits for a person"),
            (counts.failed, "FAILED"),
        )
        if number > 0
    ]
    text = f"{counts.done}/{counts.total}"
    return f"{text} ({', '.join(extras)})" if extras else text


def describe_problems(snapshot: Snapshot) -> list[str]:
    """Return one line per problem, its stages in the order in which data flows through them."""
    by_problem: dict[str, list[tuple[int, str, DagCounts]]] = {}
    for dag_id, counts in snapshot.dags.items():
        problem, stage = split_dag_id(dag_id)
        rank = STAGES.index(stage) if stage in STAGES else len(STAGES)
        by_problem.setdefault(problem, []).append((rank, stage, counts))
    width = max((len(problem) for problem in by_problem), default=0)
    lines = []
    for problem, stages in sorted(by_problem.items()):
        parts = [
            f"{stage} {describe_counts(counts)}".strip() for _, stage, counts in sorted(stages, key=lambda s: s[:2])
        ]
        lines.append(f"{problem:<{width}}  {' · '.join(parts)}")
    return lines


class Progress:
    """The words a person reads while waiting.

    Args:
        stream: where to write; a terminal gets a block that is redrawn.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.started = time.monotonic()
        self._is_terminal = self.stream.isatty()
        self._n_lines = 0
        self._shown: list[str] = []
        self._shown_at = -QUIET_S

    def say(self, text: str) -> None:
        """Write one line that stays."""
        self._n_lines = 0  # what was drawn above it stays, too
        self.stream.write(f"[{time.monotonic() - self.started:4.0f} s] {text}\n")
        self.stream.flush()

    def show(self, snapshot: Snapshot, *, is_last: bool = False) -> None:
        """Show where each problem is."""
        lines = describe_problems(snapshot)
        if self._is_terminal:
            self._redraw(lines)
        elif lines != self._shown and (is_last or time.monotonic() - self._shown_at >= QUIET_S):
            for line in lines:
                if line not in self._shown:
                    self.say(line)
            self._shown, self._shown_at = lines, time.monotonic()

    def _redraw(self, lines: list[str]) -> None:
        elapsed = f"[{time.monotonic() - self.started:4.0f} s]"
        if self._n_lines:
            self.stream.write(f"\x1b[{self._n_lines}F\x1b[J")
        for line in lines:
            self.stream.write(f"{elapsed} {line}\n")
        self.stream.flush()
        self._n_lines = len(lines)
