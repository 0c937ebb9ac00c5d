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
        `partitions`: keys that new or changed objects feed (or fed before they changed), keys that records have moved
        to or from because the problem's file places them by other rules now, and keys that landed earlier but never
        finished ingest, oldest first; `n_objects` and `n_rows`: what was read now; `flaws`: object key to
        what is wrong with it as a whole (empty, cut short, not of the format), at most the first 20; `n_replaced`:
        objects that changed while they were read, and are read again next time.

    Raises:
        BadLanding: landing cannot be reached, or an object vanished before it was read; nothing is stored then.
    """
    from include.engine.objects import list_objects
    from include.engine.session import open_engine
    from include.landing.counting import count_objects
    from include.landing.ledger import claim_unsettled, note_rules, read_known, store_objects
    from include.landing.manifest import choose_changed, choose_unmoved, placing_rules

    settings, source, now = read_settings(), load_problem(problem).source, datetime.now(UTC)
    listed = list_objects(settings, source.landing)
    with open_warehouse().begin() as connection:
        known = read_known(connection, problem)
    rules = placing_rules(source)
    changed = choose_changed(listed, known, rules)
    found = list(count_objects(settings, open_engine(), source, changed)) if changed else []
    with open_warehouse().begin() as connection:
        fed = store_objects(connection, problem, found, known, rules, now, run_id)
        note_rules(connection, problem, choose_unmoved(listed, known, rules), rules)
        unsettled = claim_unsettled(connection, problem, now, run_id)
    return {
        "partitions": sorted(fed | unsettled),
        "n_objects": len(found),
        "n_rows": sum(sum(item.n_rows.values()) for item in found),
        "n_replaced": len(changed) - len(found),
        "flaws": dict([(item.seen.key, item.flaw) for item in found if item.flaw is not None][:20]),
    }


@step(Stage.LAND)
def find_unheard_rows(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Name published partitions that `train`, `review` or `experiment` should have begun with, and never did.

    Returns:
        `partitions`: to announce again, oldest first; `reason` when there are none.
    """
    return _find_unheard(problem, Stage.INGEST, run_id)


@step(Stage.LAND)
def find_unheard_models(*, problem: str, run_id: str = "by-hand") -> dict[str, Any]:
    """Name partitions and rounds whose model is decided, and that `monitor` or `review` never began with.

    Returns:
        `partitions`: to announce again, oldest first; `reason` when there are none.
    """
    return _find_unheard(problem, Stage.TRAIN, run_id)


def _find_unheard(problem: str, announced_by: Stage, run_id: str) -> dict[str, Any]:
    """Find what one stage announced, and nobody began with."""
    from include.landing.lost_events import claim_all_lost
    from include.problems.stages import listeners_of

    listeners = listeners_of(load_problem(problem))[announced_by]
    with open_warehouse().begin() as connection:
        lost = claim_all_lost(connection, problem, announced_by, listeners, datetime.now(UTC), run_id)
    return {"partitions": lost, "n_rows": len(lost), "reason": "everything announced was heard"}
