"""One function for each task of the train stage, and the two that score.

A model of a training point is fitted by `fit_candidates`, judged by `decide_promotion`, and announced to the partitions
it scores by `list_scorable`. Everything heavy is imported when a step runs: DAG files import this one all day.
"""
# ruff: noqa: ARG001 - every step is told problem, partition and run; not every one needs all three

from typing import Any

from include.errors import BadPartition, NotEnoughLabels
from include.learning import registry
from include.learning.refusals import naming
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.warehouse.coverage import mark
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, step


@step(Stage.TRAIN)
def plan_training(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Say whether there is enough new to learn from.

    Args:
        partition_key: the data partition (labels from the log) or the round (labels from people) that woke the run.

    Returns:
        is_due, points (training points to fit, oldest first), reason, n_rows (labels, where people give them).
    """
    from include.learning import plans, rows

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection, naming(problem, f"training point {partition_key}"):
        if rows.is_labelled_by_log(loaded):
            return plans.plan_by_log(connection, loaded)
        return plans.plan_by_desk(connection, loaded, partition_key)


@step(Stage.TRAIN)
def fit_candidates(*, problem: str, partition_key: str, plan: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Fit, calibrate and measure the model and its baselines at every training point that is due.

    Returns:
        versions (names, oldest first), model_version (the newest), n_rows (fitted, calibrated and measured on).

    Raises:
        NotEnoughLabels: nothing is due, or the labels hold one class only.
        BadFeatures: a feature column is missing or holds infinite values.
        BadLabels: a label is not one of the declared classes.
    """
    from include.learning import fitting, rows

    loaded = load_problem(problem)
    if not plan["is_due"]:
        raise NotEnoughLabels(f"{problem}: no training is due. {plan['reason']}")
    fit = fitting.fit_on_log if rows.is_labelled_by_log(loaded) else fitting.fit_on_answers
    fitted = []
    for point in plan["points"]:
        with naming(problem, f"training point {point}"):
            fitted.append(fit(loaded, str(point)))
    versions = [str(row["model_version"]) for row in fitted]
    return {"versions": versions, "model_version": versions[-1], "n_rows": sum(row["n_rows"] for row in fitted)}


@step(Stage.TRAIN)
def decide_promotion(*, problem: str, partition_key: str, fitted: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Put every fitted version through the gate, oldest first, and write down what was seen.

    Returns:
        promoted, model_version and reason of the newest version, decisions (version to verdict), awaiting (versions
        that wait for a person), n_rows (held-out).

    Raises:
        TamperedModel: a stored model is not the registered one.
    """
    from include.learning import deciding

    loaded = load_problem(problem)
    outcomes = []
    for version in fitted["versions"]:
        with naming(problem, f"version {version}"):
            outcomes.append(deciding.decide(loaded, str(version), run_id))
    last = outcomes[-1]
    return {
        "promoted": last["verdict"] == registry.PROMOTED,
        "model_version": last["model_version"],
        "reason": last["reason"],
        "decisions": {outcome["model_version"]: outcome["verdict"] for outcome in outcomes},
        "awaiting": [outcome["model_version"] for outcome in outcomes if outcome["verdict"] == registry.AWAITING],
        "n_rows": sum(outcome["n_rows"] for outcome in outcomes),
    }


@step(Stage.TRAIN)
def describe_model(*, problem: str, partition_key: str, fitted: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Write down what the fitted versions are like: what matters to them, whom they wrong, where they are weak.

    Returns:
        versions, n_rows (held-out rows).

    Raises:
        NotAdditive: contributions do not sum to what the model said.
        TamperedModel: a stored model is not the registered one.
    """
    from include.learning import describing

    loaded = load_problem(problem)
    outcomes = []
    for version in fitted["versions"]:
        with naming(problem, f"version {version}"):
            outcomes.append(describing.describe(loaded, str(version)))
    return {
        "versions": [outcome["model_version"] for outcome in outcomes],
        "n_rows": sum(outcome["n_rows"] for outcome in outcomes),
    }


@step(Stage.TRAIN)
def suspect_labels(*, problem: str, partition_key: str, fitted: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Find the labels of people that are probably wrong, so that the next batch may ask for them again.

    Returns:
        model_version, n_rows (labels that are suspected), reason (how many were examined).
    """
    from include.learning import doubting

    with naming(problem, f"version {fitted['model_version']}"):
        return doubting.suspect_labels(load_problem(problem), str(fitted["model_version"]))


@step(Stage.TRAIN)
def open_approval(*, problem: str, partition_key: str, decided: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Write the question about the versions that passed the gate and wait for a person.

    Returns:
        versions (that wait, oldest first; none is no question), subject, body (Markdown), n_rows (versions).
    """
    from include.learning import approving

    versions = [str(version) for version in decided["awaiting"]]
    if not versions:
        return {"versions": [], "reason": "No version waits for a person.", "n_rows": 0}
    with open_warehouse().connect() as connection:
        question = approving.write_question(connection, load_problem(problem), versions)
    return {"versions": versions, **question, "n_rows": len(versions)}


@step(Stage.TRAIN)
def record_approval(
    *,
    problem: str,
    partition_key: str,
    versions: list[str],
    answer: dict[str, Any] | None,
    run_id: str = "by-hand",
) -> Outcome:
    """Write down what a person answered; no answer in time is a no, and an asking that failed changes nothing.

    Args:
        versions: that were asked about.
        answer: as Airflow keeps it; None where there is none.

    Returns:
        decisions (version to status), reason, n_rows (versions).
    """
    from datetime import UTC, datetime

    from include.learning import approving, promotions

    is_approved, actor, reason = approving.read_answer(answer, run_id)
    if is_approved is None:
        return {"decisions": {}, "reason": reason, "n_rows": 0}
    with open_warehouse().begin() as connection:
        decisions = {
            version: promotions.answer_approval(
                connection,
                problem,
                version,
                is_approved=is_approved,
                actor=actor,
                reason=reason,
                now=datetime.now(UTC),
            )
            for version in versions
        }
    return {"decisions": decisions, "reason": reason, "n_rows": len(decisions)}


@step(Stage.RULES)
def mine_rule(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Look in the labels of people for a rule "contains X" that would pay, and write the question about it.

    Returns:
        rule_version (None where nothing is proposed), subject, body (Markdown), reason, n_rows (measured).
    """
    from include.learning import mining

    with naming(problem, "mining a rule", "The rule in force stays."):
        return mining.mine(load_problem(problem), run_id)


@step(Stage.RULES)
def record_rule(*, problem: str, rule_version: str, answer: dict[str, Any] | None, run_id: str = "by-hand") -> Outcome:
    """Write down whether a person wants the mined rule; no answer in time is a no.

    Args:
        answer: as Airflow keeps it; None where there is none, which changes nothing.

    Returns:
        rule_version, status, reason, n_rows (rules decided).
    """
    from datetime import UTC, datetime

    from include.learning import approving, rules_in_force

    is_approved, actor, reason = approving.read_answer(answer, run_id)
    if is_approved is None:
        return {"rule_version": rule_version, "status": rules_in_force.PROPOSED, "reason": reason, "n_rows": 0}
    with open_warehouse().begin() as connection:
        status = rules_in_force.decide(
            connection, problem, rule_version, is_approved=is_approved, actor=actor, now=datetime.now(UTC)
        )
    return {"rule_version": rule_version, "status": status, "reason": reason, "n_rows": 1}


@step(Stage.TRAIN)
def roll_back(*, problem: str, to_version: str, reason: str, actor: str, run_id: str = "by-hand") -> Outcome:
    """Take the model in production out, and let an earlier one serve again; the history keeps both.

    Args:
        to_version: a version that has served, or `previous`.
        reason: why, in a sentence.
        actor: who asks for it.

    Returns:
        before (version that served), model_version (that serves now), n_rows (events written).

    Raises:
        CannotRollBack: there is no version to return to.
    """
    from datetime import UTC, datetime

    from include.learning import promotions

    load_problem(problem)
    with open_warehouse().begin() as connection:
        before, after = promotions.roll_back(
            connection, problem, to_version.strip(), actor=actor, reason=reason.strip(), now=datetime.now(UTC)
        )
    return {"before": before, "model_version": after, "reason": f"{after} serves instead of {before}.", "n_rows": 1}


@step(Stage.TRAIN)
def list_rescorable(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name what the model in production has to score again after somebody changed which one it is.

    Returns:
        keys: data partitions that another model has scored (labels from the log), or the newest round (from people).
    """
    from include.learning import plans, rows

    loaded = load_problem(problem)
    with open_warehouse().begin() as connection:
        keys = (
            plans.scorable_partitions(connection, loaded, run_id)
            if rows.is_labelled_by_log(loaded)
            else plans.newest_round(connection, loaded)
        )
        for key, version in keys.items():
            mark(connection, problem, Stage.TRAIN, key, Coverage.DONE, detail=version, run_id=run_id)
    return {"keys": list(keys), "reason": "" if keys else "Nothing was scored yet.", "n_rows": len(keys)}


@step(Stage.TRAIN)
def list_scorable(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Name what the decided models may score now and was not announced yet, and mark it announced.

    A partition is named again when another model serves it or its rows were published again. A run that is repeated
    names what it named before: its first announcement may have been lost.

    Returns:
        keys: data partitions (labels from the log), or the round that woke the run (labels from people).
    """
    from include.learning import plans, rows

    loaded = load_problem(problem)
    with open_warehouse().begin() as connection:
        keys = (
            plans.scorable_partitions(connection, loaded, run_id)
            if rows.is_labelled_by_log(loaded)
            else {partition_key: registry.serving_version(connection, problem, "")}
        )
        for key, version in keys.items():
            mark(connection, problem, Stage.TRAIN, key, Coverage.DONE, detail=version, run_id=run_id)
    return {
        "keys": list(keys),
        "reason": "" if keys else "No partition has a newly decided model.",
        "n_rows": len(keys),
    }


@step(Stage.MONITOR)
def score_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Give every row of one partition its probability, by the model that serves the partition.

    What calibration was good for on its rows with known labels is written down beside it.

    Returns:
        n_rows, model_version.

    Raises:
        BadPartition: no promoted model serves the partition.
        BadFeatures: the partition lacks a feature, or holds infinite values; its old predictions stay.
        TamperedModel: the stored model is not the registered one.
    """
    from include.learning import gains, predicting

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection:
        version = registry.serving_version(connection, problem, partition_key)
        first = min((row["serves_from"] for row in registry.list_promoted(connection, problem)), default=None)
    if version is None:
        known = f"the first one serves from {first}" if first is not None else "none was promoted yet"
        raise BadPartition(f"{problem}: no promoted model serves partition {partition_key}; {known}.")
    with naming(problem, f"partition {partition_key}"):
        n_rows = predicting.score_partitions(loaded, version, [partition_key])
        gains.record_gain(loaded, version, partition_key)
    return {"n_rows": n_rows, "model_version": version}


@step(Stage.REVIEW)
def score_pool(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Give every published row its probability by the newest promoted model; what it has scored already is kept.

    Args:
        partition_key: the round or the data partition that woke the run.

    Returns:
        n_rows (scored now), model_version (None before the first promotion: the cold start needs none), partitions.
    """
    from include.learning import plans, predicting

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection:
        promoted = registry.list_promoted(connection, problem)
        version = str(promoted[-1]["model_version"]) if promoted else None
        stale = plans.stale_partitions(connection, problem, version) if version else []
    if version is None:
        return {"n_rows": 0, "model_version": None, "partitions": [], "reason": "No model was promoted yet."}
    with naming(problem, "the pool"):
        n_rows = predicting.score_partitions(loaded, version, stale) if stale else 0
    return {"n_rows": n_rows, "model_version": version, "partitions": stale}


@step(Stage.REVIEW)
def explain_batch(*, problem: str, partition_key: str, chosen: dict[str, Any], run_id: str = "by-hand") -> Outcome:
    """Say of every item of the new batch what moved its probability most, for the people who are asked about it.

    Args:
        chosen: the batch that was opened.

    Returns:
        batch_id, n_rows (items explained), reason (why none was).

    Raises:
        NotAdditive: contributions do not sum to what the model said.
    """
    from include.learning import explaining

    with naming(problem, f"batch {chosen['batch_id']}"):
        return explaining.explain_batch(load_problem(problem), str(chosen["batch_id"]))
