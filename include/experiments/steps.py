"""The experiment stage: one function per Airflow task."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from include.errors import BadExperiment
from include.experiments.contracts import ExperimentState, UpdatedExperiments
from include.handover import XCom
from include.names import Coverage, Stage
from include.partition_keys import partition_bounds
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, run_each, step

if TYPE_CHECKING:
    from include.experiments.analysis import Range
    from include.experiments.checks import Check
    from include.experiments.comparison import Outcome as VariantOutcome
    from include.experiments.decision import Decision, Evidence
    from include.experiments.design import Design, Rules
    from include.experiments.metrics.window import Measured
    from include.experiments.off_policy_replay import VariantSum
    from include.experiments.store import Taken
    from include.experiments.waves import WaveRange


@step(Stage.EXPERIMENT)
def update_experiment(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """Bring a problem's experiments up to date: sums, checks, decision, shares and lift of the windows that need them.

    A window needs them when it is new, also where time alone brings it about; when it is the one that woke the step,
    for its data may have changed; when a killed run left it undone; or when it comes after such a one. Each experiment
    is done by itself, its windows in order, each in one transaction: whichever run is next goes on where a killed one
    stopped, and one experiment that is refused keeps no other from being brought up to date.

    Args:
        problem: name of the problem.
        partition_key: the data partition that was published.
        run_id: Airflow run.

    Returns:
        `windows` done now of any experiment; under `experiments` the `outcome` and `variant` of each one's newest
        window; `n_rows`, the units counted in the newest windows done now.

    Raises:
        BadExperiment: the problem tries nothing out, or the sums of an experiment contradict each other; the others are
            up to date by then.
        UnknownPartitionKey: `pilot_until` of the only experiment is not a partition of the problem's grain.
    """
    return _bring_up_to_date(problem, run_id, woken_by=partition_key, now=datetime.now(UTC))


@step(Stage.EXPERIMENT_WATCH)
def watch_experiment(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Look what time alone has brought about: a pilot whose last unit had its time, though no row came since.

    Nothing is done while a partition that landed is not settled: it may hold the rows that are missed.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        as `update_experiment`.

    Raises:
        BadExperiment, UnknownPartitionKey: as `update_experiment`.
    """
    return _bring_up_to_date(problem, run_id, woken_by=None, now=datetime.now(UTC))


@step(Stage.EXPERIMENT_TIE)
def open_tie(*, problem: str, run_id: str = "by-hand") -> Outcome:
    """Write the question about an experiment whose best variant is practically as good as its control.

    One experiment is asked about at a time, the first by name; what this run asks is written down, for an approval that
    is cleared shows its old text again.

    Args:
        problem: name of the problem.
        run_id: Airflow run.

    Returns:
        experiment (None where nobody is asked), subject, body (Markdown), reason, n_rows (questions).
    """
    from include.experiments import ties

    with open_warehouse().begin() as connection:
        question = ties.open_question(connection, load_problem(problem), run_id, now=datetime.now(UTC))
    return question.to_xcom()


@step(Stage.EXPERIMENT_TIE)
def record_tie(*, problem: str, experiment: str, answer: XCom | None, run_id: str = "by-hand") -> Outcome:
    """Write down what a person answered, and bring the experiments up to date with it; no answer in time is a no.

    Args:
        problem: name of the problem.
        experiment: that was asked about.
        answer: as Airflow keeps it; None where there is none, which changes nothing.
        run_id: Airflow run, whose first question the answer is held against.

    Returns:
        as `update_experiment`, and the reason.

    Raises:
        StaleAnswer: the record is not the one that this run asked about, somebody else answered than the approver, or
            the answer would decide nothing; it is not written down then.
        BadExperiment: as `update_experiment`.
    """
    definition, now = load_problem(problem), datetime.now(UTC)
    reason, settled = _settle_tie(definition, experiment, answer, run_id, now)
    updated = _bring_up_to_date(problem, run_id, woken_by=None, now=now)
    return {**updated, "windows": sorted({*settled, *updated["windows"]}), "reason": reason}


