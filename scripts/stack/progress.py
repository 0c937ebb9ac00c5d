"""Showing how far the loop is: a block that redraws itself on a terminal, a line when something changed elsewhere.

Each line of the block is cut to the width that the terminal has at that moment: a line that wraps is two to the
terminal, and what is drawn over the block next would miss its upper part.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
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
        # A terminal that calls itself dumb, an editor's for instance, understands no cursor movements.
        self._is_terminal = self.stream.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}
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
        size = os.get_terminal_size(self.stream.fileno())
        columns, height = size.columns or 80, size.lines or 24  # a terminal that nobody looks at may have no size
        # The last column stays empty, or some terminals wrap all the same; a block higher than the screen scrolls away.
        shown = [cut(f"{elapsed} {line}", columns - 1) for line in lines[: max(1, height - 1)]]
        up = f"\x1b[{self._n_lines}F" if self._n_lines else ""
        self.stream.write(up + "".join(f"{line}\x1b[K\n" for line in shown) + "\x1b[J")
        self.stream.flush()
        self._n_lines = len(shown)


def cut(text: str, width: int) -> str:
    """Return a text that is no wider than so many columns, with an ellipsis where something is missing.

    Wide characters, Korean ones for instance, take two columns.
    """
    columns = 0
    for index, character in enumerate(text):
        columns += _width(character)
        if columns > width:
            kept = text[:index]
            while kept and sum(map(_width, kept)) > width - 1:
                kept = kept[:-1]
            return f"{kept}…" if width > 0 else ""
    return text


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
