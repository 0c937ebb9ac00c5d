"""A folder with one good problem file, for tests that break one thing in it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from include.errors import BadProblem
from include.problems.reading import read_problem_file
from include.problems.schema import Problem

GOOD = yaml.safe_load(
    """
name: rides
title: Rides that come late
why: People wait.
owner: operations
escalation: duty-manager
source:
  landing: rides
  grain: month
  key: [ride_id]
  event_time: started_at
  earliest: 2013-01-01T00:00:00Z
  latest: 2014-01-01T00:00:00Z
  columns:
    ride_id: {type: string}
    started_at: {type: timestamp}
    distance_miles: {type: number}
    origin: {type: string}
    group: {type: string}
    a: {type: number}
quality:
  expectations:
    - {expect: ExpectColumnValuesToBeUnique, column: ride_id, severity: stop}
label: {classes: [early, late], positive: late, source: log, known_when: a IS NULL, positive_when: a > 1}
value: {unit: dollars, true_positive: 20, false_positive: -8, true_negative: 0, false_negative: -5}
training:
  model: gradient_boosting
  features: {numeric: [distance_miles], categorical: [origin], increasing: [distance_miles]}
experiment:
  unit: ride_id
  event: origin
  exposure: invited
  reward: came
  variant: group
  variants: [none_at_all, small]
  control: none_at_all
  salt: pepper
  pilot_until: "2013-02"
  attribution_window: P2D
  holdback_share: 0.3
monitor: {features: [distance_miles], reference_partitions: 3}
"""
)

# Another log of the good problem.
OTHER_LOG: dict[str, Any] = {
    "landing": "refunds",
    "grain": "day",
    "key": ["refund_id"],
    "event_time": "refunded_at",
    "columns": {
        "refund_id": {"type": "string"},
        "refunded_at": {"type": "timestamp"},
        "ride_id": {"type": "string"},
        "reason": {"type": "string"},
    },
}


@pytest.fixture
def write_problem(tmp_path: Path) -> Callable[..., Path]:
    """Write the good file with one value set, or taken out where the value is `REMOVE`."""

    def write(place: str = "", value: Any = None, *, file: str = "rides.yaml", **more: Any) -> Path:
        problem = copy.deepcopy(GOOD) | more
        if place:
            *parents, last = [int(part) if part.isdigit() else part for part in place.split(".")]
            part = problem
            for parent in parents:
                part = part[parent]
            if value == "REMOVE":
                del part[last]
            else:
                part[last] = value
        path = tmp_path / file
        path.write_text(yaml.safe_dump(problem), encoding="utf-8")
        return path

    return write


@pytest.fixture
def refusal_of(write_problem: Callable[..., Path]) -> Callable[..., str]:
    """Say why the good file is refused once one value of it is set."""

    def refuse(place: str, value: Any, **more: Any) -> str:
        with pytest.raises(BadProblem) as caught:
            read_problem_file(write_problem(place, value, **more))
        return str(caught.value)

    return refuse


@pytest.fixture
def read(write_problem: Callable[..., Path]) -> Callable[..., Problem]:
    """Read the good file with one value set, or with sections replaced."""
    return lambda place="", value=None, **more: read_problem_file(write_problem(place, value, **more))