@step(Stage.OUTBOX)
def fill_outbox(*, problem: str, partition_key: str, run_id: str = "by-hand") -> Outcome:
    """List the units of an audience, each once for an experiment, with what it is to be sent, for a mailer to read.

    Units are placed by their raw ids. A run that is repeated, was killed anywhere, or sees the same audience again
    lists nobody twice and forgets nobody.

    Args:
        problem: the log of the audience, by the name that its stages have.
        partition_key: of the log.
        run_id: Airflow run.

    Returns:
        `n_rows`, units listed now; `counts`, of each experiment the rows of the audience by what became of them;
        `files`, written now, below the outbox; `reason`, where the experiments stand.

    Raises:
        BadExperiment: some experiments were refused; which, and why.
        OSError: the disk or the store does not take a file.
    """
    from include.experiments.outbox.filling import fill

    return fill(problem, partition_key, run_id, now=datetime.now(UTC))


def _settle_tie(
    definition: Problem, name: str, answer: XCom | None, run_id: str, now: datetime
) -> tuple[str, Sequence[str]]:
    """Bring an experiment up to date, hold an answer against that, decide by it; give its sentence, and windows done.

    The answer and the window that it decides are written together: neither is there without the other.

    Raises:
        StaleAnswer, BadExperiment: as `record_tie`.
    """
    from include.experiments import store, ties

    is_known = name in definition.named_experiments
    alone = definition.alone_with(name) if is_known else definition
    idle: Outcome = {"windows": [], "to_do": [], "prefix": []}
    found = _find_windows(alone, name, None, now) if is_known else idle
    _do_windows(alone, name, found)
    with open_warehouse().begin() as connection:
        store.hold_experiment(connection, definition.name)
        reason, key = ties.write_answer(connection, definition, name, run_id, answer, now=now)
        if key is None:
            return reason, found["to_do"]
        _update_window(connection, alone, name, key, [past for past in found["prefix"] if past <= key], is_newest=True)
        ties.require_decided(connection, definition.name, name)
    return reason, [*found["to_do"], key]


def _bring_up_to_date(problem: str, run_id: str, *, woken_by: str | None, now: datetime) -> Outcome:
    """Do the windows that a partition, or the clock, made necessary, one experiment after the other.

    Raises:
        BadExperiment: the problem tries nothing out, or some experiments were refused; which, and why.
    """
    from include.experiments.design import require_experiment

    definition = load_problem(problem)
    names = list(definition.named_experiments)
    if not names:
        require_experiment(definition)
    # What each has to do is written down before any is done: a run that is killed on its way loses nothing.
    found, refused = run_each(names, lambda name: _find_windows(definition.alone_with(name), name, woken_by, now))
    to_do = sorted({key for one in found.values() for key in one["to_do"]})
    with open_warehouse().begin() as connection:
        for key in to_do:
            coverage.mark(connection, problem, Stage.EXPERIMENT, key, Coverage.RUNNING, run_id=run_id)
    done, broken_off = run_each(list(found), lambda name: _do_windows(definition.alone_with(name), name, found[name]))
    refused |= broken_off
    _mark_done(problem, run_id, found, done)
    if refused:
        told = " ".join(f"{name}: {why}" for name, why in refused.items())
        rule = "were refused; the others are up to date"
        raise BadExperiment(f"{problem}: {len(refused)} of {len(names)} experiments {rule}. {told}")
    states = {name: ExperimentState(one["outcome"], one["variant"]) for name, one in done.items()}
    return UpdatedExperiments(tuple(to_do), states, sum(one["n_units"] for one in done.values())).to_xcom()


def _mark_done(problem: str, run_id: str, found: Mapping[str, Outcome], done: Mapping[str, Outcome]) -> None:
    """Mark the windows that no experiment has to do any more, also those of a run that was killed before it could."""
    from include.experiments import store

    known, pending = {key for one in found.values() for key in one["windows"]}, set[str]()
    with open_warehouse().begin() as connection:
        for name in found.keys() - done.keys():
            pending |= set(found[name]["windows"]) - store.read_fresh(connection, problem, name)
        marked = coverage.done_partitions(connection, problem, Stage.EXPERIMENT)
        for key in sorted(known - pending - set(marked)):
            detail = " ".join(one["reasons"][key] for one in done.values() if key in one["reasons"])
            coverage.mark(connection, problem, Stage.EXPERIMENT, key, Coverage.DONE, detail=detail, run_id=run_id)


