"""What Airflow runs to look at landing: one function for each task."""

from datetime import UTC, datetime, timedelta

from include.errors import BadForm
from include.landing.contracts import FoundPartitions, LostPartitions, Withdrawn
from include.names import Stage, owner_of_log
from include.problems.reading import load_problem
from include.settings import read_settings
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, step

MOST_FLAWS = 20  # that are named in an outcome; all of them stand in `core.landing_object`
MOST_OBJECTS = 20  # that are named in an outcome; all of them stand in `core.withdrawal`
SHORTEST_REASON = 5  # letters
WITHDRAW, RESTORE = "withdraw", "restore"
BY_HAND = "by-hand"  # what calls without a run are called, all alike
# No training takes so long: what was under way when rows were withdrawn has ended by then.
LONGEST_TRAINING = timedelta(days=1)


@step(Stage.LAND)
def find_new_partitions(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Read the objects that are new or changed, and name the partitions that must be ingested, in groups.

    Returns:
        `FoundPartitions`: keys that new or changed objects feed (or fed before they changed), keys that records have
        moved to or from because the problem's file places them by other rules now, keys that were refused by other
        rules than the file has now, and keys that landed earlier but never finished ingest; of the flaws of whole
        objects (empty, cut short, not of the format, not to be fetched) at most the first 20, and of the objects whose
        bytes were withdrawn.

    Raises:
        BadLanding: landing cannot be reached; nothing is stored then.
    """
    from include.engine.object_store.objects import list_objects
    from include.engine.session import open_engine
    from include.landing.count_records import count_objects
    from include.landing.groups import form_groups
    from include.landing.ledger import claim_unsettled, note_rules, read_known, store_objects
    from include.landing.object_changes import choose_changed, choose_unmoved, placing_rules
    from include.landing.refusals import reopen_refused
    from include.landing.withdrawal.objects import hold_withdrawals, withdraw_again
    from include.problems.ingest_rules import hash_ingest_rules

    settings, definition, now = read_settings(), load_problem(problem), datetime.now(UTC)
    source = definition.source
    listed = list_objects(settings, source.landing)
    with open_warehouse().begin() as connection:
        known = read_known(connection, problem)
    rules = placing_rules(source)
    changed = choose_changed(listed, known, rules)
    troubles: dict[str, str] = {}
    found = list(count_objects(settings, open_engine(), source, changed, troubles, known, now)) if changed else []
    with open_warehouse().begin() as connection:
        hold_withdrawals(connection, problem)
        # First: an ingest, too, writes its audit before its coverage, and two orders would wait for each other.
        reopened = reopen_refused(connection, problem, hash_ingest_rules(definition), run_id)
        fed = store_objects(connection, problem, found, known, rules, now, run_id)
        withdrawn = withdraw_again(connection, problem, source, [item.seen.key for item in found], now, run_id)
        note_rules(connection, problem, choose_unmoved(listed, known, rules), rules)
        unsettled = claim_unsettled(connection, problem, now, run_id) | set(reopened)
        leaders = form_groups(connection, problem, fed | unsettled)
    flaws = [*troubles.items(), *withdrawn.items(), *((item.seen.key, item.flaw) for item in found if item.flaw)]
    return FoundPartitions(
        partitions=tuple(sorted(fed | unsettled)),
        announced=tuple(leaders),
        n_objects=len(found),
        n_rows=sum(sum(item.n_rows.values()) for item in found),
        n_replaced=len(changed) - len(found) - len(troubles),
        flaws=dict(flaws[:MOST_FLAWS]),
    ).to_xcom()


@step(Stage.LAND)
def find_unheard_rows(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name published partitions that `train`, `review` or `experiment` should have begun with, and never did.

    Returns:
        `LostPartitions`.
    """
    return _find_unheard(problem, Stage.INGEST, run_id)


@step(Stage.LAND)
def find_unheard_models(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name partitions and rounds whose model is decided, and that `monitor` or `review` never began with.

    Models that were still being trained when rows of theirs were withdrawn are marked on the way.

    Returns:
        `LostPartitions`.
    """
    from include.landing.withdrawal.models import mark_models

    now = datetime.now(UTC)
    with open_warehouse().begin() as connection:
        mark_models(connection, load_problem(problem), now, since=now - LONGEST_TRAINING)
    return _find_unheard(problem, Stage.TRAIN, run_id)


@step(Stage.LAND)
def withdraw_objects(
    *,
    problem: str,
    objects: list[str],
    reason: str,
    actor: str,
    action: str = WITHDRAW,
    run_id: str = "by-hand",
) -> Outcome:
    """Take wrong objects back, or let them in again: what they fed waits for its ingest, which leaves them out.

    Args:
        objects: their paths below the landing URL; `*` stands for any characters.
        reason: in one sentence; it stays in the history.
        actor: who wants it.
        action: withdraw or restore.

    Returns:
        a `Withdrawn`: what has changed; nothing where it was done before. A run that is repeated changes nothing more:
        by then other bytes may lie under the same names.

    Raises:
        BadForm: no object or no reason is given, or a name fits no object that was read; nothing is changed then.
    """
    from include.landing.withdrawal import objects as chosen

    named = [name.strip() for name in objects if name.strip()]
    if not named or len(reason.strip()) < SHORTEST_REASON or action not in (WITHDRAW, RESTORE):
        raise BadForm(
            f"A withdrawal needs at least one object ({len(named)} given), a reason of {SHORTEST_REASON} letters or "
            f"more, which stays in the history, and as action {WITHDRAW} or {RESTORE} ({action!r} given). Nothing was "
            "changed."
        )
    source, asked = load_problem(problem).source, chosen.Asked(actor, reason.strip(), run_id, datetime.now(UTC))
    change = chosen.withdraw if action == WITHDRAW else chosen.restore
    with open_warehouse().begin() as connection:
        chosen.hold_withdrawals(connection, problem)
        if run_id != BY_HAND and chosen.was_done(connection, problem, run_id):
            return Withdrawn((), 0, 0, ()).to_xcom()
        changed = change(connection, problem, source, chosen.find_named(connection, problem, named), asked)
        n_rows, partitions = chosen.count_records(connection, problem, changed)
    return Withdrawn(tuple(changed[:MOST_OBJECTS]), len(changed), n_rows, tuple(partitions)).to_xcom()


@step(Stage.LAND)
def mark_trained_models(
    *,
    problem: str,
    objects: list[str],  # noqa: ARG001 - a field of the form, as the next ones
    reason: str,  # noqa: ARG001
    actor: str,  # noqa: ARG001
    action: str = WITHDRAW,  # noqa: ARG001
    run_id: str = "by-hand",  # noqa: ARG001
) -> Outcome:
    """Mark the models that learned from what is withdrawn; they and their snapshots stay as they are.

    Args:
        problem: a problem, or one of its other logs.
        objects, reason, actor, action: as for `withdraw_objects`.

    Returns:
        `versions` that are marked, and `n_rows`, how many.
    """
    from include.landing.withdrawal.models import mark_models

    with open_warehouse().begin() as connection:
        marked = mark_models(connection, load_problem(owner_of_log(problem)), datetime.now(UTC))
    return {"versions": marked, "n_rows": len(marked)}


@step(Stage.LAND)
def list_withdrawn(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name the partitions that are to be ingested anew because of a withdrawal, in groups.

    Returns:
        a `LostPartitions`: those whose ingest runs take the others along.
    """
    from include.landing.groups import form_groups
    from include.landing.withdrawal.objects import waiting_for

    with open_warehouse().begin() as connection:
        leaders = form_groups(connection, problem, waiting_for(connection, problem, run_id))
    return LostPartitions(tuple(leaders)).to_xcom()


def _find_unheard(problem: str, announced_by: Stage, run_id: str) -> Outcome:
    """Find what one stage announced, and nobody began with."""
    from include.landing.lost_events import claim_all_lost
    from include.problems.stages import listeners_of

    listeners = listeners_of(load_problem(problem))[announced_by]
    with open_warehouse().begin() as connection:
        lost = claim_all_lost(connection, problem, announced_by, listeners, datetime.now(UTC), run_id)
    return LostPartitions(tuple(lost)).to_xcom()
