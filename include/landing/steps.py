"""What Airflow runs to look at landing: one function for each task."""

from datetime import UTC, datetime
from typing import Any

from include.names import Stage
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step


@step(Stage.LAND)
def find_new_partitions(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Read the objects that are new or changed, and name the partitions that must be ingested.

    Returns:
        `partitions`: keys that new or changed objects feed (or fed before they changed), and keys that landed earlier
        but never finished ingest, oldest first; `n_objects` and `n_rows`: what was read now; `flaws`: object key to
        what is wrong with it as a whole (empty, cut short, not of the format), at most the first 20; `n_replaced`:
        objects that changed while they were read, and are read again next time.

    Raises:
        BadLanding: landing cannot be reached, or an object vanished before it was read; nothing is stored then.
    """
    from include.engine.objects import list_objects
    from include.engine.session import open_engine
    from include.landing.counting import count_objects
    from include.landing.ledger import claim_unsettled, read_known, store_objects
    from include.landing.manifest import choose_changed

    settings, source, now = read_settings(), load_problem(problem).source, datetime.now(UTC)
    listed = list_objects(settings, source.landing)
    with open_warehouse().begin() as connection:
        versions, fingerprints = read_known(connection, problem)
    changed = choose_changed(listed, versions)
    found = list(count_objects(settings, open_engine(), source, changed)) if changed else []
    with open_warehouse().begin() as connection:
        fed = store_objects(connection, problem, found, fingerprints, now, run_id)
        unsettled = claim_unsettled(connection, problem, now, run_id)
    return {
        "partitions": sorted(fed | unsettled),
        "n_objects": len(found),
        "n_rows": sum(sum(item.n_rows.values()) for item in found),
        "n_replaced": len(changed) - len(found),
        "flaws": dict([(item.seen.key, item.flaw) for item in found if item.flaw is not None][:20]),
    }
