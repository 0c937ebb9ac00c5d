"""A small problem with rows in the lake: numbers and a category, with scores that know the label."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from include.lake.writing import replace_partition
from include.names import PARTITION_KEY, ROW_KEY, Coverage, Stage, events_table, predictions_table
from include.warehouse import coverage

LOG_PROBLEM = """
name: {name}
title: A test
why: To test.
owner: owners
escalation: leads
source:
  landing: test
  grain: month
  key: [id]
  event_time: at
  earliest: 2013-01-01T00:00:00Z
  latest: 2014-01-01T00:00:00Z
  columns:
    id: {{type: string}}
    at: {{type: timestamp}}
    speed: {{type: number}}
    carrier: {{type: string}}
label: {{classes: [good, bad], positive: bad, source: {source}}}
value: {{unit: euros, true_positive: 1, false_positive: -1, true_negative: 0, false_negative: -1}}
training: {{model: gradient_boosting, features: {{categorical: [carrier]}}}}
{review}
monitor: {{features: [speed, carrier], reference_partitions: 2, psi_alert: 0.25, ece_alert: 0.05, minimum_rows: 40}}
"""


@dataclass
class Lake:
    """Puts rows of a problem where monitoring looks for them."""

    engine: Any
    problem: str

    def publish(self, key: str, speed: Sequence[float | None], carrier: Sequence[str | None] | None = None) -> None:
        n_rows = len(speed)
        carrier = carrier or ["AA"] * n_rows
        columns = {
            PARTITION_KEY: [key] * n_rows,
            ROW_KEY: [f"{key}-{i}" for i in range(n_rows)],
            "speed": pa.array(speed, pa.float64()),
            "carrier": pa.array(carrier, pa.string()),
        }
        replace_partition(events_table(self.problem), key, pa.table(columns))
        with self.engine.begin() as connection:
            coverage.mark(connection, self.problem, Stage.INGEST, key, Coverage.DONE)

    def score(
        self, key: str, version: str, p: Sequence[float], is_positive: Sequence[bool | None] | None = None
    ) -> None:
        n_rows = len(p)
        labels = is_positive or [None] * n_rows
        columns = {
            PARTITION_KEY: [key] * n_rows,
            ROW_KEY: [f"{key}-{i}" for i in range(n_rows)],
            "model_version": [version] * n_rows,
            "p_positive": pa.array(p, pa.float64()),
            "label_known": [label is not None for label in labels],
            "is_positive": pa.array(labels, pa.bool_()),
        }
        replace_partition(predictions_table(self.problem), key, pa.table(columns))


@pytest.fixture
def make_lake(house, tmp_path, monkeypatch) -> Callable[..., Lake]:
    """Write a problem file whose labels come from the log or the desk, and give its lake."""
    folder = tmp_path / "problems"
    folder.mkdir()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(folder))

    def make(source: str = "log") -> Lake:
        review = "review: {budget: 10, max_rounds: 3}" if source == "desk" else ""
        text = LOG_PROBLEM.format(name="p", source=source, review=review)
        if source == "log":
            text = text.replace("source: log}", "source: log, known_when: speed IS NOT NULL, positive_when: speed > 5}")
        (folder / "p.yaml").write_text(text)
        return Lake(house.engine, "p")

    return make
