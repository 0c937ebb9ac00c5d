"""A small house with two problems in it: one labelled by its log, one by people; and the rows of both."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from threadpoolctl import threadpool_limits

from include.lake.writing import replace_partition
from include.names import Coverage, Stage, events_table
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.warehouse.coverage import mark
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.review import LABEL

COMMON: dict[str, Any] = {
    "title": "T",
    "why": "W",
    "owner": "o",
    "escalation": "e",
    "value": {"unit": "dollars", "true_positive": 20, "false_positive": -8, "true_negative": 0, "false_negative": -5},
}
LATE: dict[str, Any] = COMMON | {
    "name": "late",
    "source": {
        "landing": "late",
        "grain": "month",
        "key": ["trip_id"],
        "event_time": "left_at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {
            "trip_id": {"type": "string"},
            "left_at": {"type": "timestamp"},
            "rain_mm": {"type": "number"},
            "hour": {"type": "integer"},
            "line": {"type": "string"},
            "delay_min": {"type": "number"},
        },
    },
    "label": {
        "classes": ["on_time", "late"],
        "positive": "late",
        "source": "log",
        "known_when": "delay_min IS NOT NULL",
        "positive_when": "delay_min > 15",
    },
    "baseline": {"name": "evening", "positive_when": "hour >= 20"},
    "training": {
        "model": "gradient_boosting",
        "first": 3,
        "every": 1,
        "features": {"numeric": ["rain_mm", "hour"], "categorical": ["line"], "increasing": ["rain_mm"]},
    },
    "monitor": {"features": ["rain_mm"], "reference_partitions": 1, "ece_alert": 0.2},
}
MAIL: dict[str, Any] = COMMON | {
    "name": "mail",
    "source": {
        "landing": "mail",
        "grain": "month",
        "key": ["mail_id"],
        "event_time": "sent_at",
        "earliest": "2002-01-01T00:00:00Z",
        "latest": "2003-01-01T00:00:00Z",
        "columns": {
            "mail_id": {"type": "string"},
            "sent_at": {"type": "timestamp"},
            "subject": {"type": "string"},
            "body": {"type": "string"},
        },
    },
    "label": {"classes": ["wanted", "junk"], "positive": "junk", "source": "desk"},
    "training": {"model": "text_logistic", "minimum_labels": 20, "features": {"text": ["subject", "body"]}},
    "review": {"budget": 40, "max_rounds": 3},
}

WORDS = {True: ["win", "money", "offer", "free", "now"], False: ["meeting", "patch", "report", "lunch", "build"]}


def make_trips(month: str, n_rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Make one month of trips: rain and late hours delay them, one in twenty never arrives."""
    rng = np.random.default_rng([seed, int(month.replace("-", ""))])
    rain, hour = rng.exponential(2.0, n_rows), rng.integers(5, 23, n_rows)
    odds = 1 / (1 + np.exp(-(rain - 3.0 + (hour - 14) / 4)))
    delay = np.where(rng.random(n_rows) < odds, 40.0, 2.0)
    delay[rng.random(n_rows) < 0.05] = np.nan
    start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    return pd.DataFrame(
        {
            "trip_id": [f"{month}-{number:05d}" for number in range(n_rows)],
            "left_at": [start + timedelta(hours=int(number % 27) * 24 + 5) for number in range(n_rows)],
            "rain_mm": rain,
            "hour": hour,
            "line": rng.choice(["red", "blue"], n_rows),
            "delay_min": delay,
        }
    )


def make_mails(n_rows: int = 120, seed: int = 0) -> tuple[pd.DataFrame, dict[str, str]]:
    """Make mails of two months, and the truth about each."""
    rng = np.random.default_rng(seed)
    is_junk = rng.random(n_rows) < 0.4
    noise = [f"word{chr(97 + number // 6)}{chr(97 + number % 6)}" for number in range(30)]  # digits all count as one
    rows = {
        "mail_id": [f"m{number:04d}" for number in range(n_rows)],
        "sent_at": [datetime(2002, 1 + number % 2, 3, tzinfo=UTC) for number in range(n_rows)],
        "subject": [" ".join(rng.choice(noise, 3)) for _ in range(n_rows)],
        "body": [" ".join([*rng.choice(WORDS[bool(junk)], 2), *rng.choice(noise, 8)]) for junk in is_junk],
    }
    truth = {mail: "junk" if junk else "wanted" for mail, junk in zip(rows["mail_id"], is_junk, strict=True)}
    return pd.DataFrame(rows), truth


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Fit as the steps do: threads that fight for a test machine's cores take ten times as long."""
    with threadpool_limits(1):
        yield


@pytest.fixture
def problems_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "problems"
    folder.mkdir()
    for problem in (LATE, MAIL):
        (folder / f"{problem['name']}.yaml").write_text(yaml.safe_dump(problem))
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))
    return folder


@pytest.fixture
def publish(house: Any, problems_dir: Path) -> Callable[..., None]:
    """Give a function that puts rows into the lake and says so in the coverage, as ingest does."""

    def _publish(problem: str, key_column: str, rows: pd.DataFrame, partition_key: str) -> None:
        rows = rows.assign(_partition_key=partition_key, _row_key=rows[key_column], _object_key="o", _line_number=1)
        replace_partition(events_table(problem), partition_key, pa.Table.from_pandas(rows, preserve_index=False))
        with house.engine.begin() as connection:
            mark(connection, problem, Stage.LAND, partition_key, Coverage.DONE)
            mark(connection, problem, Stage.INGEST, partition_key, Coverage.DONE)

    return _publish


@pytest.fixture
def trips(publish: Callable[..., None]) -> Callable[[Sequence[str]], Problem]:
    """Give a function that publishes months of trips."""

    def _trips(months: Sequence[str]) -> Problem:
        for month in months:
            publish("late", "trip_id", make_trips(month), month)
        return load_problem("late")

    return _trips


@pytest.fixture
def mails(publish: Callable[..., None]) -> tuple[Problem, dict[str, str]]:
    """Publish the mails of two months; give the problem and the truth."""
    rows, truth = make_mails()
    for month in ("2002-01", "2002-02"):
        part = rows[rows["sent_at"].map(lambda at, month=month: at.strftime("%Y-%m") == month)]
        publish("mail", "mail_id", part.reset_index(drop=True), month)
    return load_problem("mail"), truth


@pytest.fixture
def answer(house: Any) -> Callable[..., None]:
    """Give a function that stores answers of people."""

    def _answer(answers: dict[str, str], batch_id: str, arm: str = "random", labelled_by: str = "ann") -> None:
        number = int(batch_id.rsplit("-", 1)[1])
        common = {"problem": "mail", "labelled_by": labelled_by, "batch_id": batch_id, "arm": arm, "is_demo": False}
        common |= {"labelled_at_utc": datetime(2002, 3, number, tzinfo=UTC), "duration_ms": None}
        with house.engine.begin() as connection:
            upsert_rows(
                connection, LABEL, [{**common, "item_id": item, "label": label} for item, label in answers.items()]
            )

    return _answer
