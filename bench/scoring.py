"""What scoring a partition costs beside asking the model alone: rows of flights, texts, and the same on Spark.

    python -m bench.scoring

Rows are shaped like `flight_delay` (its columns, categories and missing values) and made by chance; the model is the
project's gradient boosting, trained by the project on two months of them. "Bare" is `predict_proba` of the very same
model on features that lie in memory already, in as many threads as a step takes: one. Ours and bare run in turn.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from bench.house import open_house

N_ROWS, N_MANY_ROWS, N_TEXTS, N_RUNS = 1_000_000, 3_000_000, 30_000, 3
LARGE, LARGEST = "2013-05", "2013-06"
BAR_RATIO, BAR_GROWTH, BAR_DIFFERENCE = 0.8, 1.25, 1e-12
FLIGHT = Path(__file__).parents[1] / "include" / "problems" / "flight_delay.yaml"
NOTES = """\
name: notes
title: Notes
why: To measure scoring of texts.
owner: nobody
escalation: nobody
source:
  landing: notes
  grain: month
  key: [note_id]
  event_time: at
  earliest: 2013-01-01T00:00:00Z
  latest: 2014-01-01T00:00:00Z
  columns:
    note_id: {type: string}
    at: {type: timestamp}
    body: {type: string}
    is_late: {type: boolean, known: later}
label: {classes: [on_time, late], positive: late, source: log, known_when: is_late IS NOT NULL, positive_when: is_late}
value: {unit: dollars, true_positive: 20, false_positive: -8, true_negative: 0, false_negative: -5}
training: {models: [text_logistic], first: 4, features: {text: [body]}}
"""
# Publishes months of made-up rows and trains on the first two: what ingest and the train stage leave behind.
_FILL = """
import json, sys
from datetime import UTC, datetime
import numpy as np, pandas as pd, pyarrow as pa
from include.lake.row_expressions import events_schema
from include.lake.writing import replace_partition
from include.learning import steps
from include.names import Coverage, Stage, events_table
from include.problems.reading import load_problem
from include.warehouse.coverage import mark
from include.warehouse.database import open_warehouse

def flights(rng, n):
    rows = {name: rng.normal(50, 20, n) for name in ("temperature_f", "dewpoint_f", "humidity_percent")}
    rows |= {"wind_speed_mph": rng.gamma(3, 3.5, n), "pressure_millibars": rng.normal(1018, 7, n)}
    rows |= {"precipitation_inches": np.where(rng.random(n) < 0.07, rng.exponential(0.05, n), 0.0)}
    rows |= {"visibility_miles": np.where(rng.random(n) < 0.15, rng.uniform(0, 10, n), 10.0)}
    for name in ("temperature_f", "pressure_millibars", "wind_speed_mph"):
        rows[name] = np.where(rng.random(n) < 0.03, np.nan, rows[name])
    rows |= {"scheduled_hour_local": rng.integers(5, 24, n), "weekday": rng.integers(1, 8, n)}
    rows |= {"distance_miles": rng.integers(80, 2600, n).astype(float)}
    words = {"carrier": 16, "origin": 3, "destination": 105, "tail_number": 4000}
    rows |= {name: rng.choice([f"{name[0].upper()}{i:03d}" for i in range(k)], n) for name, k in words.items()}
    odds = (rows["scheduled_hour_local"] - 18) / 4 + 20 * rows["precipitation_inches"] - rows["visibility_miles"] / 10
    late = rng.random(n) < 1 / (1 + np.exp(-odds))
    rows["arr_delay_minutes"] = np.where(rng.random(n) < 0.03, np.nan, np.where(late, 40.0, -5.0))
    return pd.DataFrame(rows)