def _find_windows(definition: Problem, name: str, woken_by: str | None, now: datetime) -> Outcome:
    """Name all windows of an experiment, oldest first, and forget those whose partition is not published any more.

    Returns:
        `windows`; of these, those `to_do`, which are written down as stale; `prefix`, the partitions to read.
    """
    from include.experiments import pausing, store, ties
    from include.experiments.design import design_of
    from include.experiments.windows import find_windows, windows_by_clock

    problem, design, due = definition.name, design_of(definition), list[str]()
    with open_warehouse().begin() as connection:
        store.hold_experiment(connection, problem)
        prefix = coverage.settled_prefix(connection, problem)
        landed = coverage.read_statuses(connection, problem, Stage.LAND)
        ingested = coverage.read_statuses(connection, problem, Stage.INGEST)
        passed = coverage.passed_partitions(connection, problem)
        if all(ingested.get(key) in coverage.SETTLED for key in landed):
            due = windows_by_clock(
                prefix,
                definition.source.grain,
                landed=landed,
                pilot_end=design.trial_end,
                attribution_window=design.attribution_window,
                now=now,
            )
        processed = store.read_processed(connection, problem, name)
        windows, gone = find_windows(prefix, landed, passed, processed, due)
        store.forget_windows(connection, problem, name, gone)
        fresh = store.read_fresh(connection, problem, name)
        again = (
            woken_by,
            ties.find_outdated(connection, definition, name),
            pausing.find_outdated(connection, definition, name, now),
        )
        changed = gone + [key for key in windows if key in again or key not in fresh]
        # Where nothing follows what is gone, the newest window left says what is in force now.
        to_do = ([key for key in windows if key >= min(changed)] or windows[-1:]) if changed else []
        store.mark_stale(connection, problem, name, to_do)
    return {"windows": windows, "to_do": to_do, "prefix": prefix}


def _do_windows(definition: Problem, name: str, found: Outcome) -> Outcome:
    """Do the windows of one experiment that need it, and say what its newest one came to."""
    from include.experiments import store
    from include.experiments.window_log import keep_estimates

    n_units, reasons = 0, dict[str, str]()
    for key in found["to_do"]:
        with open_warehouse().begin() as connection:
            store.hold_experiment(connection, definition.name)
            partitions = [past for past in found["prefix"] if past <= key]
            is_newest = key == found["to_do"][-1]
            done = _update_window(connection, definition, name, key, partitions, is_newest=is_newest)
            n_units, reasons[key] = done
            if is_newest:
                keep_estimates(connection, definition, name, key, partitions)
    with open_warehouse().connect() as connection:
        newest = store.read_decision(connection, definition.name, name, max(found["windows"], default=""))
    outcome, variant = (newest["outcome"], newest["variant"]) if newest else ("wait", None)
    return {"outcome": outcome, "variant": variant, "n_units": n_units, "reasons": reasons}


def _update_window(
    connection: Connection, definition: Problem, name: str, key: str, partitions: Sequence[str], *, is_newest: bool
) -> tuple[int, str]:
    """Do one window of the partitions up to its end, in the caller's transaction; say its units, and why."""
    from include.experiments import analysis, off_policy_replay, store
    from include.experiments.design import design_of, require_experiment, rules_of
    from include.experiments.metrics.store import write_metrics
    from include.experiments.plan import find_plan, with_plan
    from include.experiments.waves import ranges_in_force
    from include.experiments.window_log import close_when_full, read_running

    problem, now = definition.name, datetime.now(UTC)
    # What was decided keeps the plan it was decided with, also when it is computed once more.
    kept = store.read_plan_of(connection, problem, name, key)
    definition = with_plan(definition, kept) if kept is not None else definition
    experiment, rules, design = require_experiment(definition), rules_of(definition), design_of(definition)
    design = close_when_full(definition.name, key, partitions, design, definition.source.grain)
    is_pilot_over = partition_bounds(key, definition.source.grain)[0] >= design.trial_end
    plan = find_plan(store.read_plans(connection, problem, name), experiment, definition.metrics, definition.layers)
    store.keep_plan(connection, problem, name, plan, now=now)
    waves = ranges_in_force(store.read_waves(connection, problem, name, key), definition.source.grain, design.trial_end)
    in_force = store.read_in_force(connection, problem, name, key, plan.sha256, rules.variants)
    decided_in = in_force.partition_key if in_force else None
    running = read_running(connection, definition, name, key, partitions, design, decided_in, waves)
    decided = in_force.decision.variant if in_force else None
    sums = off_policy_replay.keep_on_policy(running.sums, decided=decided, control=rules.control)
    compared, by_reward = analysis.weigh_pilot(sums, rules)
    weighed = _weigh_metrics(definition, key, partitions, design, by_reward, analysis.outcomes_of(sums, rules))
    checks = [*analysis.check_pilot(sums, running.exclusions, rules), *weighed.checks]
    # Older windows stay as the clock of their time found them: their waves are what people were sent.
    paused_since = experiment.paused_since(now if is_newest else partition_bounds(key, definition.source.grain)[1])
    if in_force is None:
        asked = (rules, sums, checks, weighed.evidence, paused_since)
        in_force = _decide(connection, (problem, name, key, plan.sha256), *asked, is_pilot_over=is_pilot_over, now=now)
    decision = in_force.decision
    variants = analysis.tell_variants(sums, compared, weighed.evidence, decision)
    ranges = _allocate_next(connection, definition, (name, key), decision, design, waves, sums, paused_since)
    lifts = analysis.compare_lifts(sums, decision, rules)
    window = store.Window(
        sums, running.exclusions, checks, in_force, variants, design.due_at, plan.sha256, ranges, lifts
    )
    store.write_window(connection, problem, name, key, window)
    write_metrics(connection, problem, name, key, weighed.rows)
    return sum(part.n_units for part in sums), decision.reason


