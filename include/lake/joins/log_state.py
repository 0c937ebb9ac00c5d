"""How far another log of a problem is known: what must be written down for a join to give the same rows again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self


@dataclass(frozen=True)
class LogState:
    """One log as a join reads it.

    Attributes:
        snapshot_id: of its lake table; None where it has none yet.
        known_until: its newest event time, or the start of the first partition that landed and is not ingested yet;
            None where nothing is known.
        holes: start and end of each partition before that which was refused: what it holds nobody knows.
    """

    snapshot_id: str | None = None
    known_until: datetime | None = None
    holes: tuple[tuple[datetime, datetime], ...] = ()

    def to_row(self) -> dict[str, object]:
        """Write it as columns of `core.model_log`."""
        holes = [[start.isoformat(), end.isoformat()] for start, end in self.holes]
        return {"snapshot_id": self.snapshot_id, "known_until_utc": self.known_until, "holes": holes}

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> Self:
        """Read it from columns of `core.model_log`."""
        holes = row["holes"] if isinstance(row["holes"], list) else []
        spans = tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in holes)
        snapshot, until = row["snapshot_id"], row["known_until_utc"]
        return cls(
            str(snapshot) if snapshot is not None else None, until if isinstance(until, datetime) else None, spans
        )
