"""Reads the shares in force, and reads and writes the published files.

What belongs here: `core.allocation`, and the folder of published files. What does not: what a file says
(`allocation_file.py`).
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, and_, func, select

from include.engine.object_folder import ObjectFolder
from include.names import ALLOCATIONS_FOLDER
from include.settings import Settings
from include.warehouse.tables.experiments import ALLOCATION, EXPERIMENT_DECISION, EXPERIMENT_PLAN

FILE = "allocation.json"


def read_shares_in_force(connection: Connection, problem: str) -> Sequence[Mapping[str, object]]:
    """Read what the newest window of each of a problem's experiments says; nothing before the first.

    Returns:
        rows of `core.allocation`, each with `plan`: the document that the window was made with, None where an older
        version made it.
    """
    own = ALLOCATION.c.problem == problem
    newest = (
        select(ALLOCATION.c.experiment, func.max(ALLOCATION.c.partition_key).label("newest_key"))
        .where(own)
        .group_by(ALLOCATION.c.experiment)
        .subquery()
    )
    is_newest = (ALLOCATION.c.experiment == newest.c.experiment) & (ALLOCATION.c.partition_key == newest.c.newest_key)
    of_window = [
        EXPERIMENT_DECISION.c[name] == ALLOCATION.c[name] for name in ("problem", "experiment", "partition_key")
    ]
    of_decision = [EXPERIMENT_PLAN.c[name] == ALLOCATION.c[name] for name in ("problem", "experiment")]
    of_decision.append(EXPERIMENT_PLAN.c.sha256 == EXPERIMENT_DECISION.c.plan_sha256)
    query = (
        select(ALLOCATION, EXPERIMENT_PLAN.c.plan)
        .join(newest, is_newest)
        .outerjoin(EXPERIMENT_DECISION, and_(*of_window))
        .outerjoin(EXPERIMENT_PLAN, and_(*of_decision))
        .where(own)
        .order_by(*ALLOCATION.primary_key)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def open_published(settings: Settings) -> ObjectFolder:
    """Open the folder of published files, beside the lake's tables."""
    root = settings.lake_url.rstrip("/")
    return ObjectFolder(f"{root}/{ALLOCATIONS_FOLDER}", settings.s3_endpoint)


def published_key(problem: str) -> str:
    """Name a problem's published file, below the folder of them."""
    return f"{problem}/{FILE}"
