"""Resolve requirements*.in into requirements*.txt: `make lock`.

Universal (one file for Python 3.11 to 3.13 and every system), fully pinned with the hash of every file that may be
installed, and without the address of any index. The present pins are kept where they still fit; remove a line from a
.txt file, or pass --upgrade, to move it.
"""

import subprocess
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
OPTIONS = (
    "--universal",
    "--python-version=3.11",
    "--no-header",
    "--no-annotate",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--generate-hashes",
    "--quiet",
)


def resolve(source: str, target: str, *more: str) -> None:
    """Resolve one file.

    Raises:
        CalledProcessError: uv found no solution; it has said why.
    """
    command = [sys.executable, "-m", "uv", "pip", "compile", *OPTIONS, *more, source, "-o", target]
    subprocess.run(command, cwd=REPO, check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    """Resolve all files; the others are parts of the first, so that tests run on what runs."""
    resolve("requirements-dev.in", "requirements-dev.txt", *sys.argv[1:])
    for name in ("requirements", "requirements-spark"):
        resolve(f"{name}.in", f"{name}.txt", "-c", "requirements-dev.txt")


if __name__ == "__main__":
    main()
