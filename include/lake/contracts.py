"""What the steps of ingest and replay hand to each other, and to the DAGs.

What does not belong here: making it (`steps.py`), and what an audit says (`include/quality/contracts.py`). The standard
library and the hall alone: DAG files import this all day.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from include.handover import XCom, read_field, read_optional_text, read_texts

OUTDATED = "outdated"


@dataclass(frozen=True)
class Standing:
    """What stood when a partition was staged: what differs when it is to be published was written since.

    Whoever wrote it, and whatever their clocks say: those of two machines are never compared.

    Attributes:
        audited: hash of the partition's newest verdict; empty before its first.
        replays: runs that had published rows of its quarantine.
        erased: hash of who was erased.
        withdrawn: objects withdrawn from the partition.
    """

    audited: str
    replays: tuple[str, ...]
    erased: str
    withdrawn: tuple[str, ...] = ()

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "replays": list(self.replays), "withdrawn": list(self.withdrawn)}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Standing":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        audited, erased = read_field(handed, "audited", str), read_field(handed, "erased", str)
        return cls(audited, read_texts(handed, "replays"), erased, read_texts(handed, "withdrawn"))


@dataclass(frozen=True)
class StagedRows:
    """The files that one partition is to consist of, and what became of each record; nothing of it is published yet.

    Attributes:
        staged, quarantined: Parquet files relative to the lake.
        n_in: records that belong to the partition, counted from what was read.
        n_staged, n_quarantined, n_duplicate: counted from what was written; together they are `n_in`.
        unknown_fields: masked name of a field that the problem does not declare to how many staged rows have it.
    """

    staged: tuple[str, ...] = ()
    quarantined: tuple[str, ...] = ()
    n_in: int = 0
    n_staged: int = 0
    n_quarantined: int = 0
    n_duplicate: int = 0
    unknown_fields: Mapping[str, int] = field(default_factory=dict)

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {
            **asdict(self),
            "staged": list(self.staged),
            "quarantined": list(self.quarantined),
            "unknown_fields": dict(self.unknown_fields),
        }

    @classmethod
    def from_xcom(cls, handed: XCom) -> "StagedRows":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(
            read_texts(handed, "staged"),
            read_texts(handed, "quarantined"),
            read_field(handed, "n_in", int),
            read_field(handed, "n_staged", int),
            read_field(handed, "n_quarantined", int),
            read_field(handed, "n_duplicate", int),
            read_field(handed, "unknown_fields", dict),
        )


@dataclass(frozen=True)
class StagedPartition:
    """A partition that was read from landing, and is to be audited.

    Attributes:
        rows: what became of its records.
        manifest: what was read, as `manifest.write_manifest` gives it.
        landed_sha256: hash of what landing had.
        standing: what stood then.
        n_withdrawn: records of withdrawn objects, which were not read.
        rules_sha256: hash of the rules that it was read by, from `hash_ingest_rules`.
    """

    rows: StagedRows
    manifest: Mapping[str, object]
    landed_sha256: str
    standing: Standing
    n_withdrawn: int = 0
    rules_sha256: str = ""

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        hashes = {"landed_sha256": self.landed_sha256, "rules_sha256": self.rules_sha256}
        read = {"manifest": dict(self.manifest), **hashes}
        counts = {"n_withdrawn": self.n_withdrawn, "n_rows": self.rows.n_in}
        return {**self.rows.to_xcom(), **read, "standing": self.standing.to_xcom(), **counts}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "StagedPartition":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        manifest, landed = read_field(handed, "manifest", dict), read_field(handed, "landed_sha256", str)
        standing = Standing.from_xcom(read_field(handed, "standing", dict))
        n_withdrawn, rules = read_field(handed, "n_withdrawn", int), read_field(handed, "rules_sha256", str)
        return cls(StagedRows.from_xcom(handed), manifest, landed, standing, n_withdrawn, rules)


@dataclass(frozen=True)
class Basis:
    """What a replay starts from; where it is another by the time it is to publish, the replay starts over.

    Attributes:
        events, quarantine: files that make up the partition in either table.
        landed_sha256: what landing had when the partition was ingested.
        is_refused: whether all its rows are in quarantine; what the lake has of it is of an earlier landing then.
    """

    events: tuple[str, ...]
    quarantine: tuple[str, ...]
    landed_sha256: str
    is_refused: bool

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "events": list(self.events), "quarantine": list(self.quarantine)}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Basis":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        events, quarantine = read_texts(handed, "events"), read_texts(handed, "quarantine")
        return cls(events, quarantine, read_field(handed, "landed_sha256", str), read_field(handed, "is_refused", bool))


@dataclass(frozen=True)
class StagedReplay:
    """A partition as it would be with rows of its quarantine, to be audited.

    Attributes:
        rows: what became of the rows that are there and the records that were read again.
        manifest: as of a staged partition.
        basis: what it starts from.
        n_base, n_tried: of `rows.n_in`, rows that were there, and records read again.
    """

    rows: StagedRows
    manifest: Mapping[str, object]
    basis: Basis
    n_base: int
    n_tried: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        counts = {"n_base": self.n_base, "n_tried": self.n_tried, "n_rows": self.n_tried}
        return {**self.rows.to_xcom(), "manifest": dict(self.manifest), "basis": self.basis.to_xcom(), **counts}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "StagedReplay":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        manifest, basis = read_field(handed, "manifest", dict), Basis.from_xcom(read_field(handed, "basis", dict))
        counts = (read_field(handed, name, int) for name in ("n_base", "n_tried"))
        return cls(StagedRows.from_xcom(handed), manifest, basis, *counts)


@dataclass(frozen=True)
class NothingToReplay:
    """A partition whose replay is over before it began, with the reason."""

    reason: str

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"is_over": True, "reason": self.reason, "n_rows": 0}


@dataclass(frozen=True)
class Published:
    """What became of an audited partition.

    Attributes:
        verdict: published, published_with_warnings, refused, withdrawn or outdated.
        n_published, n_quarantined, n_duplicate, n_refused: rows.
        n_withdrawn: records of withdrawn objects.
        snapshot_id: of the lake; None where nothing was published.
        reason: why nothing was changed; empty where something was.
    """

    verdict: str
    n_published: int = 0
    n_quarantined: int = 0
    n_duplicate: int = 0
    n_refused: int = 0
    snapshot_id: str | None = None
    reason: str = ""
    n_withdrawn: int = 0

    @property
    def is_outdated(self) -> bool:
        """Whether nothing was changed, because publishing would have taken something back."""
        return self.verdict == OUTDATED

    def counts(self) -> dict[str, object]:
        """Write what the warehouse keeps of it."""
        return {name: value for name, value in asdict(self).items() if name != "reason"}

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "n_rows": self.n_published}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Published":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(
            read_field(handed, "verdict", str),
            read_field(handed, "n_published", int),
            read_field(handed, "n_quarantined", int),
            read_field(handed, "n_duplicate", int),
            read_field(handed, "n_refused", int),
            read_optional_text(handed, "snapshot_id"),
            read_field(handed, "reason", str),
            read_field(handed, "n_withdrawn", int),
        )


@dataclass(frozen=True)
class PublishedGroup:
    """What became of the partitions of a group, by their keys."""

    partitions: Mapping[str, Published]

    @property
    def announced(self) -> list[str]:
        """Those that others may go on with, oldest first."""
        return sorted(key for key, one in self.partitions.items() if not one.is_outdated)

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow, with the reason that a skipped task shows where nothing was published."""
        reasons = [one.reason for one in self.partitions.values() if one.reason]
        return {
            "partitions": {key: one.to_xcom() for key, one in self.partitions.items()},
            "reason": "" if self.announced else reasons[0] if reasons else "no partition was staged",
            "n_rows": sum(one.n_published for one in self.partitions.values()),
        }

    @classmethod
    def from_xcom(cls, handed: XCom) -> "PublishedGroup":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls({str(key): Published.from_xcom(one) for key, one in read_field(handed, "partitions", dict).items()})


