"""The names that cross doors, each spelled once.

What belongs here: ids of DAGs, names of assets, lake tables, stages and schemas. What does not: anything that
needs an import beyond the standard library.
"""

from enum import StrEnum

CORE = "core"  # warehouse schema of the tables, ours to redesign
BI = "bi"  # warehouse schema of the views, the promise to analysts
LAKE_NAMESPACE = "lake"  # Iceberg namespace of every table

# Airflow roles that Mulgil makes: who answers items, and who also answers for people.
REVIEWER_ROLE = "Reviewer"
LEAD_ROLE = "Lead"

REPORTS_PAGE = "/mulgil/reports"  # below Airflow's own address: reports, and the alerts of each problem
MODELS_PAGE = "/mulgil/models"  # below Airflow's own address: every version's card, and what-if questions
EXPERIMENTS_PAGE = "/mulgil/experiments"  # likewise: what each experiment tries out, and what came of it

# Columns that ingest adds to every lake table; the underscore distinguishes them from a problem's own columns.
PARTITION_KEY = "_partition_key"
ROW_KEY = "_row_key"
CLASS_NAME = "class_name"  # of predictions of several classes, which have a row for each
OBJECT_KEY = "_object_key"
LINE_NUMBER = "_line_number"
BYTE_OFFSET = "_byte_offset"  # of quarantined rows only
UNKNOWN_FIELDS = "_unknown_fields"

# How a person who is to be erased is named: key id and hash, for each key that was ever used, the newest first.
SUBJECT_TOKEN = r"[0-9a-f]{8}:[0-9a-f]{32}(,[0-9a-f]{8}:[0-9a-f]{32})*"  # noqa: S105 - a shape, no secret

# Airflow connection whose password is the key that identifiers are hashed with, where the environment has none.
PII_CONNECTION = "mulgil_pii"


# Whether what another log of the problem says of a row is final; joined when the row is read, never stored.
LABEL_IS_DUE = "_label_is_due"

# What the one experiment of a section `experiment` is called, where others have names.
SINGLE_EXPERIMENT = "experiment"

# What the decision service reads, and what it writes into landing: folders below the lake's and landing's URL. The
# underscore is what no table and no problem begins with; landing is read from `SERVED_LOGS` where a problem says so.
ALLOCATIONS_FOLDER = "_allocation"
OUTBOX_FOLDER = "_outbox"  # what mailers read, beside it
SERVED_LOGS = "served"

# What a problem's lake tables hold beside its rows: the end of their names.
TABLE_KINDS = frozenset({"prediction", "ranking", "quarantine"})


class Stage(StrEnum):
    """A stage of the waterway; one file in `dags/` each."""

    LAND = "land"
    INGEST = "ingest"
    LABELS = "labels"
    TRAIN = "train"
    RULES = "rules"
    REVIEW = "review"
    DEMO_REVIEWER = "demo_reviewer"
    DESK_WATCH = "desk_watch"
    CORRECTIONS = "corrections"
    EXPERIMENT = "experiment"
    EXPERIMENT_WATCH = "experiment_watch"
    EXPERIMENT_TIE = "experiment_tie"
    OUTBOX = "outbox"
    MONITOR = "monitor"
    ALERT_WATCH = "alert_watch"
    UPKEEP = "upkeep"


class Single(StrEnum):
    """A DAG that is there once for all problems, and runs only when a person starts it; one file in `dags/` each."""

    ROLLBACK = "rollback"
    REPLAY = "replay"
    ERASE = "erase"
    WITHDRAW = "withdraw"


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
    SPREAD = "spread"  # covers what has no label yet, whatever a model thinks
    GOLD = "gold"  # the answer is known; teaches nothing
    RELABEL = "relabel"  # people disagree, or the label is suspected
    # Nobody was asked; what comes by itself is no part of any estimate from chance.
    IMPORTED = "imported"  # the label existed already
    CORRECTION = "correction"  # somebody changed their answer after its batch was finished
    ADJUDICATION = "adjudication"  # a lead's word on what people disagree about: it alone counts


LATE_ARMS = (Arm.IMPORTED, Arm.CORRECTION, Arm.ADJUDICATION)


class AlertEvent(StrEnum):
    """What can happen to an alert; the kinds of `core.alert_event`."""

    OPENED = "opened"
    ESCALATED = "escalated"
    SNOOZED = "snoozed"
    RETRAIN_ASKED = "retrain_asked"
    RETRAINED = "retrained"
    CLOSED = "closed"


def dag_id(problem: str, stage: Stage) -> str:
    """Name the DAG of one problem and stage, as it reads in the Airflow UI."""
    return f"{problem}__{stage}"


def file_of_dag(named: str) -> str:
    """Say which problem's file a DAG of a stage comes from, by the name that `dag_id` gives it."""
    return owner_of_log(named.partition("__")[0])


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


def flag_key(problem: str, experiment: str) -> str:
    """Name an experiment as programs that ask for a variant do."""
    return f"{problem}.{experiment}"


def alerts_asset(problem: str) -> str:
    """Name the asset that says: a monitored partition crossed a threshold, or its alert asks for a training."""
    return f"alerts/{problem}"


def log_name(problem: str, log: str) -> str:
    """Name one of a problem's other logs, as stages and the warehouse know it: `cards.returns`."""
    return f"{problem}.{log}"


def owner_of_log(log: str) -> str:
    """Say whose one of a problem's other logs is, by the name that `log_name` gives it."""
    return log.partition(".")[0]


def events_table(problem: str) -> str:
    """Name the lake table of the published rows of a problem, or of one of its other logs."""
    return f"{LAKE_NAMESPACE}.{problem.replace('.', '__')}"


def owner_of_table(table_name: str) -> str:
    """Say whose a lake table is: a problem's, or one of its other logs', which `log_name` names."""
    name = table_name.removeprefix(f"{LAKE_NAMESPACE}.")
    problem, *rest = name.split("__")
    return ".".join([problem, *(part for part in rest if part not in TABLE_KINDS)])


def predictions_table(problem: str) -> str:
    """Name the lake table of a problem's scored rows."""
    return f"{events_table(problem)}__prediction"


def ranking_table(problem: str) -> str:
    """Name the lake table of what the newest fitted model says, where another one serves: it ranks what to ask."""
    return f"{events_table(problem)}__ranking"


def quarantine_table(problem: str) -> str:
    """Name the lake table of a problem's quarantined rows, each with its reason."""
    return f"{events_table(problem)}__quarantine"
