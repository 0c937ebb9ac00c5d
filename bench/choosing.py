"""How long it takes to choose 200 of 10 million scored items with three classes, and in how much memory.

    python -m bench.choosing

The scores lie in the lake, in ten partitions. Measured in turn, each in a process of its own, three times, of which
the median counts: one read of the probabilities into memory; our ranking by entropy, from the lake, with keys; the same
with the shortlist and the covering choice of a real batch; and numpy on probabilities that are in memory already. A
first round, before there is a model, draws 2,000 items, describes their texts (150 made-up words each) and covers them.
scikit-activeml's query takes over 1 GB for a million rows, so that it is measured at one million, also in memory, and
taken times ten: its time grows at least as fast as the rows. Memory is what a process has grown by.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.house import open_house
from bench.peer_environment import PEERS, peer_python

N_ITEMS, N_PARTITIONS, N_CHOSEN, N_RUNS = 10_000_000, 10, 200, 3
BAR_READ, BAR_PEER, BAR_MEMORY, BAR_COVER = 2.0, 20.0, 1.25, 60.0

_BEGIN = """
import json, sys, time
from pathlib import Path
import numpy as np
import pyarrow as pa
from include.engine.session import open_engine
from include.lake.reading import open_rows
from include.review.selection import sql_ranking
from include.review.selection.covering import choose_covering, weigh_uncertainty
table, n_chosen = sys.argv[1], int(sys.argv[2])
P = ["p_0", "p_1", "p_2"]
open_rows(table).limit(1).to_pyarrow()  # the engine, the catalog and the libraries are loaded
def peak_mb():  # of this program alone: what getrusage says is inherited from whoever started it
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024
before_mb = peak_mb()
started = time.perf_counter()
"""
_END = """
seconds = time.perf_counter() - started
grown_mb = peak_mb() - before_mb
print(json.dumps({"seconds": seconds, "grown_mb": grown_mb}))
"""
_READ = "found = open_engine().to_pyarrow(open_rows(table).select(P))"
_RANK = """
rows = open_rows(table)
score = sql_ranking.score_expression("entropy", [[rows[name] for name in P]])
ranked = sql_ranking.rank_rows(rows, score, "_row_key", n_chosen)
sql_ranking.require_ranked(ranked, P, 0)
"""
_BATCH = (
    """
n_chosen, n_wanted = 4_000, n_chosen
"""
    + _RANK
    + """
vectors = np.random.default_rng(0).standard_normal((4_000, 64))  # as long as a description of texts
weights = weigh_uncertainty(ranked["_score"].to_numpy(), np.ones(4_000), 0.5)
choose_covering(vectors, weights, n_wanted)
"""
)
_COVER = """
import pandas as pd
from include.problems.sections.learning import Features
from include.review.selection import pool
from include.review.selection.cold_start import choose_spread
from include.review.selection.embeddings import describe_items
rng = np.random.default_rng(0)
keys = pool.draw_keys(open_rows(table).select("_row_key").distinct(), pool.sample_size(n_chosen), "cover")
found = pool.only_keys(open_rows(table), keys).to_pyarrow()
words = np.array([f"word{number}" for number in range(5_000)])
texts = pd.DataFrame({"text": [" ".join(words[rng.zipf(1.3, 150) % 5_000]) for _ in range(found.num_rows)]})
vectors = describe_items(texts, Features(text=["text"]), 0)
choose_spread(vectors, np.ones(len(vectors)), n_chosen, rng)
"""
_NUMPY = """
found = open_engine().to_pyarrow(open_rows(table).select(P))
proba = np.column_stack([found[name].to_numpy() for name in P])
started = time.perf_counter()
entropy = -(proba * np.log(np.maximum(proba, 1e-300))).sum(axis=1)
np.argpartition(-entropy, n_chosen)[:n_chosen]
"""


def write_scores(table: str, n_items: int) -> None:
    """Put scored items into the lake, as training would if it had three classes."""
    from include.lake.writing import replace_partitions

    each = n_items // N_PARTITIONS
    for part in range(N_PARTITIONS):
        proba = np.random.default_rng(part).dirichlet([1.0, 1.0, 1.0], each)
        key = f"2013-{part + 1:02d}"
        columns: dict[str, object] = {
            "_partition_key": np.full(each, key),
            "_row_key": np.char.add(f"item-{part:02d}-", np.arange(each).astype(str)),
            "model_version": np.full(each, "v1"),
        }
        columns |= {f"p_{index}": proba[:, index] for index in range(3)}
        replace_partitions(table, [key], pa.table(columns))


def run(python: str | Path, *arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own; its last line is what it found."""
    finished = subprocess.run([python, *arguments], capture_output=True, text=True, check=False, env=dict(os.environ))
    if finished.returncode:
        raise SystemExit(f"A measurement broke down:\n{finished.stderr[-3000:]}")
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def measure(body: str, table: str) -> dict[str, float]:
    """Run one of ours on a table of the lake."""
    return run(sys.executable, "-c", _BEGIN + body + _END, table, str(N_CHOSEN))


