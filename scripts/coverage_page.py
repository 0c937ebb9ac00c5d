"""Write docs/coverage.md: how many branches of `include` the tests take, and where most are left: `make coverage`.

There is no bar to pass. A branch that no test takes is a question: may it go, or what does it promise?
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from scripts.stack.home import REPO

PAGE = REPO / "docs" / "coverage.md"
N_FILES = 25
HEAD = """<!-- Written by make coverage; not by hand. -->
# Branches that tests take

A branch is one way that a line may go on: an `if` has two. Counted are the files of `include`, while `make test` runs;
what runs in another process, such as a task of Spark or a step that a test kills, is not seen, nor what only
`make thorough` asks. There is no bar to
pass. Each branch of a store or a step that no test takes was looked at, or waits for that.
"""


@dataclass(frozen=True)
class Coverage:
    """Branches and lines of one file, or of several together.

    Attributes:
        name: path below the repository.
        n_branches: ways to go on, in all.
        n_taken: those that a test took.
        n_lines: lines that do something.
        n_run: those that a test ran.
    """

    name: str
    n_branches: int
    n_taken: int
    n_lines: int
    n_run: int

    @property
    def n_left(self) -> int:
        """Branches that no test took."""
        return self.n_branches - self.n_taken


def read_files(report: dict[str, Any]) -> list[Coverage]:
    """Read coverage's own report, in the order of the files' names."""
    files = []
    for name, file in sorted(report["files"].items()):
        counts = file["summary"]
        branches = counts["num_branches"], counts["covered_branches"]
        files.append(Coverage(name, *branches, counts["num_statements"], counts["covered_lines"]))
    return files


def add_up(name: str, files: Iterable[Coverage]) -> Coverage:
    """Count several files as one."""
    files = list(files)
    return Coverage(
        name,
        sum(file.n_branches for file in files),
        sum(file.n_taken for file in files),
        sum(file.n_lines for file in files),
        sum(file.n_run for file in files),
    )


def room_of(name: str) -> str:
    """Name the room that a file lies in; a file that lies in none is one of the hall's."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[:2]) if len(parts) > 2 else "include (the hall)"


def percent(part: int, whole: int) -> str:
    """Return a share as a person reads it; nothing of nothing is all of it."""
    return f"{100 * part / whole:.1f} %" if whole else "100.0 %"


def format_page(files: list[Coverage]) -> str:
    """Return the page: each room, then the files with the most branches that no test takes."""
    rooms = [
        add_up(room, (file for file in files if room_of(file.name) == room))
        for room in sorted({room_of(file.name) for file in files})
    ]
    rows = [
        f"| {'**all**' if one.name == 'all' else f'`{one.name}`'} | {one.n_branches:,} | {one.n_left:,} "
        f"| {percent(one.n_taken, one.n_branches)} | {percent(one.n_run, one.n_lines)} |"
        for one in [*rooms, add_up("all", files)]
    ]
    most = sorted(files, key=lambda file: (-file.n_left, file.name))[:N_FILES]
    left = [f"| `{file.name}` | {file.n_left} of {file.n_branches} |" for file in most if file.n_left]
    return "\n".join(
        [
            HEAD,
            "| room | branches | not taken | branches taken | lines run |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"## Where most are left ({N_FILES} files at most)",
            "",
            "| file | branches not taken |",
            "|---|---|",
            *(left or ["| none | 0 |"]),
            "",
        ]
    )


def main() -> None:
    """Ask coverage for its report, and write the page."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        subprocess.run([sys.executable, "-m", "coverage", "json", "--quiet", "-o", report], cwd=REPO, check=True)
        files = read_files(json.loads(report.read_text(encoding="utf-8")))
    PAGE.write_text(format_page(files), encoding="utf-8")
    whole = add_up("all", files)
    print(f"{percent(whole.n_taken, whole.n_branches)} of {whole.n_branches:,} branches taken; see {PAGE.name}")


if __name__ == "__main__":
    main()
