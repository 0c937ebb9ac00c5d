"""What the steps of an erasure say: what was removed of a person, and that nothing was found any more."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class ErasedSubject:
    """What was removed of a person.

    Attributes:
        n_rows: published rows. n_items: rows of the warehouse.
        n_partitions, n_snapshots, n_files, n_models: partitions changed, snapshots and files removed, models marked.
        landing_objects: those that still have the person's records, which Mulgil never changes.
        n_unread: objects of landing that could not be read any more.
    """

    n_rows: int
    n_items: int
    n_partitions: int
    n_snapshots: int
    n_files: int
    n_models: int
    landing_objects: tuple[str, ...]
    n_unread: int

    @classmethod
    def together(cls, parts: Sequence["ErasedSubject"]) -> "ErasedSubject":
        """Add up what was removed from each log of a problem."""
        return cls(
            n_rows=sum(part.n_rows for part in parts),
            n_items=sum(part.n_items for part in parts),
            n_partitions=sum(part.n_partitions for part in parts),
            n_snapshots=sum(part.n_snapshots for part in parts),
            n_files=sum(part.n_files for part in parts),
            n_models=sum(part.n_models for part in parts),
            landing_objects=tuple(sorted({name for part in parts for name in part.landing_objects})),
            n_unread=sum(part.n_unread for part in parts),
        )

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "landing_objects": list(self.landing_objects)}


@dataclass(frozen=True)
class ProvenErased:
    """Nothing of a person was found in so many places of landing and tables of the lake."""

    n_places: int
    n_tables: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"n_rows": 0, **asdict(self)}