@dataclass(frozen=True)
class Group:
    """What a step came to for each partition of a group.

    Attributes:
        done: partition to what the step for one partition returns.
        failed: partition to why it went no further, in one line.
    """

    done: Mapping[str, XCom]
    failed: Mapping[str, str]

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"done": {key: dict(outcome) for key, outcome in self.done.items()}, "failed": dict(self.failed)}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Group":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(read_field(handed, "done", dict), read_field(handed, "failed", dict))


@dataclass(frozen=True)
class Replayed:
    """What became of the rows of a quarantine that were replayed: published, still there, or dropped as duplicates."""

    verdict: str
    n_published: int
    n_quarantined: int
    n_duplicate: int

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {**asdict(self), "n_rows": self.n_published}


@dataclass(frozen=True)
class Settled:
    """Partitions that others may go on with, oldest first, and why there are none."""

    keys: tuple[str, ...]
    reason: str = ""

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        return {"keys": list(self.keys), "reason": "" if self.keys else self.reason, "n_rows": 0}

    @classmethod
    def from_xcom(cls, handed: XCom) -> "Settled":
        """Read it again.

        Raises:
            BadHandover: a field is missing or of another kind.
        """
        return cls(read_texts(handed, "keys"), read_field(handed, "reason", str))


@dataclass(frozen=True)
class MatchedLabels:
    """What a partition of a label log changes.

    Attributes:
        counts: as of `core.label_match`.
        measured: data partitions whose labels may be others now, and that a model has scored: they are measured again.
        newest: the newest data partition whose labels may be others now, which wakes the training; none where no is.
        reason: why nothing follows, where nothing does.
    """

    counts: Mapping[str, int]
    measured: tuple[str, ...] = ()
    newest: tuple[str, ...] = ()
    reason: str = ""

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        partitions = {"measured": list(self.measured), "newest": list(self.newest)}
        return {
            "n_rows": self.counts.get("n_labels", 0),
            "counts": dict(self.counts),
            **partitions,
            "reason": self.reason,
        }

    @classmethod
    def from_xcom(cls, given: XCom) -> "MatchedLabels":
        """Read it from what Airflow gives.

        Raises:
            BadHandover: something is missing, or of another kind.
        """
        counts = read_field(given, "counts", dict)
        return cls(counts, read_texts(given, "measured"), read_texts(given, "newest"), read_field(given, "reason", str))
