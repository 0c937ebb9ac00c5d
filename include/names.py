"""The names that cross doors, each spelled once.

What belongs here: ids of DAGs, names of assets, lake tables, stages and schemas. What does not: anything that
needs an import beyond the standard library.
"""

from enum import StrEnum

CORE = "core"  # warehouse schema of the tables, ours to redesign
BI = "bi"  # warehouse schema of the views, the promise to analysts
LAKE_NAMESPACE = "lake"  # Iceberg namespace of every table

MODELS_PAGE = "/mulgil/models"  # below Airflow's own address: every version's card, and what-if questions

# Columns that ingest adds to every lake table; the underscore keeps them apart from a problem's own columns.
PARTITION_KEY = "_partition_key"
ROW_KEY = "_row_key"
OBJECT_KEY = "_object_key"
LINE_NUMBER = "_line_number"
BYTE_OFFSET = "_byte_offset"  # of quarantined rows only
UNKNOWN_FIELDS = "_unknown_fields"

# How a person who is to be erased is named: key id and hash, for each key that was ever used, the newest first.
SUBJECT_TOKEN = r"[0-9a-f]{8}:[0-9a-f]{32}(,[0-9a-f]{8}:[0-9a-f]{32})*"  # noqa: S105 - a shape, no secret

# Airflow connection whose password is the key that identifiers are hashed with, where the environment has none.
PII_CONNECTION = "mulgil_pii"


class Stage(StrEnum):
    """A stage of the waterway; one file in `dags/` each."""

    LAND = "land"
    INGEST = "ingest"
    TRAIN = "train"
    RULES = "rules"
    REVIEW = "review"
    DEMO_REVIEWER = "demo_reviewer"
    DESK_WATCH = "desk_watch"
    EXPERIMENT = "experiment"
    MONITOR = "monitor"
    UPKEEP = "upkeep"


class Single(StrEnum):
    """A DAG that is there once for all problems, and runs only when a person starts it; one file in `dags/` each."""

    ROLLBACK = "rollback"
    REPLAY = "replay"
    ERASE = "erase"


class Coverage(StrEnum):
    """How far one partition came in one stage; the states of `core.coverage`."""

    WAITING = "waiting"  # known, nothing done yet
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"  # finished, and its data was kept out on purpose
    FAILED = "failed"


class Arm(StrEnum):
    """What chose an item for people: a ranking by a strategy, chance, or a question that was asked before.

    Overlap is no arm: an item that two people see keeps the arm that chose it, so that estimates from the control arm
    stay whole.
    """

    ENTROPY = "entropy"
    MARGIN = "margin"
    LEAST_CONFIDENCE = "least_confidence"
    COMMITTEE = "committee"  # members' divergence from what they think on average
    COMMITTEE_VOTES = "committee_votes"  # how split their votes are
    EXPECTED_COST = "expected_cost"
    RANDOM = "random"  # the control arm: stands for the pool of its round
    OUTLIER = "outlier"  # cold start: unlike everything else
    SPREAD = "spread"  # cold start: far from what is in the batch already
    GOLD = "gold"  # the answer is known; teaches nothing
    RELABEL = "relabel"  # people disagree, or the label is suspected


def dag_id(problem: str, stage: Stage) -> str:
    """Name the DAG of one problem and stage, as it reads in the Airflow UI."""
    return f"{problem}__{stage}"


def landing_asset(problem: str) -> str:
    """Name the asset that says: raw bytes of a partition have arrived."""
    return f"landing/{problem}"


def lake_asset(problem: str) -> str:
    """Name the asset that says: a partition is settled, its audited rows published or refused."""
    return f"lake/{problem}"


def labels_asset(problem: str) -> str:
    """Name the asset that says: a batch of labels is complete."""
    return f"labels/{problem}"


def batch_asset(problem: str) -> str:
    """Name the asset that says: a batch waits for people."""
    return f"batch/{problem}"


def model_asset(problem: str) -> str:
    """Name the asset that says: which model scores a partition is decided."""
    return f"model/{problem}"


def allocation_asset(problem: str) -> str:
    """Name the asset that says: the shares of the variants for the next window are set."""
    return f"allocation/{problem}"


def alerts_asset(problem: str) -> str:
    """Name the asset that says: a monitored partition crossed a threshold."""
    return f"alerts/{problem}"


def events_table(problem: str) -> str:
    """Name the lake table of a problem's published rows."""
    return f"{LAKE_NAMESPACE}.{problem}"


def predictions_table(problem: str) -> str:
    """Name the lake table of a problem's scored rows."""
    return f"{LAKE_NAMESPACE}.{problem}__prediction"


def quarantine_table(problem: str) -> str:
    """Name the lake table of a problem's rejected rows, each with its reason."""
    return f"{LAKE_NAMESPACE}.{problem}__quarantine"
