"""How far a stranger's file comes with `make problem` and no edit, and how long `make check-problem` takes.

    python -m bench.newcomer

Twelve shapes of files, each proposed, checked and read as ingest would. A line counts as one that must be edited where
the file is refused, or a record of the sample would not be published, without it.
"""

import csv
import io
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from include.errors import MulgilError
from include.problems.reading import read_problem_file
from include.settings import REPOSITORY, read_settings

BAR_S = 3.0
N = 600
START = datetime(2024, 1, 1, tzinfo=UTC)


def at(i: int) -> datetime:
    """Say when the i-th row happened."""
    return START + timedelta(hours=6 * i)


def table(header: Sequence[str], row: Callable[[int], Sequence[object]], separator: str = ",") -> bytes:
    """Write a CSV."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(row(i) for i in range(N))
    return text.getvalue().encode()


def make_shapes() -> dict[str, tuple[str, bytes, str | None]]:
    """Make one file of each shape: shape to file name, content, and the column to predict."""
    r = random.Random(1)  # noqa: S311 - invented files, and no secrets
    cards = table(
        ["ID", "LIMIT_BAL", "EDUCATION", "PAY_0", "default.payment.next.month", "applied_on"],
        lambda i: [i, 1_000 * r.randrange(99), r.choice("abc"), r.choice([0, 1, 2]), r.randrange(2), at(i).date()],
    )
    events = [
        {"id": f"e{i}", "actor": {"login": f"u{i % 9}"}, "payload": {"size": i % 7}, "created_at": at(i).isoformat()}
        for i in range(N)
    ]
    request = '"GET /p HTTP/1.1" 200 12 "-" "Mozilla/5.0"'
    log = "".join(f"shop.test:443 10.0.0.{i % 250} - - [{at(i):%d/%b/%Y:%H:%M:%S} +0000] {request}\n" for i in range(N))
    label = "default.payment.next.month"
    return {
        "upper-case and dotted names": ("cards.csv", cards, label),
        "nested": ("events.jsonl", "\n".join(map(json.dumps, events)).encode(), None),
        "JSON array": ("array.json", json.dumps(events, indent=1).encode(), None),
        "no time": ("people.csv", table(["age", "kids", "happy"], lambda i: [i % 60, i % 4, "yn"[i % 3 > 0]]), "happy"),
        "codes for missing": (
            "codes.csv",
            table(["score", "bad"], lambda i: [r.choice([-9, -8, 60, 70]), i % 2]),
            "bad",
        ),
        "three classes": ("birds.csv", table(["species", "mass"], lambda i: ["abc"[i % 3] * 3, i]), "species"),
        "quantity, day and hour": (
            "bikes.csv",
            table(["dteday", "hr", "cnt"], lambda i: [at(i).date(), i % 24, i]),
            "cnt",
        ),
        "two sources: orders": (
            "orders.csv",
            table(["InvoiceNo", "InvoiceDate", "Mail"], lambda i: [i, f"{at(i):%d/%m/%Y %H:%M}", f"a{i}@b.test"]),
            None,
        ),
        "two sources: returns": ("returns.csv", table(["InvoiceNo", "at"], lambda i: [i, at(i).isoformat()]), None),
        "access log with vhost": ("access.log", log.encode(), None),
        "semicolons": ("semi.csv", cards.replace(b",", b";"), label),
        "UTF-16": ("wide.csv", cards.decode().encode("utf-16"), label),
    }


def propose(path: Path, label: str | None) -> tuple[str, str]:
    """Propose a problem; give its name, and what is said beside it."""
    from scripts.propose_problem import propose_from, write_proposal

    proposal = propose_from(path, label=label)
    write_proposal(proposal, read_settings().problems_dir)
    return proposal.name, " ".join(proposal.notes)


def check(name: str, path: Path) -> tuple[int, str, float]:
    """Check a problem in a process of its own; give the exit code, what it says, and its processor time, in s."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "scripts.check_problem", name, "--from", str(path)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.returncode, done.stdout + done.stderr, used_s


def measure(shape: str, path: Path, label: str | None) -> tuple[str, float]:
    """Measure one shape; give a row of the table, and the processor time of its check, in s."""
    try:
        name, notes = propose(path, label)
    except MulgilError as error:
        return f"| {shape} | – | refused | {error} | |", 0.0
    converted = "UTF-8" in notes
    if converted:
        path.write_bytes(path.read_bytes().decode("utf-16").encode())
    code, said, used_s = check(name, path)
    problem = read_problem_file(read_settings().problems_dir / f"{name}.yaml")
    published = next((line.strip() for line in said.splitlines() if "would be published" in line), said[:80])
    model = "–" if problem.label is None else "yes" if problem.training is not None else "no"
    beside = "converted as it says" if converted else ""
    return f"| {shape} | {0 if code == 0 else '?'} | {published} | {model} | {used_s:.1f} | {beside} |", used_s


def main() -> int:
    """Measure every shape; 1 where a check takes longer than its bar or a file cannot be used as proposed."""
    with tempfile.TemporaryDirectory(prefix="mulgil-bench-") as folder:
        os.environ |= {"MULGIL_PROBLEMS_DIR": folder, "MULGIL_HOME": f"{folder}/home"}
        print("| shape | lines edited | the sample | a model is asked for | check, processor s | beside |")
        print("|---|---|---|---|---|---|")
        slowest, is_bad = 0.0, False
        for shape, (file_name, content, label) in make_shapes().items():
            path = Path(folder) / file_name
            path.write_bytes(content)
            row, used_s = measure(shape, path, label)
            slowest, is_bad = max(slowest, used_s), is_bad or "| 0 |" not in row
            print(row, flush=True)
    print(f"\nslowest check: {slowest:.1f} s of processor time; bar {BAR_S:.0f}")
    return 1 if is_bad or slowest > BAR_S else 0


if __name__ == "__main__":
    sys.exit(main())
