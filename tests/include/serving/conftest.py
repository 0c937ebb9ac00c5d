"""A house whose settings can sign."""

from datetime import UTC, datetime
from typing import Any

import pytest

from include.warehouse.tables.experiments import ALLOCATION, EXPERIMENT_DECISION, EXPERIMENT_PLAN
from tests.include.conftest import House
from tests.include.serving.factories import SECRET

HALVES = (("none", 0.0, 0.5), ("large", 0.5, 1.0))


class Shares:
    """Writes the shares in force."""

    def __init__(self, house: House) -> None:
        self.engine = house.engine

    def set(self, window: str, ranges=HALVES, phase: str = "pilot", experiment: str = "experiment") -> None:
        rows = [
            {
                **{"problem": "campaign", "experiment": experiment, "partition_key": window, "phase": phase},
                **{"place": place, "variant": variant, "low": low, "high": high, "share_ratio": high - low},
            }
            for place, (variant, low, high) in enumerate(ranges)
        ]
        with self.engine.begin() as connection:
            connection.execute(ALLOCATION.insert(), rows)

    def plan(self, window: str, document: dict[str, Any], experiment: str = "experiment") -> None:
        """Say that a window was decided with a plan."""
        where: dict[str, Any] = {"problem": "campaign", "experiment": experiment}
        plan = {"version": 1, "sha256": "a" * 64, "plan": document, "written_at_utc": datetime.now(UTC)}
        decision = {"outcome": "wait", "is_final": False, "reason": "r", "posterior": {}, "plan_sha256": "a" * 64}
        decision |= {"partition_key": window, "decided_at_utc": datetime.now(UTC)}
        with self.engine.begin() as connection:
            connection.execute(EXPERIMENT_PLAN.insert(), [where | plan])
            connection.execute(EXPERIMENT_DECISION.insert(), [where | decision])


@pytest.fixture
def shares(house: House, monkeypatch: pytest.MonkeyPatch) -> Shares:
    monkeypatch.setenv("MULGIL_SIGNING_KEY", SECRET)
    return Shares(house)
