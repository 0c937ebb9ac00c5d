"""The words of the embedded stack: run, up, down, info, logs, clean."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

from include.errors import MulgilError
from scripts.stack import info as info_text
from scripts.stack import processes
from scripts.stack.components import NAMES
from scripts.stack.errors import StackError
from scripts.stack.home import Home, find_home
from scripts.stack.progress import Progress
from scripts.stack.stack import open_stack


def run(home: Home, arguments: argparse.Namespace) -> int:
    """Start everything, let the loop run, show what it found."""
    from scripts.stack import run as run_module

    text = run_module.run(home, Progress(), wanted=arguments.problems, are_secrets_shown=_is_terminal())
    print(f"\n{text}")
    return 0


def up(home: Home, _: argparse.Namespace) -> int:
    """Start everything without the built-in problems."""
    from scripts.stack import run as run_module

    print(f"\n{run_module.up(home, Progress(), are_secrets_shown=_is_terminal())}")
    return 0


def _is_terminal() -> bool:
    """Say whether a person reads this, and no file or program."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def down(home: Home, _: argparse.Namespace) -> int:
    """Stop everything; nothing to stop is fine."""
    if not home.secrets.exists():
        print("Nothing runs.")
        return 0
    started = time.monotonic()
    with processes.hold_lock(home.run, "down"):
        stopped = open_stack(home).stop_all()
    print(f"Stopped {', '.join(stopped)} in {time.monotonic() - started:.0f} s." if stopped else "Nothing runs.")
    return 0


def info(home: Home, arguments: argparse.Namespace) -> int:
    """Show addresses, users and what waits; passwords on a terminal or where `--secrets` asks, the owner only there."""
    stack = open_stack(home)
    if stack.postgres.is_running():
        stack.postgres.start()  # reads the port of the running server; starts nothing
    are_secrets_shown = arguments.secrets or (arguments.format == "text" and sys.stdout.isatty())
    waiting = info_text.read_waiting(stack)
    facts = info_text.build_info(
        stack, are_secrets_shown=are_secrets_shown, is_owner_shown=arguments.secrets, waiting=waiting
    )
    print(info_text.format_json(facts) if arguments.format == "json" else info_text.format_text(facts))
    return 0


def logs(home: Home, _: argparse.Namespace) -> int:
    """Show the end of each server's log."""
    for name in NAMES:
        print(f"== {home.log(name)}\n{processes.last_lines(home.log(name), 20)}\n")
    return 0


def clean(home: Home, arguments: argparse.Namespace) -> int:
    """Stop everything and remove all data of this home; raise StackError where Mulgil did not make the folder."""
    if not home.root.exists():
        print("Nothing to remove.")
        return 0
    if not home.secrets.exists() and any(home.root.iterdir()) and not home.run.exists():
        raise StackError(f"{home.root} does not look like a folder that Mulgil made; it is left alone.")
    folders = [home.root]
    if home.secrets.exists():
        down(home, arguments)
        data = open_stack(home).postgres.data_dir
        if home.root not in data.parents:
            folders.append(data.parent)  # the stand-in under /var/tmp
    for folder in folders:
        shutil.rmtree(folder)
    print(f"Removed {', '.join(str(folder) for folder in folders)}.")
    return 0


WORDS: dict[str, Callable[[Home, argparse.Namespace], int]] = {
    "run": run,
    "up": up,
    "down": down,
    "info": info,
    "logs": logs,
    "clean": clean,
}


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt(signal.Signals(number).name)


def main(arguments: list[str]) -> int:
    """Do one word; return the exit code: 0 done, 1 refused with a sentence, 130 broken off."""
    parser = argparse.ArgumentParser(prog="python -m scripts.stack", description=__doc__)
    parser.add_argument("word", choices=WORDS)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of info")
    parser.add_argument("--problems", default="", help="of run: names with commas, or all; three without it")
    parser.add_argument("--secrets", action="store_true", help="info says passwords and the warehouse's owner, too")
    parsed = parser.parse_args(arguments)
    # A closed terminal and a polite kill end a run like Ctrl-C does, with nothing left half alive; and Ctrl-C does so
    # even where a shell started this in the background and told it to ignore the signal.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return WORDS[parsed.word](find_home(), parsed)
    except (StackError, MulgilError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nBroken off; what this command started is stopped.", file=sys.stderr)
        return 130
