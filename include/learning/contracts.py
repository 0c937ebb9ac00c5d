"""What the steps of this room hand to each other, and to the DAGs that read from it what comes next.

What belongs here: frozen records, how each is written for Airflow (`to_xcom`) and read again (`from_xcom`). What does
not: making them (`steps.py`). The standard library and the hall alone: DAG files import this all day.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from include.handover import XCom, read_field, read_texts

PROMOTED, AWAITING = "promoted", "awaiting_approval"


@dataclass(frozen=True)
class TrainingPlan:
    """Whether there is enough new to learn from.

    Attributes:
        points: training points to fit, oldest first; none where no training is due.
        reason: why, in a sentence.
        n_labels: labels of people there are; 0 where the log knows them.
    """

    points: tuple[str, ...]
    reason: str
    n_labels: int = 0

    @property
    def is_due(self) -> bool:
        """Whether anything is to be fitted."""
        return bool(self.points)

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        plan = {"is_due": self.is_due, "points": list(self.points), "reason": self.reason}
        return {**plan, "n_rows": self.n_labels}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "TrainingPlan":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        is_due = read_field(handed, "is_due", bool)
        return cls(read_texts(handed, "points") if is_due else (), str(handed.get("reason") or ""))


@dataclass(frozen=True)
class FittedVersion:
    """One version that was fitted, calibrated and measured on so many rows."""

    model_version: str
    n_rows: int


@dataclass(frozen=True)
class FittedVersions:
    """The versions that one run has fitted, oldest first; the rows of all of them; why points were passed over."""

    versions: tuple[str, ...]
    n_rows: int
    reason: str = ""

    @property
    def newest(self) -> str:
        """The version of the latest training point; there is one wherever a task follows the fit."""
        return self.versions[-1]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        newest = self.versions[-1] if self.versions else None
        fitted: dict[str, object] = {"versions": list(self.versions), "model_version": newest, "n_rows": self.n_rows}
        return fitted | ({"reason": self.reason} if self.reason else {})

    @classmethod
    def from_xcom(cls, handed: XCom) -> "FittedVersions":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        n_rows = handed.get("n_rows")
        return cls(read_texts(handed, "versions"), n_rows if isinstance(n_rows, int) else 0)


@dataclass(frozen=True)
class Verdict:
    """What the gate said of one version.

    Attributes:
        model_version: its name.
        verdict: promoted, rejected, awaiting_approval or rolled_back.
        reason: the first check that failed, or what it earns.
        n_rows: held-out rows.
    """

    model_version: str
    verdict: str
    reason: str
    n_rows: int


@dataclass(frozen=True)
class Decided:
    """What the gate said of the versions of one run.

    Attributes:
        verdicts: version to verdict, oldest first, at least one.
        reason: of the newest version's verdict.
        n_rows: held-out rows of all of them.
    """

    verdicts: Mapping[str, str]
    reason: str
    n_rows: int

    @property
    def newest(self) -> str:
        """The version of the latest training point."""
        return list(self.verdicts)[-1]

    @property
    def awaiting(self) -> tuple[str, ...]:
        """The versions that wait for a person."""
        return tuple(version for version, verdict in self.verdicts.items() if verdict == AWAITING)

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {
            "promoted": self.verdicts[self.newest] == PROMOTED,
            "model_version": self.newest,
            "reason": self.reason,
            "decisions": dict(self.verdicts),
            "awaiting": list(self.awaiting),
            "n_rows": self.n_rows,
        }

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Decided":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        verdicts = {str(name): str(verdict) for name, verdict in read_field(handed, "decisions", dict).items()}
        return cls(verdicts, read_field(handed, "reason", str), read_field(handed, "n_rows", int))


@dataclass(frozen=True)
class Question:
    """What a person is asked, about versions that wait or a rule that was mined.

    Attributes:
        about: the names of what is asked about; none is no question.
        subject: one line.
        body: Markdown.
        reason: why nothing is asked; empty where something is.
        n_rows: of what the question rests on.
    """

    about: tuple[str, ...]
    subject: str = ""
    body: str = ""
    reason: str = ""
    n_rows: int = 0

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        told = {"subject": self.subject, "body": self.body, "reason": self.reason}
        return {**told, "n_rows": self.n_rows}

    def to_xcom_about_versions(self) -> dict[str, object]:
        """Write a question about versions for Airflow."""
        return self.to_xcom() | {"versions": list(self.about)}

    def to_xcom_about_a_rule(self) -> dict[str, object]:
        """Write a question about a rule for Airflow."""
        return self.to_xcom() | {"rule_version": self.about[0] if self.about else None}


@dataclass(frozen=True)
class Announced:
    """Partitions or rounds that others may go on with, and why there are none."""

    keys: tuple[str, ...]
    reason_for_none: str

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"keys": list(self.keys), "reason": "" if self.keys else self.reason_for_none, "n_rows": len(self.keys)}
