"""The campaign with a day's log that a person can count: a pilot of four days, then the rest."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import select

from include import names
from include.lake.writing import replace_partition
from include.names import Coverage, Stage
from include.warehouse import coverage
from include.warehouse.database import engine_for
from include.warehouse.tables.experiments import EXPERIMENT_DECISION
from tests.include.conftest import House
from tests.include.experiments.factories import make_events

PROBLEM = "campaign"


class Outreach:
    """Publishes days of the campaign's log, and reads what stands in the warehouse."""

    def __init__(self, house: House) -> None:
        self.engine = house.engine

    def publish(self, *rows: dict[str, Any], days: tuple[str, ...] = ()) -> None:
        """Replace the partitions that the rows lie in, and `days` that have none."""
        by_day: dict[str, list[dict[str, Any]]] = {day: [] for day in days}
        for row in rows:
            by_day.setdefault(row["event_at"].strftime("%Y-%m-%d"), []).append(row)
        for day, its_rows in by_day.items():
            events = make_events(*its_rows)
            events = events.append_column(names.PARTITION_KEY, pa.array([day] * len(its_rows), pa.string()))
            replace_partition(names.events_table(PROBLEM), day, events)
            self.mark(Stage.LAND, day, Coverage.DONE)
            self.mark(Stage.INGEST, day, Coverage.DONE)

    def mark(self, stage: Stage, day: str, status: Coverage) -> None:
        with self.engine.begin() as connection:
            coverage.mark(connection, PROBLEM, stage, day, status)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            query = select(table).order_by(*table.primary_key)
            return [dict(row) for row in connection.execute(query).mappings()]

    @property
    def outcomes(self) -> dict[str, tuple[str, str | None]]:
        return {row["partition_key"]: (row["outcome"], row["variant"]) for row in self.rows(EXPERIMENT_DECISION)}


@pytest.fixture
def outreach(house: House) -> Iterator[Outreach]:
    yield Outreach(house)
    engine_for(house.settings.warehouse_url).dispose()
