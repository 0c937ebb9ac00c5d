"""Opens a round: reads its pool, compares it with the round before, and chooses.

A store file around `planning.py`; the step in `steps.py` decides whether a batch is due, and writes it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy import Connection, RowMapping, select
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from include.errors import BadProblem
from include.problems.schema import Problem
from include.problems.sections.review import Review, Route
from include.review import asking_again, batches
from include.review.people import LEAD_SKILL
from include.review.planning import Choice, Pool, plan_batch
from include.review.pool import read_change_ratio, read_pool, read_routes
from include.settings import read_settings
from include.warehouse.tables.learning import MODEL_VERSION

SNAPSHOT = "predictions_snapshot_id"
# Airflow runs several tasks on one machine; threads that wait for each other made describing 1,000 mails take 2.5 s
# instead of 0.5.
N_THREADS = 1


def read_round(
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
            seed=seed,
        )


def compare_decisions(
    connection: Connection, problem: str, published: Sequence[str], earlier: Sequence[RowMapping], pool: Pool
) -> float | None:
    """Say which share of the decisions the newest labels changed.

    Returns:
        0..1; None without two rounds' models to compare. A round after which no new model was promoted changed nothing.
    """
    before = earlier[-1] if earlier else None
    if before is None or before[SNAPSHOT] is None or pool.snapshot_id is None:
        return None
    if before["model_version"] == pool.model_version:
        return None  # the gate kept the old model: the labels may still teach the next one something
    query = select(MODEL_VERSION.c.model_version, MODEL_VERSION.c.threshold_ratio).where(
        MODEL_VERSION.c.problem == problem,
        MODEL_VERSION.c.model_version.in_([before["model_version"], pool.model_version]),
    )
    thresholds = {row.model_version: float(row.threshold_ratio) for row in connection.execute(query)}
    if before["model_version"] not in thresholds or pool.model_version not in thresholds:
        return None
    return read_change_ratio(
        problem,
        published,
        (before[SNAPSHOT], thresholds[before["model_version"]]),
        (pool.snapshot_id, thresholds[pool.model_version]),
    )


def choose_items(
    connection: Connection, problem: Problem, published: Sequence[str], pool: Pool, seed: int
) -> list[Choice]:
    """Choose the items of a batch, each with the care it needs."""
    review = _review_of(problem)
    folder = read_settings().problems_dir / "data" / problem.name
    gold = asking_again.read_gold(connection, problem, folder, str(seed))
    doubted = asking_again.read_doubted(connection, problem.name)
    with threadpool_limits(N_THREADS):
        choices = plan_batch(pool, review, gold, doubted, np.random.default_rng(seed))
    routes = read_routes(problem.name, published, [choice.item_id for choice in choices], review.routes)
    escalated = {again.item_id for again in asking_again.read_escalated(connection, problem.name)}
    return [_give_care(choice, routes.get(choice.item_id), choice.item_id in escalated) for choice in choices]


def _give_care(choice: Choice, route: Route | None, is_escalated: bool) -> Choice:
    """Say who may answer an item, and whether it is covered; what was escalated is for leads, whatever its route."""
    skill = LEAD_SKILL if is_escalated else route.skill if route else None
    return replace(choice, skill=skill, is_sensitive=route is not None and route.is_sensitive)


def describe_batch(choices: Sequence[Choice], pool: Pool) -> str:
    """Say in one sentence what a batch is made of."""
    counts = Counter(choice.arm for choice in choices)
    arms = ", ".join(f"{count} {arm}" for arm, count in sorted(counts.items()))
    chosen_by = f"{pool.model_version} ranked" if pool.model_version else "no model has scored the pool"
    return f"{len(choices)} items from a pool of {pool.n_pool:,} ({arms}); {chosen_by}"


def _review_of(problem: Problem) -> Review:
    """Give the review section.

    Raises:
        BadProblem: the problem has none.
    """
    if problem.review is None:
        raise BadProblem(f"{problem.name}: there is no section review, so nobody is asked anything.")
    return problem.review
