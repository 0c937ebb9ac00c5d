"""One function for each task of the train stage, and the two that score.

A model of a training point is fitted by `fit_candidates`, judged by `decide_promotion`, and announced to the partitions
it scores by `list_scorable`. Everything heavy is imported when a step runs: DAG files import this one all day.
"""
# ruff: noqa: ARG001 - every step is told problem, partition and run; not every one needs all three

from datetime import UTC, datetime

from include.errors import NotEnoughLabels
from include.handover import XCom, read_answer
from include.learning.contracts import Announced, Decided, FittedVersions, Question, TrainingPlan
from include.learning.data import active_rule
from include.learning.errors import error_context
from include.learning.registry import approval, promotion, versions
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.warehouse.coverage import done_partitions, mark
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
    from include.learning.data import dataset
    from include.learning.kinds import kind_of
    from include.learning.training import schedule

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection, error_context(problem, f"training point {partition_key}"):
        if dataset.is_labelled_by_log(loaded):
            return schedule.plan_by_log(connection, loaded).to_xcom()
        return kind_of(loaded).plan_by_desk(connection, loaded, partition_key).to_xcom()


@step(Stage.TRAIN)
def fit_candidates(*, problem: str, partition_key: str, plan: XCom, run_id: str = "by-hand") -> Outcome:
    """Fit, calibrate and measure the model and its baselines at every training point that is due.

    A point that cannot be fitted is passed over, and later ones go on; the next version's card says why. Where a person
    approves, one version at a time: the next one is judged against it.

    Returns:
        versions (names, oldest first; none where the log has too few labels yet), model_version (the newest), n_rows
        (fitted, calibrated and measured on), reason (why points were passed over).

    Raises:
        NotEnoughLabels: nothing is due, or the labels of people hold one class only.
        BadFeatures: no point could be fitted: a feature column is missing or holds infinite values.
        BadLabels: as above: a label is not one of the declared classes.
    """
    from include.learning import fit_version
    from include.learning.kinds import kind_of

    loaded, due = load_problem(problem), TrainingPlan.from_xcom(plan)
    if not due.is_due:
        raise NotEnoughLabels(f"{problem}: no training is due. {due.reason}")
    return fit_version.fit_points(loaded, due.points, kind_of(loaded).fit).to_xcom()


@step(Stage.TRAIN)
def decide_promotion(*, problem: str, partition_key: str, fitted: XCom, run_id: str = "by-hand") -> Outcome:
    """Put every fitted version through the gate, oldest first, and write down what was seen.

    Returns:
        promoted, model_version and reason of the newest version, decisions (version to verdict), awaiting (versions
        that wait for a person), n_rows (held-out).

    Raises:
        TamperedModel: a stored model is not the registered one.
    """
    from include.learning.kinds import kind_of
    from include.warehouse.problem_description import describe_problem

    loaded = load_problem(problem)
    decide = kind_of(loaded).decide
    with open_warehouse().begin() as connection:
        # In which unit it earns; a problem without monitoring is described by nobody else.
        describe_problem(connection, loaded, datetime.now(UTC))
    found = []
    for version in FittedVersions.from_xcom(fitted).versions:
        with error_context(problem, f"version {version}"):
            found.append(decide(loaded, version, run_id))
    verdicts = {one.model_version: one.verdict for one in found}
    return Decided(verdicts, found[-1].reason, sum(one.n_rows for one in found)).to_xcom()


@step(Stage.TRAIN)
def describe_model(*, problem: str, partition_key: str, fitted: XCom, run_id: str = "by-hand") -> Outcome:
    """Write down what the fitted versions are like: what matters to them, whom they wrong, where they are weak.

    Returns:
        versions, n_rows (held-out rows).

    Raises:
        NotAdditive: contributions do not sum to what the model said.
        TamperedModel: a stored model is not the registered one.
    """
    from include.learning.kinds import kind_of

    loaded = load_problem(problem)
    describe = kind_of(loaded).describe
    names, n_rows = FittedVersions.from_xcom(fitted).versions, 0
    for version in names:
        with error_context(problem, f"version {version}"):
            n_rows += describe(loaded, version)
    return {"versions": list(names), "n_rows": n_rows}


