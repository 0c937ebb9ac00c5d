"""What a person reads while waiting: on a terminal of any width, and in a file."""

import io
import os
import pty
import re
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from fcntl import ioctl
from termios import TIOCSWINSZ
from typing import TextIO

import pytest

from scripts.stack import progress
from scripts.stack.loop import DagCounts, Snapshot

SNAPSHOT = Snapshot({"b__ingest": DagCounts(done=2, running=1, pending=3), "b__land": DagCounts(done=1)})


def test_stages_stand_in_the_order_in_which_data_flows():
    assert progress.describe_problems(SNAPSHOT) == ["b  land 1/1 · ingest 2/6 (1 running)"]


def test_a_failure_is_not_overlooked():
    assert progress.describe_counts(DagCounts(done=1, failed=2)) == "1/3 (2 FAILED)"


def test_a_log_file_gets_a_line_only_when_something_changed():
    stream = io.StringIO()
    shown = progress.Progress(stream)
    shown.show(SNAPSHOT)
    shown.show(SNAPSHOT, is_last=True)
    changed = {**SNAPSHOT.dags, "b__land": replace(SNAPSHOT.dags["b__land"], done=2)}
    shown.show(Snapshot(changed), is_last=True)
    assert [line.partition("] ")[2] for line in stream.getvalue().splitlines()] == [
        "b  land 1/1 · ingest 2/6 (1 running)",
        "b  land 2/2 · ingest 2/6 (1 running)",
    ]


# ---------------------------------------------------------------- on a terminal

WIDE = Snapshot(
    {f"{name}__{stage}": DagCounts(done=n, running=1, pending=30)
     for n, name in enumerate(("ad_review", "campaign", "flight_delay"))
     for stage in ("land", "ingest", "train", "review", "monitor", "experiment")}
)  # fmt: skip


def written_to_a_terminal(columns: int, lines: int, write: Callable[[TextIO], object]) -> str:
    """Let something write to a terminal of a size, and return all that arrived at its other end."""
    reader, writer = pty.openpty()
    ioctl(writer, TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    parts: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # how Linux says that nobody writes any more
            while part := os.read(reader, 65_536):
                parts.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    with os.fdopen(writer, "w") as stream:
        write(stream)
    thread.join()
    os.close(reader)
    return b"".join(parts).decode()


def screen_after(written: str, columns: int, lines: int) -> list[str]:
    """Return what a screen shows: the few movements that are used, wrapping, and scrolling, as a terminal does them."""
    rows, row, column = [""], 0, 0
    for number, move, character in re.findall(r"\x1b\[(\d*)([FJK])|(.|\n)", written):
        if move == "F":
            row, column = max(0, len(rows) - lines, row - int(number)), 0
        elif move == "K":
            rows[row] = rows[row][:column]
        elif move == "J":
            rows[row:] = [rows[row][:column]]
        elif character == "\n":
            row += 1
        elif character == "\r":
            column = 0
        else:
            if column == columns:
                row, column = row + 1, 0
            rows += [""] * (row + 1 - len(rows))
            rows[row] = rows[row][:column] + character + rows[row][column + 1 :]
            column += 1
        rows += [""] * (row + 1 - len(rows))
    return [line for line in rows if line]


@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (40, 24), (200, 24), (80, 2), (12, 24)])
def test_a_block_that_is_drawn_again_stands_once_on_a_terminal_of_any_size(
    columns: int, lines: int, monkeypatch: pytest.MonkeyPatch
):
    def write(stream: TextIO) -> None:
        shown = progress.Progress(stream)
        for n in range(4):
            shown.show(Snapshot({name: replace(counts, done=counts.done + n) for name, counts in WIDE.dags.items()}))
        shown.show(Snapshot(dict(list(WIDE.dags.items())[:1])), is_last=True)

    monkeypatch.setenv("TERM", "xterm")
    written = written_to_a_terminal(columns, lines, write)
    (line,) = screen_after(written, columns, lines)
    assert len(line) < columns
    assert line.rpartition("] ")[2].startswith("ad_review"[: columns - 11])


def test_a_terminal_without_a_size_shows_what_eighty_columns_hold(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "xterm")
    written = written_to_a_terminal(0, 0, lambda stream: progress.Progress(stream).show(WIDE))
    lines = screen_after(written, 80, 24)
    assert [len(line) for line in lines] == [79, 79, 79]


def test_a_terminal_that_knows_no_movements_gets_plain_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in written_to_a_terminal(
        80, 24, lambda stream: progress.Progress(stream).show(WIDE, is_last=True)
    )


@pytest.mark.parametrize(
    ("text", "width", "kept"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("가나다", 6, "가나다"),
        ("가나다", 5, "가나…"),
        ("가나다", 4, "가…"),
        ("a", 0, ""),
    ],
)
def test_a_line_is_cut_to_the_columns_that_its_characters_take(text: str, width: int, kept: str):
    assert progress.cut(text, width) == kept
