"""What an audit hands to the step that publishes what it was about.

What does not belong here: auditing (`steps.py`). The standard library and the hall alone: DAG files import
this all day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from include.handover import XCom, read_field, read_optional_text, read_texts


@dataclass(frozen=True)
class LeftRows:
    """What a staged partition consists of once rows of it went to quarantine: files relative to the lake, and rows."""

    staged: tuple[str, ...]
    quarantined: tuple[str, ...]
    n_staged: int
    n_quarantined: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "staged": list(self.staged), "quarantined": list(self.quarantined)}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "LeftRows":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        counts = (read_field(handed, name, int) for name in ("n_staged", "n_quarantined"))
        return cls(read_texts(handed, "staged"), read_texts(handed, "quarantined"), *counts)


@dataclass(frozen=True)
class Audited:
    """What an audit says of staged files, and which files it is about.

    Attributes:
        verdict: pass, warn or stop.
        first_reason: of a stop, else of a warning; None where all expectations hold.
        n_warnings: expectations that only warn, and did not hold.
        files: path relative to the lake to sha256.
        files_sha256: hash over those.
        n_rows: rows of the files.
        left: what the partition consists of from then on; None where no row went to quarantine.
    """

    verdict: str
    first_reason: str | None
    n_warnings: int
    files: Mapping[str, str]
    files_sha256: str
    n_rows: int
    left: LeftRows | None = None

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {
            "verdict": self.verdict,
            "first_reason": self.first_reason,
            "n_warnings": self.n_warnings,
            "files": dict(self.files),
            "files_sha256": self.files_sha256,
            "n_rows": self.n_rows,
            **({"left": self.left.to_xcom()} if self.left is not None else {}),
        }

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Audited":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(
            verdict=read_field(handed, "verdict", str),
            first_reason=read_optional_text(handed, "first_reason"),
            n_warnings=read_field(handed, "n_warnings", int),
            files=read_field(handed, "files", dict),
            files_sha256=read_field(handed, "files_sha256", str),
            n_rows=read_field(handed, "n_rows", int),
            left=LeftRows.from_xcom(read_field(handed, "left", dict)) if "left" in handed else None,
        )


@dataclass(frozen=True)
class AuditedReplay:
    """What an audit says of a replay, and what is to be stored of it once its rows are published.

    Attributes:
        audit: what it says.
        results: rows of `core.quality_result`.
        html: the page about it.
    """

    audit: Audited
    results: Sequence[Mapping[str, object]]
    html: str

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**self.audit.to_xcom(), "results": [dict(row) for row in self.results], "html": self.html}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "AuditedReplay":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(Audited.from_xcom(handed), read_field(handed, "results", list), read_field(handed, "html", str))
