"""Carry a problem from its files in landing to a model once, in this terminal, without Airflow.

    make try NAME=name
    python -m scripts.try_problem NAME

The same steps as the DAGs, one after the other: land, ingest, train, monitor. A built-in problem's data is put into
landing first. Where people label, recorded truth answers the rounds that the file lets it answer, and the next one
waits for people; without recorded truth the first one does. What the steps write stays in the lake and the warehouse,
and Airflow goes on from there. The embedded PostgreSQL is started for the time of the command, where it does not run.
What belongs here: the order. What does not: the steps.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from include.errors import MulgilError, PartitionRefused
from include.names import Stage
from include.problems.reading import load_problem
from include.problems.recorded_truth import truth_path
from include.problems.schema import Problem
from include.settings import read_settings
from scripts.stack.errors import StackError
from scripts.stack.home import find_home, make_folders
from scripts.stack.keys import make_keys
from scripts.stack.selection import Selection
from scripts.stack.stack import Stack

Say = Callable[[str], None]


def ingest_landed(problem: Problem, say: Say) -> list[str]:
    """Ingest every partition that landed and is not published as it is now; give all that are published.

    Raises:
        MulgilError: landing cannot be reached, or a step failed.
    """
    from include.lake.steps import publish_partition, stage_partition
    from include.landing.steps import find_new_partitions
    from include.quality.steps import audit_partition
    from include.warehouse.coverage import done_partitions
    from include.warehouse.database import open_warehouse

    say(f"Ingest of {problem.name}:")
    found = find_new_partitions(problem=problem.name)
    for key, flaw in found["flaws"].items():
        say(f"  {key}: {flaw}")
    if not found["partitions"]:
        say("  nothing new has landed")
    for key in found["partitions"]:
        about = {"problem": problem.name, "partition_key": key}
        staged = stage_partition(**about)
        audit = audit_partition(**about, staged=staged)
        try:
            publish_partition(**about, staged=staged, audit=audit)
        except PartitionRefused as refused:
            say(f"  {key} is refused: {refused}")
            continue
        others = f"{staged['n_quarantined']:,} in quarantine, {staged['n_duplicate']:,} duplicates"
        say(f"  {key}: {staged['n_staged']:,} rows published, {others}")
    with open_warehouse().connect() as connection:
        return done_partitions(connection, problem.name, Stage.INGEST)


def train(problem: Problem, newest: str, say: Say) -> list[str]:
    """Train at every point up to a partition that is due; give the partitions whose model is decided.

    Raises:
        MulgilError: a step failed.
    """
    from include.learning import steps

    about = {"problem": problem.name, "partition_key": newest}
    plan = steps.plan_training(**about)
    if not plan["is_due"]:
        say(f"  no training is due: {plan['reason']}")
    else:
        fitted = steps.fit_candidates(**about, plan=plan)
        decided = steps.decide_promotion(**about, fitted=fitted)
        steps.describe_model(**about, fitted=fitted)
        for version, verdict in decided["decisions"].items():
            say(f"  {version}: {verdict}")
        say(f"  the newest: {decided['reason']}")
    return list(steps.list_scorable(**about)["keys"])


def label_rounds(problem: Problem, newest: str, say: Say) -> str:
    """Open round after round, let recorded truth answer it and train on it, until one is left to people.

    Args:
        newest: the newest published partition, which opens the first round.

    Returns:
        the last answered round; `newest` where none was.

    Raises:
        MulgilError: a step failed.
    """
    from include.learning.steps import score_pool
    from include.review.steps import answer_batch, choose_batch

    settings, woken_by = read_settings(), newest
    answers = settings.is_demo_reviewer_on and truth_path(settings, problem.name).is_file()
    while True:
        score_pool(problem=problem.name, partition_key=woken_by)
        chosen = choose_batch(problem=problem.name, partition_key=woken_by)
        batch = chosen["batch_id"]
        if batch is None:
            say(f"  no round is opened: {chosen['reason']}")
            return woken_by
        answered = answer_batch(problem=problem.name, partition_key=batch) if answers else None
        if answered is None or answered["is_for_people"]:
            say(f"  {batch}: {chosen['n_items']} items wait for people")
            return woken_by
        say(f"  {batch}: {answered['n_answered']} items answered from recorded truth")
        train(problem, batch, say)
        woken_by = batch


def watch(problem: Problem, keys: list[str], say: Say) -> None:
    """Score and measure partitions, or the pool after a round of labels.

    Raises:
        MulgilError: a step failed.
    """
    from include.learning.steps import score_partition, score_pool
    from include.monitoring.steps import measure_partition, raise_alerts

    is_by_log = problem.label is not None and problem.label.source == "log"
    for key in keys:
        about = {"problem": problem.name, "partition_key": key}
        (score_partition if is_by_log else score_pool)(**about)
        measure_partition(**about)
        say(f"  {key}: scored and measured, {raise_alerts(**about)['n_alerts']} alerts")


def try_problem(problem: Problem, say: Say) -> None:
    """Carry a problem through the stages that its file calls for, up to where it needs a person.

    Raises:
        MulgilError: a step failed.
    """
    for log in problem.logs:
        ingest_landed(log, say)
    published = ingest_landed(problem, say)
    if problem.training is None or problem.label is None or not published:
        return
    if problem.label.source == "log":
        say("Training:")
        decided = train(problem, published[-1], say)
    else:
        say("Rounds of labels:")
        decided = [label_rounds(problem, published[-1], say)]
    if problem.monitor is not None and decided:
        say("Monitoring:")
        watch(problem, decided, say)


@contextmanager
def borrowed_warehouse(problem: str) -> Iterator[str]:
    """Give the warehouse of the environment, or of this home, which is started for the time of the block.

    Args:
        problem: whose data is put into landing before, where it is a built-in one.
    """
    if url := os.environ.get("MULGIL_WAREHOUSE_URL"):
        yield url
        return
    from scripts.stack.run import prepare_warehouse

    home = find_home()
    make_folders(home)
    stack = Stack(home, make_keys(home.secrets))
    stack.start_postgres()
    before = dict(os.environ)
    try:
        prepare_warehouse(stack, Selection((problem,)))
        own = stack.environment(is_demo_reviewer_on=True)
        os.environ |= {name: value for name, value in own.items() if name.startswith(("MULGIL_", "GX_"))}
        yield stack.addresses.warehouse_url
    finally:
        os.environ.clear()
        os.environ |= before
        if stack.started_postgres:
            stack.postgres.stop()


def main(arguments: list[str]) -> int:
    """Try one problem; 0 done, 1 refused with a sentence."""
    from scripts.stack.summary import summarise

    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m scripts.try_problem", description=about)
    parser.add_argument("name", help="of the problem")
    asked = parser.parse_args(arguments)
    try:
        problem = load_problem(asked.name)
        with borrowed_warehouse(problem.name) as url:
            try_problem(problem, print)
            print(f"\n{summarise(url)}")
    except (MulgilError, StackError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the engine would say on its way out that it leaks, which is the system's to free