def notes(rng, n):
    # Words of letters: to the project, texts that differ in digits only are one text.
    words = np.array(["".join(chr(97 + i // 26**place % 26) for place in range(3)) for i in range(5000)])
    late = rng.random(n) < 0.3
    size = rng.integers(50, 400, n)
    draws = (5000 * rng.random(int(size.sum())) ** 2).astype(int)
    bodies = np.split(words[draws], np.cumsum(size)[:-1])
    body = [" ".join(part) + (" delayed sorry" if is_late else " fine") for part, is_late in zip(bodies, late)]
    return pd.DataFrame({"body": body, "is_late": late})

for name, key_column, make, sizes in json.loads(sys.argv[1]):
    problem = load_problem(name)
    schema = events_schema(problem.source)
    for month, n in sizes.items():
        rows = globals()[make](np.random.default_rng([7, int(month[-2:])]), n)
        rows[key_column] = rows["_row_key"] = [f"{month}-{i:08d}" for i in range(n)]
        start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00").timestamp()
        rows[problem.source.event_time] = pd.to_datetime(start + np.arange(n) % 2_400_000, unit="s", utc=True)
        rows["_partition_key"], rows["_object_key"], rows["_line_number"] = month, "o", np.arange(n)
        table = pa.Table.from_pandas(rows.reindex(columns=schema.names), preserve_index=False).cast(schema)
        replace_partition(events_table(name), month, table)
        with open_warehouse().begin() as connection:
            for stage in (Stage.LAND, Stage.INGEST):
                mark(connection, name, stage, month, Coverage.DONE)
    # Trained through the fourth month; the large ones are what comes later.
    plan = {"is_due": True, "points": ["2013-04"]}
    print(json.dumps(steps.fit_candidates(problem=name, partition_key="2013-04", plan=plan)))
"""
_OURS = """
import json, resource, sys, time
from include.engine.session import open_engine
from include.learning.scoring.score_partitions import score_partitions
from include.problems.reading import load_problem
name, version, month = sys.argv[1:]
problem = load_problem(name)
score_partitions(problem, version, ["2013-01"])  # loads libraries, makes the table
started, cpu_started = time.perf_counter(), time.process_time()
n = score_partitions(problem, version, [month])
seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"n_rows": n, "seconds": seconds, "cpu_s": cpu_s, "peak_mb": peak_mb}))
"""
_BARE = """
import json, sys, time
from datetime import UTC, datetime
from threadpoolctl import threadpool_limits
from include.learning.registry import artifacts, versions
from include.learning.data.features import build_features
from include.learning.data.dataset import open_scorable
from include.learning.training.fit import N_THREADS
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
name, version, month = sys.argv[1:]
with open_warehouse().connect() as connection:
    row = versions.read_version(connection, name, version)
stored = artifacts.load_registered(versions.models_folder(read_settings(), name), row)
rows = open_scorable(load_problem(name), [month], stored.spec, datetime.now(UTC)).to_pyarrow().to_pandas()
frame = build_features(rows, stored.spec)
stored.model.predict_proba(frame.head(1000))
with threadpool_limits(N_THREADS):
    started, cpu_started = time.perf_counter(), time.process_time()
    stored.model.predict_proba(frame)
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
print(json.dumps({"n_rows": len(frame), "seconds": seconds, "cpu_s": cpu_s}))
"""
_READ = """
import json, sys
from include.lake.reading import open_rows
from include.names import predictions_table
rows = open_rows(predictions_table(sys.argv[1]), [sys.argv[2]]).to_pyarrow().sort_by("_row_key")
import pyarrow.parquet as pq
pq.write_table(rows.select(["_row_key", "p_positive"]), sys.argv[3])
print(rows.num_rows)
"""


def run(program: str, *arguments: str, engine: str = "duckdb") -> dict[str, float]:
    """Run one measurement in a process of its own; its last line is what it found."""
    environment = os.environ | {"MULGIL_ENGINE": engine}
    command = [sys.executable, "-c", program, *arguments]
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise SystemExit(f"A measurement broke down:\n{finished.stderr[-3000:]}")
    found: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return found


def fill(home: Path) -> dict[str, str]:
    """Publish rows and texts, train a model on each; return the versions by problem."""
    flight = FLIGHT.read_text().replace("[scorecard, gradient_boosting]", "[gradient_boosting]")
    flight = flight.replace("first: 6", "first: 4").replace("every: 3", "every: 1")
    (home / "problems" / "flight_delay.yaml").write_text(flight)
    (home / "problems" / "notes.yaml").write_text(NOTES)
    taught = [f"2013-0{month}" for month in range(1, 5)]
    flights = dict.fromkeys(taught, 27_000) | {LARGE: N_ROWS, LARGEST: N_MANY_ROWS}
    texts = dict.fromkeys(taught, 1_000) | {LARGE: N_TEXTS}
    versions = {}
    problems = (("notes", "note_id", "notes", texts), ("flight_delay", "flight_id", "flights", flights))
    for name, key, make, sizes in problems:
        fitted = run(_FILL, json.dumps([[name, key, make, sizes]]))
        versions[name] = str(fitted["versions"][-1])  # type: ignore[index]
    return versions


def in_turn(name: str, version: str, month: str) -> tuple[dict[str, float], dict[str, float]]:
    """Score a partition and ask the bare model, in turn; return the median run of each."""
    ours, bare = [], []
    for _ in range(N_RUNS):
        ours.append(run(_OURS, name, version, month))
        bare.append(run(_BARE, name, version, month))
    first, second = (sorted(found, key=lambda one: one["seconds"])[N_RUNS // 2] for found in (ours, bare))
    return first, second


def difference_on_spark(home: Path, version: str) -> tuple[float, float]:
    """Score the partition on Spark; return the largest difference of a probability, and the seconds."""
    import pyarrow.parquet as pq

    run(_READ, "flight_delay", LARGE, str(home / "duckdb.parquet"))
    spark = run(_OURS, "flight_delay", version, LARGE, engine="spark")
    run(_READ, "flight_delay", LARGE, str(home / "spark.parquet"))
    one, other = (pq.read_table(home / f"{engine}.parquet") for engine in ("duckdb", "spark"))
    if one["_row_key"] != other["_row_key"]:
        raise SystemExit("Spark scored other rows than DuckDB.")
    return float(abs(one["p_positive"].to_numpy() - other["p_positive"].to_numpy()).max()), spark["seconds"]


def main() -> int:
    """Measure, print the table, and say by the exit code whether every bar was met."""
    with open_house() as home:
        versions = fill(home)
        ours, bare = in_turn("flight_delay", versions["flight_delay"], LARGE)
        text, bare_text = in_turn("notes", versions["notes"], LARGE)
        many = run(_OURS, "flight_delay", versions["flight_delay"], LARGEST)
        spark = difference_on_spark(home, versions["flight_delay"]) if shutil.which("java") else None
    speed, growth = bare["seconds"] / ours["seconds"], many["peak_mb"] / ours["peak_mb"]
    rows: list[tuple[str, str, str, bool]] = [
        (f"scoring {N_ROWS:,} flights, lake to published, s", f"{ours['seconds']:.2f}", "", True),
        ("bare predict_proba on rows in memory, s", f"{bare['seconds']:.2f}", "", True),
        ("processor s, scoring and bare", f"{ours['cpu_s']:.2f} and {bare['cpu_s']:.2f}", "", True),
        ("rows/s of scoring / bare", f"{speed:.2f}", f">= {BAR_RATIO:g}", speed >= BAR_RATIO),
        (f"peak memory, {N_ROWS:,} rows, MB", f"{ours['peak_mb']:,.0f}", "", True),
        (
            f"peak memory, {N_MANY_ROWS:,} / {N_ROWS:,} rows",
            f"{growth:.2f}",
            f"<= {BAR_GROWTH:g}",
            growth <= BAR_GROWTH,
        ),
        (f"scoring {N_TEXTS:,} texts, s", f"{text['seconds']:.2f}", "", True),
        ("bare predict_proba on texts in memory, s", f"{bare_text['seconds']:.2f}", "", True),
        ("texts/s of scoring / bare", f"{bare_text['seconds'] / text['seconds']:.2f}", "reported", True),
    ]
    if spark:
        is_same = spark[0] <= BAR_DIFFERENCE
        rows.append((f"scoring {N_ROWS:,} flights on Spark, local, s", f"{spark[1]:.2f}", "", True))
        rows.append(("largest difference of a probability", f"{spark[0]:g}", f"<= {BAR_DIFFERENCE:g}", is_same))
    print("| what | found | bar | verdict |\n|---|---|---|---|")
    for what, found, bar, is_met in rows:
        print(f"| {what} | {found} | {bar} | {'' if not bar or bar == 'reported' else 'met' if is_met else 'MISSED'} |")
    return 0 if all(is_met for *_, is_met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
