"""How many intervals of a quantity hold on later data, month by month: on real flights, and in worlds that are made.

    python -m bench.quantity_intervals

A model is fitted at the end of each month from June on, on all days before, as `train` does with `every: 30`, and asked
about the next month. Three ways to make its interval hold, for the same forecasts: offsets that stay what they were
when it was fitted; offsets learned again before each month; and before each day, which is what scoring does with
partitions of that size. Real: the arrival delays of the built-in flights, 40,000 of them drawn by chance. Made: 12
months of 80 rows a day, where nothing changes, where the spread grows with a feature, and where the spread doubles and
the level rises by two spreads over the year. Stated are 90 of 100; the bar is 2 of 100 away at most.
"""

from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd

from include.learning.data.splits import split_by_time
from include.learning.quantity.fit_quantity import fit_quantity, newest_partitions
from include.learning.quantity.following import follow_partitions
from include.learning.quantity.levels import Answers, Costs, Levels
from include.learning.quantity.predict import read_frame
from include.problems.sections.learning import Training
from include.settings import REPOSITORY

LEVELS, COSTS = Levels("squared", 0.9, 0.75), Costs(1.0, 3.0)
BAR, N_FLIGHTS, N_WORLDS, SEED = 0.02, 40_000, 4, 7
LEAST_ROWS = 300  # a month of fewer rows, such as the last hours of a year, says nothing
FLIGHTS = REPOSITORY / "include" / "problems" / "data" / "flight_delay" / "flights.parquet"
OF_FLIGHTS = Training(
    models=["seasonal_naive", "linear", "gradient_boosting"],
    features={
        "numeric": ["distance_miles", "scheduled_hour_local", "temperature_f", "wind_speed_mph", "visibility_miles"],
        "categorical": ["carrier", "origin"],
    },
)
OF_WORLDS = Training(model="linear", features={"numeric": ["x", "z"]})
WORLDS = ("nothing changes", "the spread grows with a feature", "spread and level drift")
WAYS = ("fixed", "before each month", "before each day")


def as_training_rows(frame: pd.DataFrame, moments: "pd.Series[pd.Timestamp]", actual: np.ndarray) -> pd.DataFrame:
    """Give rows as training reads them, in partitions of a day."""
    rows = frame.assign(_event_at=moments, _labels=actual, _partition_key=moments.dt.strftime("%Y-%m-%d"))
    rows = rows.sort_values("_event_at", kind="stable", ignore_index=True)
    return rows.assign(_row_key=[f"r{at}" for at in range(len(rows))], _block=rows["_event_at"].dt.day_of_year)


def read_flights() -> pd.DataFrame:
    """Read flights that arrived, drawn by chance."""
    frame = pd.read_parquet(FLIGHTS)
    frame = frame[frame["arr_delay_minutes"].notna()].sample(N_FLIGHTS, random_state=SEED).reset_index(drop=True)
    moments = pd.to_datetime(frame["scheduled_at"])
    return as_training_rows(frame, moments, frame["arr_delay_minutes"].to_numpy())


def make_world(kind: str, seed: int) -> pd.DataFrame:
    """Make a year of 80 rows a day."""
    rng = np.random.default_rng([seed, WORLDS.index(kind)])
    day = np.repeat(np.arange(365), 80)
    x, z = rng.normal(size=len(day)), rng.uniform(0, 2, len(day))
    spread = np.where(kind == WORLDS[1], 0.3 + 2 * z, 1.0)
    level = np.zeros(len(day))
    if kind == WORLDS[2]:
        spread, level = spread * (1 + day / 365), 2 * day / 365
    actual = 10 + 2 * x + level + spread * rng.standard_t(5, len(day))
    moments = pd.Series(pd.Timestamp("2013-01-01", tz="UTC") + pd.to_timedelta(day * 24 + 12, unit="h"))
    return as_training_rows(pd.DataFrame({"x": x, "z": z}), moments, actual)


def months_of(rows: pd.DataFrame, training: Training) -> Iterator[dict[str, object]]:
    """Fit at the end of each month from June on, and say how many intervals of the next month held."""
    month = rows["_partition_key"].str[:7]
    for asked in sorted(month.unique())[6:]:
        before, new = rows[month < asked].reset_index(drop=True), rows[month == asked]
        days = sorted(before["_partition_key"].unique())
        fitted = fit_quantity(before, split_by_time(days, 30), training, LEVELS, COSTS)
        newest = before[before["_partition_key"].isin(newest_partitions(split_by_time(days, 30)))]
        later = pd.concat([newest, new], ignore_index=True)
        is_asked = np.arange(len(later)) >= len(newest)
        said = fitted.model.forecast.predict(read_frame(later, fitted.spec))
        actual, moments = later["_labels"].to_numpy(), later["_event_at"]
        row: dict[str, object] = {"month": asked, "rows": len(new), "model": fitted.model_name}
        for way in WAYS:
            offsets = fitted.model.offsets
            if way != "fixed":
                length = 7 if way == "before each month" else 10
                keys = later["_partition_key"].str[:length].to_numpy(dtype=object)
                offsets = follow_partitions(LEVELS, said, actual, moments, keys, is_asked, timedelta(0))
            answers = Answers.from_table(said[is_asked] + offsets)
            row[way] = float(answers.is_held(actual[is_asked]).mean())
            row[f"width {way}"] = float((answers.high - answers.low).mean())
        yield row


def show(title: str, rows: list[dict[str, object]]) -> None:
    """Print months with all ways, and how many are within the bar."""
    print(f"\n{title}\n\n| month | rows | model | {' | '.join(WAYS)} | mean width |\n|---|---|---|---|---|---|---|")
    for row in rows:
        held = " | ".join(f"{100 * float(str(row[way])):.1f}" for way in WAYS)
        print(f"| {row['month']} | {row['rows']:,} | {row['model']} | {held} | {row['width before each day']:.1f} |")
    within = [sum(abs(float(str(row[way])) - LEVELS.interval) <= BAR for row in rows) for way in WAYS]
    print(f"| within 2 of 100 | | | {' | '.join(f'{n} of {len(rows)}' for n in within)} | |")


def simulate(kind: str) -> None:
    """Print one line of the table of worlds."""
    found = [row for seed in range(N_WORLDS) for row in months_of(make_world(kind, seed), OF_WORLDS)]
    cells = []
    for way in WAYS:
        held = np.array([float(str(row[way])) for row in found])
        n_within = int((np.abs(held - LEVELS.interval) <= BAR).sum())
        cells.append(f"{100 * held.mean():.1f} ({100 * held.min():.1f} to {100 * held.max():.1f}), {n_within}")
    print(f"| {kind} | {len(found)} | {' | '.join(cells)} |", flush=True)


def main() -> int:
    """Measure; fails where a month of flights with offsets learned before each day misses the bar."""
    flights = [row for row in months_of(read_flights(), OF_FLIGHTS) if int(str(row["rows"])) >= LEAST_ROWS]
    show("Arrival delay of flights, minutes", flights)
    heads = " | ".join(f"{way}: mean (least to most), months within 2" for way in WAYS)
    print(f"\n| world | months | {heads} |\n|---|---|---|---|---|")
    for kind in WORLDS:
        simulate(kind)
    return int(any(abs(float(str(row[WAYS[-1]])) - LEVELS.interval) > BAR for row in flights))


if __name__ == "__main__":
    raise SystemExit(main())