def _decide(
    connection: Connection,
    where: tuple[str, str, str, str],
    rules: "Rules",
    sums: "Sequence[VariantSum]",
    checks: "Sequence[Check]",
    evidence: "Evidence | None",
    paused_since: datetime | None,
    *,
    is_pilot_over: bool,
    now: datetime,
) -> "Taken":
    """Take a window's decision, where none is in force: problem, experiment, window and plan; none during a pause."""
    from include.experiments import store, ties
    from include.experiments.decision import wait_while_paused

    if paused_since is not None:
        decision, posteriors = wait_while_paused(paused_since), None
    else:
        decision = ties.decide_or_ask(connection, where, rules, sums, checks, evidence, is_pilot_over=is_pilot_over)
        posteriors = evidence.posteriors if evidence else None
    return store.date_decision(connection, *where[:3], decision, posteriors, now=now)


def _allocate_next(
    connection: Connection,
    definition: Problem,
    window: tuple[str, str],
    decision: "Decision",
    design: "Design",
    waves: "Sequence[WaveRange]",
    sums: "Sequence[VariantSum]",
    paused_since: datetime | None,
) -> "list[Range]":
    """Say what is sent after a window, an experiment's name and its partition, by how much is over at its end."""
    from include.experiments import analysis, store
    from include.experiments.design import rules_of
    from include.experiments.waves import wave_seed

    (name, key), rules, wave = window, rules_of(definition), None
    ends_at = partition_bounds(key, definition.source.grain)[1]
    if design.pilot_end <= ends_at < design.trial_end:
        trial = store.read_trial(connection, definition.name, name, key)
        n_before = len({one.start for one in waves})
        wave = (n_before + 1, analysis.count_windows(trial, sums, rules), wave_seed(design.salt, key))
    is_pilot_over, is_ended = ends_at >= design.pilot_end, design.is_over(ends_at)
    asked = {"is_pilot_over": is_pilot_over, "is_ended": is_ended}
    return analysis.allocate_next(decision, rules, **asked, wave=wave, paused_since=paused_since)


def _weigh_metrics(
    definition: Problem,
    key: str,
    partitions: Sequence[str],
    design: "Design",
    by_reward: "Evidence | None",
    outcomes: "Mapping[str, VariantOutcome]",
) -> "Measured":
    """Measure what else the file asks of the pilot, as of the end of a window, and say what follows from it."""
    from include.experiments.design import require_experiment, rules_of
    from include.experiments.metrics.definitions import covariate_of, metrics_of
    from include.experiments.metrics.log import read_metric_sums
    from include.experiments.metrics.window import weigh_metrics

    experiment, name = require_experiment(definition), definition.name
    asked, covariate = metrics_of(definition.metrics, experiment), covariate_of(definition.metrics, experiment)
    as_of = partition_bounds(key, definition.source.grain)[1]
    sums = read_metric_sums(name, partitions, design, asked, as_of=as_of, covariate=covariate) if asked else []
    n_rewarded = {name: one.n_rewarded for name, one in outcomes.items()}
    rules, has_covariate = rules_of(definition), covariate is not None
    return weigh_metrics(asked, sums, rules, by_reward, n_rewarded, has_covariate=has_covariate)
