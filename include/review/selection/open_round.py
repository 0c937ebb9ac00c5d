"""Opens a round: reads its pool, compares it with the round before, and chooses.

A store file around `selection/batch_plan.py`; the step in `steps.py` decides whether a batch is due, and holds it.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection, RowMapping, select
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import BadProblem
from include.names import Arm, Stage
from include.partition_keys import round_key
from include.problems.schema import Problem
from include.problems.sections.review import Review, Route
from include.review.batches import store as batches
from include.review.batches.choice import Choice
from include.review.batches.team import LEAD_SKILL, read_team
from include.review.selection import content, relabel_and_gold, stopping
from include.review.selection.batch_plan import Pool, plan_batch, seed_of
from include.review.selection.class_scores import Changed, several_of
from include.review.selection.heldout_gain import ChoosingGained, read_choosing_gained, read_fitted
from include.review.selection.pool import read_change_of_classes, read_change_ratio, read_pool, read_routes
from include.settings import read_settings
from include.warehouse import coverage
from include.warehouse.tables.learning import MODEL_VERSION

SNAPSHOT = "predictions_snapshot_id"
# Airflow runs several tasks on one machine; threads that wait for each other made describing 1,000 mails take 2.5 s
# instead of 0.5.
N_THREADS = 1


@dataclass(frozen=True)
class PlannedRound:
    """A round that is due, with everything that goes on the desk."""

    batch: batches.Batch
    choices: Sequence[Choice]
    contents: Sequence[content.Content]
    reason: str


def plan_round(
    connection: Connection, problem: Problem, earlier: Sequence[RowMapping], woken_by: str, now: datetime
) -> PlannedRound | str:
    """Choose the items of the next round, and read what they look like; nothing is written.

    Args:
        earlier: the batches so far, oldest first.
        woken_by: key of the wake-up.
        now: when the batch is opened.

    Returns:
        the round, or why there is none.

    Raises:
        BadProblem: the problem has no section `review`.
        BadProbabilities: scores at the top of the ranking are no probabilities.
    """
    review = _review_of(problem)
    round_number = len(earlier) + 1
    batch_id = round_key(round_number)
    published = coverage.done_partitions(connection, problem.name, Stage.INGEST)
    if not published:
        return "nothing is published, so there is nothing to ask about"
    seed = seed_of(problem.name, batch_id, problem.training and problem.training.seed)
    pool = _read_round(connection, problem, published, earlier, seed)
    changed = compare_decisions(connection, problem, published, earlier, pool)
    change_ratio = changed.ratio if changed else None
    changes = [*(row["decision_change_ratio"] for row in earlier), change_ratio]
    stop = stopping.reason_to_stop(changes, review.stop, changed.n_items if changed else 1)
    if stop is not None:
        return stop
    team = read_team(connection, problem.name)
    gained = read_choosing_gained(connection, problem.name)
    if gained is not None and gained.is_none:  # following the uncertainty led nowhere: the pool is covered instead
        pool = replace(pool, gain=0.0)
    choices = _choose_items(connection, problem, published, pool, seed, team, gained)
    if not choices:
        return "every published item has a label"
    batch = batches.Batch(
        problem=problem.name,
        batch_id=batch_id,
        round_number=round_number,
        model_version=pool.model_version,
        n_items=len(choices),
        n_pool=pool.n_pool,
        chosen_at_utc=now,
        due_at_utc=now + review.due,
        opened_by=woken_by,
        strategy=review.strategy if pool.model_version else Arm.SPREAD,
        predictions_snapshot_id=pool.snapshot_id,
        decision_change_ratio=change_ratio,
    )
    contents = content.read_contents(problem, published, batch_id, choices)
    return PlannedRound(batch, choices, contents, describe_batch(choices, pool, team, gained))


def write_round(connection: Connection, planned: PlannedRound) -> None:
    """Put a planned round on the desk; the caller holds it."""
    batches.write_batch(connection, planned.batch, planned.choices)
    content.write_contents(connection, planned.batch.problem, planned.batch.batch_id, planned.contents)


def _read_round(
    connection: Connection, problem: Problem, published: Sequence[str], earlier: Sequence[RowMapping], seed: int
) -> Pool:
    """Read the pool of the next round.

    Args:
        published: partitions with rows.
        earlier: the batches so far, oldest first; their scores are the other members of a committee.
        seed: of the draw.
    """
    review = _review_of(problem)
    with threadpool_limits(N_THREADS):
        return read_pool(
            problem,
            published,
            batches.read_taken(connection, problem.name),
            budget=review.budget,
            strategy=review.strategy,
            earlier_snapshots=[row[SNAPSHOT] for row in reversed(earlier) if row[SNAPSHOT]],
            versions=read_fitted(connection, problem.name),
            seed=seed,
        )


def compare_decisions(
    connection: Connection, problem: Problem, published: Sequence[str], earlier: Sequence[RowMapping], pool: Pool
) -> Changed | None:
    """Say which share of the decisions about how many items the newest labels changed.

    Returns:
        None without two rounds' models to compare. A round after which no new model was fitted says nothing.
    """
    before = earlier[-1] if earlier else None
    if before is None or before[SNAPSHOT] is None or pool.snapshot_id is None or pool.model_version is None:
        return None
    if before["model_version"] == pool.model_version:
        return None  # nothing was fitted since: the labels may still teach the next one something
    label = several_of(problem)
    if label is not None:
        models = (before[SNAPSHOT], before["model_version"]), (pool.snapshot_id, pool.model_version)
        return read_change_of_classes(problem.name, published, *models, label)
    query = select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.threshold_ratio).where(
        MODEL_VERSION.c.problem == problem.name,
        MODEL_VERSION.c.model_version.in_([before["model_version"], pool.model_version]),
    )
    thresholds = {row.model_version: float(row.threshold_ratio) for row in connection.execute(query)}
    if before["model_version"] not in thresholds or pool.model_version not in thresholds:
        return None
    return read_change_ratio(
        problem.name,
        published,
        (before[SNAPSHOT], before["model_version"], thresholds[before["model_version"]]),
        (pool.snapshot_id, pool.model_version, thresholds[pool.model_version]),
    )


def _choose_items(
    connection: Connection,
    problem: Problem,
    published: Sequence[str],
    pool: Pool,
    seed: int,
    team: set[str],
    gained: ChoosingGained | None,
) -> list[Choice]:
    """Choose the items of a batch, each with the care it needs."""
    review = grow_chance(_review_of(problem), gained)
    if len(team) == 1:  # a second answer would never come
        review = review.model_copy(update={"overlap_share": 0.0})
    settings = read_settings()
    folder = settings.problems_dir / "data" / problem.name
    gold = relabel_and_gold.read_gold(connection, problem, folder, str(seed), settings.pii_keys)
    n_suspected = relabel_and_gold.count_suspected(connection, problem, review.budget, review.relabel_share)
    relabels = relabel_and_gold.read_relabels(connection, problem, n_suspected)
    with threadpool_limits(N_THREADS):
        choices = plan_batch(pool, review, gold, relabels, np.random.default_rng(seed))
    routes = read_routes(problem.name, published, [choice.item_id for choice in choices], review.routes)
    escalated = {again.item_id for again in relabel_and_gold.read_escalated(connection, problem.name)}
    return [_give_care(choice, routes.get(choice.item_id), choice.item_id in escalated) for choice in choices]


def grow_chance(review: Review, gained: ChoosingGained | None) -> Review:
    """Give half of the chosen places to chance where the control arm shows no gain of choosing."""
    if gained is None or not gained.is_none:
        return review
    chosen_share = 1.0 - review.gold_share - review.relabel_share - review.random_share
    return review.model_copy(update={"random_share": round(review.random_share + chosen_share / 2, 6)})


def _give_care(choice: Choice, route: Route | None, is_escalated: bool) -> Choice:
    """Say who may answer an item, and whether it is covered; what was escalated is for leads, whatever its route."""
    skill = LEAD_SKILL if is_escalated else route.skill if route else None
    return replace(choice, skill=skill, is_sensitive=route is not None and route.is_sensitive)


def describe_batch(
    choices: Sequence[Choice], pool: Pool, team: Collection[str] = (), gained: ChoosingGained | None = None
) -> str:
    """Say in one sentence what a batch is made of, and in others what a team of one and a choice in vain change."""
    counts = Counter(choice.arm for choice in choices)
    arms = ", ".join(f"{count} {arm}" for arm, count in sorted(counts.items()))
    serving = f"{pool.serving_version or 'no version'} serves"
    chosen_by = f"{pool.model_version} ranked, {serving}" if pool.model_version else "no model has scored the pool"
    alone = f". Nobody sees an item twice: {next(iter(team))} answers alone" if len(team) == 1 else ""
    vain = f". No gain is shown, so that chance chooses more: {gained}" if gained and gained.is_none else ""
    return f"{len(choices)} items from a pool of {pool.n_pool:,} ({arms}); {chosen_by}{alone}{vain}"


def _review_of(problem: Problem) -> Review:
    """Give the review section.

    Raises:
        BadProblem: the problem has none.
    """
    if problem.review is None:
        raise BadProblem(f"{problem.name}: there is no section review, so nobody is asked anything.")
    return problem.review