def main() -> int:
    """Measure, print the table, and say by the exit code whether every bar was met."""
    with open_house():
        tables = {n_items: f"lake.bench_{n_items}" for n_items in (N_ITEMS // 10, N_ITEMS)}
        for n_items, table in tables.items():
            write_scores(table, n_items)
        large = tables[N_ITEMS]
        bodies = {"read": _READ, "rank": _RANK, "batch": _BATCH, "numpy": _NUMPY}
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in bodies}
        for _ in range(N_RUNS):  # in turn, so that a busy minute meets all of them
            for name, body in bodies.items():
                runs[name].append(measure(body, large))
        small = measure(_RANK, tables[N_ITEMS // 10])
        cover = {n_items: measure(_COVER, table) for n_items, table in tables.items()}
        peer = run(peer_python("active_learning"), str(PEERS / "choosing.py"), str(N_ITEMS // 10), str(N_CHOSEN))
        peer = {name: 10 * value for name, value in peer.items()}
    found = {name: sorted(each, key=lambda one: one["seconds"])[N_RUNS // 2] for name, each in runs.items()}
    rank, read = found["rank"], found["read"]
    growth = (rank["grown_mb"] + 100) / (small["grown_mb"] + 100)
    rows = {
        "one read of the probabilities into memory": read,
        f"ours: the {N_CHOSEN} of highest entropy, from the lake, checked and with keys": rank,
        f"ours: {N_CHOSEN} that cover the 4,000 of highest entropy": found["batch"],
        "numpy, probabilities in memory": found["numpy"],
        f"ours: {N_CHOSEN} that cover {N_ITEMS // 10:,} texts, before there is a model": cover[N_ITEMS // 10],
        f"ours: {N_CHOSEN} that cover {N_ITEMS:,} texts, before there is a model": cover[N_ITEMS],
        "scikit-activeml's query of 1,000,000 in memory, times ten": peer,
    }
    print("| what | s | memory it added, MB |\n|---|---|---|")
    for what, one in rows.items():
        print(f"| {what} | {one['seconds']:.2f} | {one['grown_mb']:,.0f} |")
    to_read, to_peer = rank["seconds"] / read["seconds"], peer["seconds"] / rank["seconds"]
    bars = [
        ("ours / one read", to_read, f"< {BAR_READ:g}", to_read < BAR_READ),
        ("scikit-activeml / ours", to_peer, f">= {BAR_PEER:g}", to_peer >= BAR_PEER),
        (
            "covering 1 million, s",
            cover[N_ITEMS // 10]["seconds"],
            f"<= {BAR_COVER:g}",
            cover[N_ITEMS // 10]["seconds"] <= BAR_COVER,
        ),
        (
            "memory at 10 million / at 1 million (100 MB added to both)",
            growth,
            f"<= {BAR_MEMORY:g}",
            growth <= BAR_MEMORY,
        ),
    ]
    print("\n| ratio | found | bar | verdict |\n|---|---|---|---|")
    for what, ratio, bar, is_met in bars:
        print(f"| {what} | {ratio:.2f} | {bar} | {'met' if is_met else 'MISSED'} |")
    return 0 if all(is_met for *_, is_met in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
