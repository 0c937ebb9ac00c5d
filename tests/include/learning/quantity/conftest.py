"""One more problem for the small house: bikes that are out in an hour, a number that must be planned for."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from include.learning.data.splits import split_by_time
from include.learning.quantity.fit_quantity import QuantityFitted, fit_quantity
from include.learning.quantity.levels import Costs, Levels
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.learning import Training
from tests.include.learning.conftest import COMMON

BIKES: dict[str, Any] = COMMON | {
    "name": "bikes",
    "source": {
        "landing": "bikes",
        "grain": "day",
        "key": ["station_id", "hour_at"],
        "event_time": "hour_at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {
            "station_id": {"type": "string"},
            "hour_at": {"type": "timestamp"},
            "warmth_c": {"type": "number"},
            "wind_ms": {"type": "number"},
            "size": {"type": "string"},
            "n_out": {"type": "number", "known": "later"},
        },
    },
    "label": {"quantity": {"unit": "bikes"}, "source": "log", "known_when": "n_out IS NOT NULL", "value": "n_out"},
    "value": {"unit": "dollars", "over": 1, "under": 3},
    "training": {
        "models": ["seasonal_naive", "linear", "gradient_boosting"],
        "first": 36,
        "every": 36,
        "features": {"numeric": ["warmth_c", "wind_ms"], "categorical": ["size"]},
    },
    "monitor": {"features": ["warmth_c"], "reference_partitions": 2, "minimum_rows": 50},
}
DAYS = [f"{date(2013, 2, 1) + timedelta(days=number)}" for number in range(38)]
POINT = DAYS[35]  # the training point; the three days before it are measured on
LEVELS, COSTS = Levels("squared", 0.9, 0.75), Costs(1.0, 3.0)
TRAINING = Training(
    models=["seasonal_naive", "linear"], features={"numeric": ["warmth_c", "wind_ms"], "categorical": ["size"]}
)


def make_bikes(day: str, n_stations: int = 5, seed: int = 0) -> pd.DataFrame:
    """Make one day of stations, an hour a row: warmth and hour decide, and the spread grows with warmth."""
    rng = np.random.default_rng([seed, int(day.replace("-", ""))])
    start = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    hour = np.tile(np.arange(24), n_stations)
    warmth, wind = rng.normal(12.0, 5.0, len(hour)), rng.exponential(3.0, len(hour))
    is_large = np.repeat(np.arange(n_stations) % 2 == 0, 24)
    middle = 20 + 2.0 * warmth + 8 * np.sin(hour / 24 * 2 * np.pi) + 6 * is_large - wind
    n_out = middle + rng.normal(0, 1, len(hour)) * (2 + 0.3 * np.abs(warmth))
    n_out[rng.random(len(hour)) < 0.05] = np.nan
    return pd.DataFrame(
        {
            "station_id": np.repeat([f"s{number:02d}" for number in range(n_stations)], 24),
            "hour_at": [start + timedelta(hours=int(one)) for one in hour],
            "warmth_c": warmth,
            "wind_ms": wind,
            "size": np.where(is_large, "large", "small"),
            "n_out": n_out,
            "_key": [f"s{at // 24:02d}|{day}T{at % 24:02d}" for at in range(len(hour))],
        }
    )


@pytest.fixture
def write_problem(problems_dir: Path) -> Callable[[dict[str, Any]], Problem]:
    """Give a function that writes a problem file and reads it."""

    def write(problem: dict[str, Any]) -> Problem:
        (problems_dir / f"{problem['name']}.yaml").write_text(yaml.safe_dump(problem))
        return load_problem(problem["name"])

    return write


@pytest.fixture
def bikes(publish: Callable[..., None], write_problem: Callable[[dict[str, Any]], Problem]) -> Callable[..., Problem]:
    """Give a function that publishes days of bikes for a problem."""

    def _bikes(days: Sequence[str], problem: dict[str, Any] = BIKES, **changes: Any) -> Problem:
        loaded = write_problem(problem)
        for day in days:
            rows = make_bikes(day).assign(**changes)
            publish(problem["name"], "_key", rows, day)
        return loaded

    return _bikes


def make_rows(n_days: int = 20, seed: int = 3) -> pd.DataFrame:
    """Make training rows of bikes as `read_rows` gives them, all of them known."""
    days = [f"2013-03-{number:02d}" for number in range(1, n_days + 1)]
    rows = pd.concat([make_bikes(day, seed=seed).assign(_partition_key=day) for day in days], ignore_index=True)
    rows = rows[rows["n_out"].notna()].reset_index(drop=True)
    return rows.assign(
        _row_key=rows["_key"],
        _block=rows["hour_at"].dt.day_of_year,
        _event_at=rows["hour_at"],
        _is_rule=False,
        _is_random=True,
        _labels=rows["n_out"],
    )


@pytest.fixture(scope="session")
def fitted_bikes() -> QuantityFitted:
    """Fit bikes once, by time."""
    rows = make_rows(seed=0)
    return fit_quantity(rows, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING, LEVELS, COSTS)