@step(Stage.TRAIN)
def suspect_labels(*, problem: str, partition_key: str, fitted: XCom, run_id: str = "by-hand") -> Outcome:
    """Find the labels of people that are probably wrong, so that the next batch may ask for them again.

    Returns:
        model_version, n_rows (labels that are suspected), reason (how many were examined).
    """
    from include.learning.kinds import kind_of

    loaded, newest = load_problem(problem), FittedVersions.from_xcom(fitted).newest
    with error_context(problem, f"version {newest}"):
        return kind_of(loaded).suspect(loaded, newest)


@step(Stage.TRAIN)
def open_approval(*, problem: str, partition_key: str, decided: XCom, run_id: str = "by-hand") -> Outcome:
    """Write the question about the versions that passed the gate and wait for a person.

    Returns:
        versions (that wait, oldest first; none is no question), subject, body (Markdown), n_rows (versions).
    """

    waiting = Decided.from_xcom(decided).awaiting
    if not waiting:
        return Question((), reason="No version waits for a person.").to_xcom_about_versions()
    with open_warehouse().connect() as connection:
        return approval.write_question(connection, load_problem(problem), waiting).to_xcom_about_versions()


@step(Stage.TRAIN)
def record_approval(
    *,
    problem: str,
    partition_key: str,
    versions: list[str],
    answer: XCom | None,
    run_id: str = "by-hand",
) -> Outcome:
    """Write down what a person answered; no answer in time is a no, and an asking that failed changes nothing.

    Args:
        versions: that were asked about.
        answer: as Airflow keeps it; None where there is none.

    Returns:
        decisions (version to status), reason, n_rows (versions).
    """

    is_approved, actor, reason = read_answer(answer, run_id)
    if is_approved is None:
        return {"decisions": {}, "reason": reason, "n_rows": 0}
    with open_warehouse().begin() as connection:
        decisions = {
            version: promotion.answer_approval(
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
    from include.learning.rules import mining

    with error_context(problem, "mining a rule", "The rule in force stays."):
        return mining.mine(load_problem(problem), run_id).to_xcom_about_a_rule()


@step(Stage.RULES)
def record_rule(*, problem: str, rule_version: str, answer: XCom | None, run_id: str = "by-hand") -> Outcome:
    """Write down whether a person wants the mined rule; no answer in time is a no.

    Args:
        answer: as Airflow keeps it; None where there is none, which changes nothing.

    Returns:
        rule_version, status, reason, n_rows (rules decided).
    """

    is_approved, actor, reason = read_answer(answer, run_id)
    if is_approved is None:
        return {"rule_version": rule_version, "status": active_rule.PROPOSED, "reason": reason, "n_rows": 0}
    with open_warehouse().begin() as connection:
        status = active_rule.decide(
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

    load_problem(problem)
    with open_warehouse().begin() as connection:
        before, after = promotion.roll_back(
            connection, problem, to_version.strip(), actor=actor, reason=reason.strip(), now=datetime.now(UTC)
        )
    return {"before": before, "model_version": after, "reason": f"{after} serves instead of {before}.", "n_rows": 1}


@step(Stage.TRAIN)
def list_rescorable(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Name what the model in production has to score again after somebody changed which one it is.

    Returns:
        keys: data partitions that another model has scored (labels from the log), or the newest round (from people).
    """
    from include.learning.data import dataset
    from include.learning.training import schedule

    loaded = load_problem(problem)
    with open_warehouse().begin() as connection:
        keys = (
            schedule.partitions_to_tell(connection, loaded, run_id)
            if dataset.is_labelled_by_log(loaded)
            else schedule.newest_round(connection, loaded)
        )
        for key, version in keys.items():
            mark(connection, problem, Stage.TRAIN, key, Coverage.DONE, detail=version, run_id=run_id)
    return Announced(tuple(keys), "Nothing was scored yet.").to_xcom()


@step(Stage.TRAIN)
def list_scorable(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Name the partitions that were not announced yet with the model that scores them, or without one; mark them so.

    A partition is named again when another model serves it or its rows were published again. A run that is repeated
    names what it named before: its first announcement may have been lost.

    Returns:
        keys: data partitions (labels from the log), or the round that woke the run (labels from people).
    """
    from include.learning.data import dataset
    from include.learning.training import schedule

    loaded = load_problem(problem)
    with open_warehouse().begin() as connection:
        keys = (
            schedule.partitions_to_tell(connection, loaded, run_id)
            if dataset.is_labelled_by_log(loaded)
            else {partition_key: versions.serving_after_round(connection, problem, partition_key)}
        )
        for key, version in keys.items():
            mark(connection, problem, Stage.TRAIN, key, Coverage.DONE, detail=version, run_id=run_id)
    return Announced(tuple(keys), "No partition is new, or has a newly decided model.").to_xcom()


@step(Stage.MONITOR)
def score_partition(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Give every row of one partition its probability, or its number, by the model that serves the partition.

    What calibration was good for on its rows with known labels is written down beside it. Where no model serves it,
    nothing is scored, and the rest of the stage watches its columns.

    Returns:
        n_rows, model_version (None where none serves it), reason (why nothing was scored).

    Raises:
        BadFeatures: the partition lacks a feature, or holds infinite values; its old predictions stay.
        TamperedModel: the stored model is not the registered one.
    """
    from include.learning.kinds import kind_of

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection:
        version = versions.serving_version(connection, problem, partition_key)
        first = min((row["serves_from"] for row in versions.list_promoted(connection, problem)), default=None)
    if version is None:
        known = f"the first one serves from {first}" if first is not None else "none was promoted yet"
        reason = f"No promoted model serves partition {partition_key}; {known}."
        return {"n_rows": 0, "model_version": None, "reason": reason}
    with error_context(problem, f"partition {partition_key}"):
        n_rows = kind_of(loaded).score(loaded, version, partition_key)
    return {"n_rows": n_rows, "model_version": version}


@step(Stage.REVIEW)
def score_pool(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Give every published row its probability by the newest promoted model, and a rank by the newest fitted one.

    Choosing what to ask needs a ranking, not a licence to serve: a version that the gate refused knows newer labels.
    What either has scored already is kept.

    Args:
        partition_key: the round or the data partition that woke the run.

    Returns:
        n_rows (scored now), model_version (that serves; None before the first promotion), ranked_by (None before the
        first fit: the cold start needs none), partitions (whose predictions are new).
    """
    from include.learning.data import dataset
    from include.learning.kinds import output_of
    from include.learning.scoring import score_partitions
    from include.learning.several import score as several
    from include.learning.training import schedule

    loaded = load_problem(problem)
    with open_warehouse().connect() as connection:
        promoted, fitted = versions.list_promoted(connection, problem), versions.list_versions(connection, problem)
        version = str(promoted[-1]["model_version"]) if promoted else None
        newest = str(fitted[-1]["model_version"]) if fitted else None
        stale = schedule.stale_partitions(connection, problem, version) if version else []
        published = done_partitions(connection, problem, Stage.INGEST)
    if newest is None:
        reason = "No model was fitted yet."
        return {"n_rows": 0, "model_version": None, "ranked_by": None, "partitions": [], "reason": reason}
    with error_context(problem, "the pool"):
        is_several, output = dataset.is_of_several(loaded), output_of(loaded)
        n_rows = score_partitions.score_partitions(loaded, version, stale, output) if version and stale else 0
        if is_several and version and stale:
            several.fill_labels(loaded, version, stale)
        if newest != version:
            n_rows += score_partitions.rank_partitions(loaded, newest, published, output)
    return {"n_rows": n_rows, "model_version": version, "ranked_by": newest, "partitions": stale}


@step(Stage.REVIEW)
def explain_batch(*, problem: str, partition_key: str, chosen: XCom, run_id: str = "by-hand") -> Outcome:
    """Say of every item of the new batch what moved its probability most, for the people who are asked about it.

    Args:
        chosen: the batch that was opened.

    Returns:
        batch_id, n_rows (items explained), reason (why none was).

    Raises:
        NotAdditive: contributions do not sum to what the model said.
    """
    from include.learning.explain import batch_items

    with error_context(problem, f"batch {chosen['batch_id']}"):
        return batch_items.explain_batch(load_problem(problem), str(chosen["batch_id"]))
