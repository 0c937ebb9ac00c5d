"""What the steps of this room hand over: to the DAGs that read what comes next, and to whoever started a step by hand.

What belongs here: frozen records, and how each is written for Airflow (`to_xcom`). What does not: making them
(`steps.py`). The standard library and the hall alone.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from include.handover import XCom, read_field

SHOWN_FILES = 20


@dataclass(frozen=True)
class OpenedBatch:
    """What became of a wake-up.

    Attributes:
        batch_id: the batch that it opened; None where none is due.
        n_items: in the batch.
        reason: what the batch is made of, or why there is none.
    """

    batch_id: str | None
    n_items: int
    reason: str

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return asdict(self) | {"n_rows": self.n_items}


@dataclass(frozen=True)
class RecordedAnswers:
    """What recorded truth did with a batch.

    Attributes:
        batch_id: the batch.
        n_items: in the batch.
        n_answered: items that this run has answered.
        reason_for_people: why the batch is left to people; empty where it is not.
    """

    batch_id: str
    n_items: int
    n_answered: int
    reason_for_people: str = ""

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        counts = {"n_answered": self.n_answered, "n_items": self.n_items, "n_rows": self.n_answered}
        is_for_people = bool(self.reason_for_people)
        return {"batch_id": self.batch_id, **counts, "is_for_people": is_for_people, "reason": self.reason_for_people}


@dataclass(frozen=True)
class ImportedFile:
    """What was taken of one label file: lines stored and rejected, and items that want one more person."""

    object_key: str
    n_stored: int
    n_rejected: int
    n_second_wanted: int


@dataclass(frozen=True)
class ImportedFiles:
    """The label files that one run has read, in the order of landing."""

    files: tuple[ImportedFile, ...]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow: all lines are counted, the first files are named."""
        n_second = sum(file.n_second_wanted for file in self.files)
        return {
            "n_rows": sum(file.n_stored for file in self.files),
            "n_rejected": sum(file.n_rejected for file in self.files),
            "n_second_wanted": n_second,
            "reason": f"{n_second} items want a second person" if n_second else "",
            "files": {file.object_key: [file.n_stored, file.n_rejected] for file in self.files[:SHOWN_FILES]},
        }


@dataclass(frozen=True)
class ImportedCorrections:
    """The files of corrections that one run has read, and the scored partitions whose labels may be others now."""

    files: tuple[ImportedFile, ...]
    measured: tuple[str, ...]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        said = "" if self.measured else "no scored partition has other labels now"
        return {**ImportedFiles(self.files).to_xcom(), "keys": list(self.measured), "reason": said}


@dataclass(frozen=True)
class WatchedDesk:
    """What a look at the desk found.

    Attributes:
        finished: batches to announce as answered, oldest first.
        escalated: batches that were overdue for the first time.
        escalation: who is told of them.
    """

    finished: tuple[str, ...]
    escalated: tuple[str, ...]
    escalation: str

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        told = f"escalated to {self.escalation}: {', '.join(self.escalated)}"
        return {
            "keys": list(self.finished),
            "escalated": list(self.escalated),
            "reason": told if self.escalated else "nothing to announce",
            "n_rows": len(self.finished),
        }


@dataclass(frozen=True)
class ExportedBatch:
    """A batch that lies as a file for a team that labels elsewhere, one line for each item."""

    path: Path
    n_lines: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"path": str(self.path), "n_rows": self.n_lines}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "ExportedBatch":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(Path(read_field(handed, "path", str)), read_field(handed, "n_rows", int))
