"""What the steps of landing hand to the DAG that announces what they found.

What does not belong here: finding it (`steps.py`). The standard library and the hall alone: DAG files import this all
day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.handover import XCom, read_field, read_texts


@dataclass(frozen=True)
class FoundPartitions:
    """The partitions that must be ingested, and what was read to find them.

    Attributes:
        partitions: keys, oldest first, each once.
        announced: those of them whose ingest runs take the others along.
        n_objects, n_rows: that were read now.
        n_replaced: objects that changed while they were read; the next run reads them.
        flaws: object key to what is wrong with it as a whole, the first few.
    """

    partitions: tuple[str, ...]
    announced: tuple[str, ...]
    n_objects: int
    n_rows: int
    n_replaced: int
    flaws: Mapping[str, str]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow, with the reason that a skipped task shows where nothing is to be announced."""
        return {
            "partitions": list(self.partitions),
            "announced": list(self.announced),
            "n_objects": self.n_objects,
            "n_rows": self.n_rows,
            "n_replaced": self.n_replaced,
            "flaws": dict(self.flaws),
            "reason": "" if self.partitions else f"nothing to ingest; objects read: {self.n_objects}",
        }

    @classmethod
    def from_xcom(cls, handed: XCom) -> "FoundPartitions":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(
            read_texts(handed, "partitions"),
            read_texts(handed, "announced"),
            read_field(handed, "n_objects", int),
            read_field(handed, "n_rows", int),
            read_field(handed, "n_replaced", int),
            {str(key): str(flaw) for key, flaw in read_field(handed, "flaws", dict).items()},
        )


@dataclass(frozen=True)
class Withdrawn:
    """What a form to withdraw objects, or to let them in again, has changed; nothing where it was done before.

    Attributes:
        objects: those that are others than before, the first few.
        n_objects, n_rows: how many they are, and their records.
        partitions: that are ingested anew.
    """

    objects: tuple[str, ...]
    n_objects: int
    n_rows: int
    partitions: tuple[str, ...]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        reason = "" if self.n_objects else "nothing to do: somebody did it before"
        counts = {"n_objects": self.n_objects, "n_rows": self.n_rows, "reason": reason}
        return {"objects": list(self.objects), "partitions": list(self.partitions), **counts}


@dataclass(frozen=True)
class LostPartitions:
    """Partitions and rounds to announce again, oldest first: whoever should have begun with them never did."""

    partitions: tuple[str, ...]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        reason = "" if self.partitions else "everything announced was heard"
        return {"partitions": list(self.partitions), "n_rows": len(self.partitions), "reason": reason}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "LostPartitions":
        """Read it again.

        Raises:
            BadHandover: the partitions are missing or no list.
        """
        return cls(read_texts(handed, "partitions"))
