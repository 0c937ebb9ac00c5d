"""Two more problems for the small house: plants of one of three kinds, and notes with any number of labels."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from include.learning.data.splits import split_by_time
from include.learning.several.fit_classes import SeveralFitted, fit_classes_by_time
from include.learning.several.fit_labels import fit_labels_by_time
from include.learning.several.targets import read_targets
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.problems.sections.learning import Label, Training
from tests.include.learning.conftest import COMMON

KINDS = ["fern", "moss", "rose"]
PLANTS: dict[str, Any] = COMMON | {
    "name": "plants",
    "source": {
        "landing": "plants",
        "grain": "month",
        "key": ["plant_id"],
        "event_time": "seen_at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {
            "plant_id": {"type": "string"},
            "seen_at": {"type": "timestamp"},
            "height_cm": {"type": "number"},
            "width_cm": {"type": "number"},
            "soil": {"type": "string"},
            "kind": {"type": "string", "known": "later"},
            "marks": {"type": "string", "known": "later"},
        },
    },
    "label": {"classes": KINDS, "source": "log", "known_when": "kind IS NOT NULL", "value": "kind"},
    "value": {"unit": "right answers"},
    "training": {
        "models": ["scorecard", "gradient_boosting"],
        "first": 4,
        "every": 9,
        "features": {"numeric": ["height_cm", "width_cm"], "categorical": ["soil"]},
    },
    "monitor": {"features": ["height_cm"], "reference_partitions": 1, "ece_alert": 0.2},
}
MARKS = ["ill", "rare", "tall"]
MARKED = PLANTS | {
    "name": "marked",
    "label": {
        "classes": MARKS,
        "multiple": True,
        "source": "log",
        "known_when": "marks IS NOT NULL",
        "value": "CASE WHEN marks = '' THEN []::VARCHAR[] ELSE string_split(marks, ' ') END",
    },
    "value": {"unit": "marks", "true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": -1},
    "training": PLANTS["training"] | {"models": ["scorecard"]},
}


def make_plants(month: str, n_rows: int = 200, seed: int = 0) -> pd.DataFrame:
    """Make one month of plants: kinds differ in height and width, one in ten is not known yet."""
    rng = np.random.default_rng([seed, int(month.replace("-", ""))])
    code = rng.choice(3, n_rows, p=[0.5, 0.3, 0.2])
    height = rng.normal(np.array([10.0, 13.0, 20.0])[code], 3.0)
    width = rng.normal(np.array([5.0, 9.0, 7.0])[code], 2.0)
    is_on = rng.random((n_rows, 3)) < 1 / (1 + np.exp(-np.column_stack([width - 9, height - 18, height - 12])))
    start = datetime.fromisoformat(f"{month}-01T00:00:00+00:00")
    kind = np.array(KINDS, dtype=object)[code]
    marks = np.array([" ".join(name for name, on in zip(MARKS, row, strict=True) if on) for row in is_on], dtype=object)
    is_unknown = rng.random(n_rows) < 0.1
    kind[is_unknown] = marks[is_unknown] = None
    return pd.DataFrame(
        {
            "plant_id": [f"{month}-{number:05d}" for number in range(n_rows)],
            "seen_at": [start + timedelta(hours=int(number % 27) * 24 + 5) for number in range(n_rows)],
            "height_cm": height,
            "width_cm": width,
            "soil": rng.choice(["clay", "sand"], n_rows),
            "kind": kind,
            "marks": marks,
        }
    )


@pytest.fixture
def write_several(problems_dir: Path) -> Callable[[dict[str, Any]], Problem]:
    """Give a function that writes a problem file and reads it."""

    def write(problem: dict[str, Any]) -> Problem:
        (problems_dir / f"{problem['name']}.yaml").write_text(yaml.safe_dump(problem))
        return load_problem(problem["name"])

    return write


@pytest.fixture
def plants(publish: Callable[..., None], write_several: Callable[[dict[str, Any]], Problem]) -> Callable[..., Problem]:
    """Give a function that publishes months of plants for a problem."""

    def _plants(months: Sequence[str], problem: dict[str, Any] = PLANTS, **changes: Any) -> Problem:
        loaded = write_several(problem)
        for month in months:
            publish(problem["name"], "plant_id", make_plants(month).assign(**changes), month)
        return loaded

    return _plants


def make_rows(n_rows: int = 360, n_months: int = 6, seed: int = 3) -> pd.DataFrame:
    """Make training rows of plants as `read_rows` gives them, all of them known."""
    rows = make_plants("2013-01", n_rows, seed)
    rows = rows[rows["kind"].notna()].reset_index(drop=True)
    places = np.arange(len(rows))
    return rows.assign(
        _row_key=rows["plant_id"],
        _partition_key=[f"2013-{1 + number * n_months // len(rows):02d}" for number in places],
        _block=places // 6,
        _is_rule=False,
        _is_random=True,
        _labels=rows["kind"],
    )


TRAINING = Training(model="scorecard", features={"numeric": ["height_cm", "width_cm"], "categorical": ["soil"]})
LABEL = Label(classes=KINDS, source="desk")
MARK_LABEL = Label(classes=MARKS, source="desk", multiple=True)


@pytest.fixture(scope="session")
def fitted_plants() -> SeveralFitted:
    """Fit three classes once, by time."""
    rows = make_rows()
    targets, _ = read_targets(rows["_labels"], KINDS, is_multiple=False)
    return fit_classes_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)


@pytest.fixture(scope="session")
def fitted_marks() -> SeveralFitted:
    """Fit three labels once, by time; nobody has the third."""
    rows = make_rows()
    rows["_labels"] = [[one for one in text.split() if one != "tall"] for text in rows["marks"]]
    targets, _ = read_targets(rows["_labels"], MARKS, is_multiple=True)
    return fit_labels_by_time(rows, targets, split_by_time(sorted(set(rows["_partition_key"])), 3), TRAINING)
