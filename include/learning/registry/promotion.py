"""What people decide about versions: an approval, a refusal, a rollback.

A store file around the registry. Every decision is an event more; none is ever overwritten. What does not belong here:
the gate's own decision (`evaluation/gate.py`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from include.errors import CannotRollBack
from include.learning.registry import versions
from include.partition_keys import sort_key
from include.warehouse.locks import lock_until_commit
from include.warehouse.tables.learning import MODEL_EVENT

PREVIOUS = "previous"


def answer_approval(
    connection: Connection,
    problem: str,
    model_version: str,
    *,
    is_approved: bool,
    actor: str,
    reason: str,
    now: datetime,
) -> str:
    """Write a person's answer about a version that waits for it; a version that does not wait keeps its status.

    Returns:
        promoted or rejected; what the version was when it was not waiting.
    """
    lock_until_commit(connection, problem, "promotions")
    where = {"problem": problem, "model_version": model_version}
    last = versions.last_event(connection, where)
    if last is None or last["event"] != versions.AWAITING:
        return str(last["event"]) if last else versions.CANDIDATE
    verdict = versions.PROMOTED if is_approved else versions.REJECTED
    event = {**where, "event": verdict, "actor": actor, "reason": reason, "serves_from": last["serves_from"]}
    versions.add_event(connection, event, now=now)
    return verdict


def roll_back(
    connection: Connection, problem: str, to_version: str, *, actor: str, reason: str, now: datetime
) -> tuple[str, str]:
    """Take the version in production out, and every other one that would serve before the one to return to.

    Args:
        to_version: a version that has served, or `previous`.
        actor: who asks for it.
        reason: why, in a sentence.

    Returns:
        (version that served, version that serves now).

    Raises:
        CannotRollBack: nothing serves, there is no such version, it has never served, or it serves already.
    """
    lock_until_commit(connection, problem, "promotions")
    promoted = [str(row["model_version"]) for row in versions.list_promoted(connection, problem)]
    if not promoted:
        raise CannotRollBack(f"{problem}: no model is in production, so there is none to take out.")
    target = _target_of(connection, problem, to_version, promoted)
    served = set(promoted) | {target}
    order = [str(row["model_version"]) for row in versions.list_versions(connection, problem)]
    later = [version for version in order[order.index(target) + 1 :] if version in served]
    for version in reversed(later):
        _add(connection, problem, version, versions.ROLLED_BACK, actor, reason, now)
    if target not in promoted:
        _add(connection, problem, target, versions.PROMOTED, actor, reason, now)
    return promoted[-1], target


def _target_of(connection: Connection, problem: str, to_version: str, promoted: Sequence[str]) -> str:
    """Find the version to return to, and refuse one that cannot serve.

    Raises:
        CannotRollBack: it serves already, has never served, or there is none before.
    """
    if to_version == PREVIOUS:
        if len(promoted) < 2:
            raise CannotRollBack(
                f"{problem}: {promoted[-1]} is the only version in production; there is no previous one. "
                "Name a version that has served before, or train a new one."
            )
        return promoted[-2]
    if to_version == promoted[-1]:
        raise CannotRollBack(f"{problem}: {to_version} serves already.")
    if to_version not in _have_served(connection, problem):
        known = ", ".join(_have_served(connection, problem))
        raise CannotRollBack(
            f"{problem}: {to_version!r} has never been in production. Allowed are {PREVIOUS!r} and: {known}."
        )
    return to_version


def _have_served(connection: Connection, problem: str) -> list[str]:
    """Name every version that was ever promoted."""
    query = select(MODEL_EVENT.c.model_version).where(
        MODEL_EVENT.c.problem == problem, MODEL_EVENT.c.event == versions.PROMOTED
    )
    return sorted(set(connection.execute(query).scalars()), key=sort_key)


def _add(
    connection: Connection, problem: str, version: str, event: str, actor: str, reason: str, now: datetime
) -> None:
    """Add one event, which serves from where the version served before."""
    where = {"problem": problem, "model_version": version}
    last = versions.last_event(connection, where)
    row = {
        **where,
        "event": event,
        "actor": actor,
        "reason": reason,
        "serves_from": last["serves_from"] if last else "",
    }
    versions.add_event(connection, row, now=now)
