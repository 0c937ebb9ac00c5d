"""`python -m scripts.backup take TO` and `python -m scripts.backup restore FROM [--over replace]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.errors import MulgilError
from scripts.backup.restore import restore
from scripts.backup.take import take_backup
from scripts.stack.errors import StackError
from scripts.stack.home import find_home


def main(arguments: list[str]) -> int:
    """Do one of the two; return the exit code: 0 done, 1 refused with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m scripts.backup", description=__doc__)
    parser.add_argument("word", choices=("take", "restore"))
    parser.add_argument("place", help="folder, or file ending in .tar")
    parser.add_argument("--over", default="", help="the clear word for a home that holds something")
    parsed = parser.parse_args(arguments)
    if not parsed.place.strip():
        print("Say where: make backup TO=folder-or-file.tar, make restore FROM=the-same.", file=sys.stderr)
        return 1
    try:
        print(_take(parsed.place) if parsed.word == "take" else _restore(parsed.place, parsed.over))
    except (StackError, MulgilError) as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def _take(place: str) -> str:
    taken = take_backup(find_home(), Path(place))
    return (
        f"Backed up {taken.n_files:,} files, {taken.n_bytes / 1e6:,.0f} MB, to {taken.target} in {taken.took_s:.0f} s; "
        f"publishing waited for {taken.held_s:.2f} s.\nIt holds the home's secrets and everything that people's "
        "rows say: keep it as you keep the home."
    )


def _restore(place: str, over: str) -> str:
    restored = restore(find_home(), Path(place).absolute(), over)
    lines = [
        f"Restored {len(restored.manifest.files):,} files of {restored.manifest.made_at_utc} in "
        f"{restored.took_s:.0f} s. make run, or make up, goes on from there; make doctor says what waits."
    ]
    if restored.set_aside is not None:
        lines.append(f"What was there before is in {restored.set_aside}; remove it when you miss nothing.")
    if restored.other_problems:
        lines.append(
            f"{len(restored.other_problems)} problem files are not what they were when it was taken (commit "
            f"{restored.manifest.commit[:12] or 'unknown'}): {', '.join(restored.other_problems)}."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
