"""What a person is asked where the best variant is practically as good as the control, and what the answer leads to.

What belongs here: the record of a question, its name, its text, and answers held against it. What does not: asking
(Airflow does), and when there is a tie (`sending.py`).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlencode

from sqlalchemy import Connection, RowMapping, select, update
from sqlalchemy.dialects.postgresql import insert

from include.errors import StaleAnswer
from include.experiments import sending, store
from include.experiments.analysis import VariantRow, tell_variants
from include.experiments.checks import Check
from include.experiments.decision import ASK, Decision, Evidence, decide, settle_tie
from include.experiments.design import Rules, require_experiment
from include.experiments.metrics.definitions import GUARDRAIL, PRIMARY
from include.experiments.off_policy_replay import VariantSum
from include.experiments.plan import find_plan
from include.handover import XCom, read_answer
from include.names import EXPERIMENTS_PAGE
from include.partition_keys import sort_key
from include.problems.schema import Problem
from include.problems.sections.experiment import answer_within
from include.warehouse.tables.experiments import (
    EXPERIMENT_CHECK,
    EXPERIMENT_METRIC,
    EXPERIMENT_QUESTION,
    EXPERIMENT_VARIANT,
)


@dataclass(frozen=True)
class TieQuestion:
    """What a person is asked.

    Attributes:
        experiment: that it is about; None where nobody is asked.
        subject: one line.
        body: Markdown.
        reason: why nobody is asked; empty where somebody is.
    """

    experiment: str | None
    subject: str = ""
    body: str = ""
    reason: str = ""

    def to_xcom(self) -> dict[str, object]:
        """Write it for Airflow."""
        told = {"experiment": self.experiment, "subject": self.subject, "body": self.body, "reason": self.reason}
        return {**told, "n_rows": int(self.experiment is not None)}


def name_record(plan_sha256: str, decision: Decision, rows: Sequence[VariantRow], checks: Sequence[Check]) -> str:
    """Name everything that a question rests on: another count, loss, check or plan is another name.

    Returns:
        64 hexadecimal digits. The window is not in it: one more of them changes nothing by itself.
    """
    counts = [[row.variant, row.n_units, row.n_mature, row.n_rewarded, row.expected_loss] for row in rows]
    passed = [[check.check_name, check.is_pass] for check in checks]
    record = {"plan": plan_sha256, "asked": decision.asked_variant, "variants": counts, "checks": passed}
    return sha256(json.dumps(record, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def decide_or_ask(
    connection: Connection,
    where: tuple[str, str, str, str],
    rules: Rules,
    sums: Sequence[VariantSum],
    checks: Sequence[Check],
    evidence: Evidence | None,
    *,
    is_pilot_over: bool,
) -> Decision:
    """Decide, or ask a person where the file says so and nobody has answered about this plan and variant.

    Args:
        where: problem, experiment, window, and the name of its plan.
        rules, sums, checks, evidence, is_pilot_over: of the window.
    """
    asks = rules.price.tie == sending.ASK
    decision = decide(checks, evidence, is_pilot_over=is_pilot_over, control=rules.control, asks_about_ties=asks)
    if evidence is None or decision.outcome != ASK:
        return decision
    record = name_record(where[3], decision, tell_variants(sums, evidence.compared, evidence, decision), checks)
    return _answer_tie(connection, where, decision, evidence, rules.control, record)


def _answer_tie(
    connection: Connection,
    where: tuple[str, str, str, str],
    decision: Decision,
    evidence: Evidence,
    control: str,
    record: str,
) -> Decision:
    """Decide by the answer that a person gave about this plan and variant, in this window or before; or ask.

    What a person said stands though later rows change counts: only the question is held against the record.

    Args:
        where: problem, experiment, window, and the name of its plan.
        decision: that a person is to be asked.
        record: name of what is known now.
    """
    questions, (problem, experiment, window, plan) = EXPERIMENT_QUESTION.c, where
    query = (
        select(questions.partition_key, questions.is_approved, questions.reason)
        .where(questions.problem == problem, questions.experiment == experiment, questions.plan_sha256 == plan)
        .where(questions.variant == decision.asked_variant, questions.is_approved.is_not(None))
        .order_by(questions.answered_at_utc)
    )
    given = [row for row in connection.execute(query) if sort_key(row.partition_key) <= sort_key(window)]
    if not given:
        return replace(decision, record_sha256=record)
    return settle_tie(evidence, control, is_approved=given[0].is_approved, told=given[0].reason)


def open_question(connection: Connection, problem: Problem, run_id: str, *, now: datetime) -> TieQuestion:
    """Write the question about the first experiment that waits for a person, and what this run asks.

    A run that asks again keeps what it asked first: that is what its approval shows.
    """
    for name, experiment in problem.named_experiments.items():
        decision = read_newest(connection, problem.name, name)
        if experiment.decide.tie != sending.ASK or decision is None or decision["outcome"] != ASK:
            continue
        row = {"problem": problem.name, "run_id": run_id, "experiment": name, "asked_at_utc": now}
        row |= {kept: decision[kept] for kept in ("record_sha256", "plan_sha256", "partition_key")}
        row |= {"variant": decision["asked_variant"]}
        row |= {"answer_by_utc": now + answer_within(problem.named_experiments.values())}
        connection.execute(insert(EXPERIMENT_QUESTION).values(row).on_conflict_do_nothing())
        best, control = decision["asked_variant"], experiment.control
        subject = f"{problem.title}, {name}: send {best!r} in place of {control!r}? ({experiment.approver})"
        return TieQuestion(name, subject, _write_body(connection, problem, name, decision))
    return TieQuestion(None, reason="No experiment waits for a person.")


def write_answer(
    connection: Connection, problem: Problem, experiment: str, run_id: str, answer: XCom | None, *, now: datetime
) -> tuple[str, str | None]:
    """Write down what a person answered about the newest window, which is up to date.

    Returns:
        (the answer in one sentence, the window that it decides: None where nothing is written down, as there is no
        answer or it stands there already).

    Raises:
        StaleAnswer: somebody else answered than the file's approver, this run was answered otherwise before, or what is
            known is not what this run showed. Silence is about no figures: it counts while plan and variant are the
            same.
    """
    is_approved, actor, reason = read_answer(answer, run_id)
    if is_approved is None:
        return reason, None
    questions, told = EXPERIMENT_QUESTION.c, f"{problem.name}, {experiment}:"
    own = (questions.problem == problem.name, questions.run_id == run_id)
    asked = connection.execute(select(EXPERIMENT_QUESTION).where(*own)).mappings().one_or_none()
    if asked and asked["is_approved"] is not None:
        if (asked["experiment"], asked["is_approved"], asked["answered_by"]) == (experiment, is_approved, actor):
            return reason, None  # a step that is run again has nothing to add
        before = f"run {run_id} was answered before: {asked['reason']} That stands; a new answer changes nothing."
        raise StaleAnswer(f"{told} {before} To decide otherwise, change the experiment's section: that is a new plan.")
    about = problem.named_experiments.get(experiment)
    if about is None or (actor not in (run_id, about.approver)):
        who = about.approver if about else None
        rule = f"{actor!r} answered, and the file lets {who!r} decide"
        raise StaleAnswer(f"{told} {rule}. Nothing is decided; the next run asks again.")
    decision = read_newest(connection, problem.name, experiment)
    key = _require_shown(told, asked, decision, experiment, is_silence=actor == run_id)
    given = {"is_approved": is_approved, "answered_by": actor, "reason": reason, "answered_at_utc": now}
    connection.execute(update(EXPERIMENT_QUESTION).where(*own).values(given | {"partition_key": key}))
    return reason, key


def _require_shown(
    told: str, asked: RowMapping | None, decision: RowMapping | None, experiment: str, *, is_silence: bool
) -> str:
    """Refuse an answer to anything else than what is known now; name the window that it is about.

    Args:
        told: which experiment, for the message.
        asked: what the run asked.
        decision: of the newest window.
        is_silence: whether nobody answered in time.

    Raises:
        StaleAnswer: it is one.
    """
    if asked and decision and asked["experiment"] == experiment and decision["outcome"] == ASK:
        known = (decision["plan_sha256"], decision["asked_variant"])
        is_same = decision["record_sha256"] == asked["record_sha256"]
        if is_same or (is_silence and known == (asked["plan_sha256"], asked["variant"])):
            return str(decision["partition_key"])
    shown, now = _short(asked, "record_sha256"), _short(decision, "record_sha256")
    raise StaleAnswer(
        f"{told} the record has changed since this run asked (shown {shown}, now {now}). Nothing is decided; while a "
        "person is to be asked, the next run asks again."
    )


def require_decided(connection: Connection, problem: str, experiment: str) -> None:
    """Refuse an answer after which the newest window is not decided: the caller's transaction forgets it.

    Raises:
        StaleAnswer: it is not.
    """
    decision = read_newest(connection, problem, experiment)
    if decision is None or not decision["is_final"]:
        raise StaleAnswer(
            f"{problem}, {experiment}: rows came while the answer was written down, and it would decide nothing. It is "
            "not written down; while a person is to be asked, the next run asks again."
        )


def find_outdated(connection: Connection, problem: Problem, name: str) -> str | None:
    """Name the newest window where a person is asked by another plan than the file's; None where there is none.

    Args:
        problem: with this experiment as its only one.
        name: of the experiment.
    """
    decision = read_newest(connection, problem.name, name)
    if decision is None or decision["outcome"] != ASK:
        return None
    known, experiment = store.read_plans(connection, problem.name, name), require_experiment(problem)
    plan = find_plan(known, experiment, problem.metrics, problem.layers)
    return None if plan.sha256 == decision["plan_sha256"] else str(decision["partition_key"])


def read_newest(connection: Connection, problem: str, experiment: str) -> RowMapping | None:
    """Read the decision of the newest window; None where there is none."""
    processed = store.read_processed(connection, problem, experiment)
    return store.read_decision(connection, problem, experiment, processed[-1]) if processed else None


def _short(row: RowMapping | None, column: str) -> str:
    """Write the name of a record so that people can compare it."""
    return str(row[column])[:12] if row and row[column] else "none"


def _write_body(connection: Connection, problem: Problem, experiment: str, decision: RowMapping) -> str:
    """Write the whole record as a person reads it: what is asked, every variant, every check, the plan."""
    own = {"problem": problem.name, "experiment": experiment, "partition_key": decision["partition_key"]}
    variants, checks = (
        connection.execute(select(table).filter_by(**own).order_by(*table.primary_key)).mappings().all()
        for table in (EXPERIMENT_VARIANT, EXPERIMENT_CHECK)
    )
    control = problem.named_experiments[experiment].control
    ask = f"**Approve** sends `{decision['asked_variant']}`, **Reject** keeps the control `{control}`."
    silence = "No answer in time is a no. Until then nobody is sent anything."
    head = "| variant | units | rewarded | of 100 | more than the control | between | loses a unit |"
    lines = [head, "|---" * 7 + "|"]
    lines += [
        f"| {row['variant']} | {row['n_mature']:,} | {row['n_rewarded']:,} | {_of_100(row['rate_ratio'])} "
        f"| {_of_100(row['lift_ratio'])} | {_of_100(row['low'])} to {_of_100(row['high'])} "
        f"| {_size(row['expected_loss'])} |"
        for row in variants
    ]
    address = urlencode({"problem": problem.name, "experiment": experiment})
    named = (
        f"Record `{decision['record_sha256']}`, plan `{decision['plan_sha256']}`, window {decision['partition_key']}. "
        f"[The whole experiment]({EXPERIMENTS_PAGE}/experiment?{address})"
    )
    told = [problem.why.strip(), decision["reason"], decision["claim"] or "", f"{ask} {silence}", "\n".join(lines)]
    told += _tell_metrics(connection, own)
    return "\n\n".join([*told, "\n".join(f"- {check['detail']}" for check in checks), named])


def _tell_metrics(connection: Connection, own: Mapping[str, object]) -> list[str]:
    """Write what decides besides the reward, and what must not get worse, as one table; nothing where there is none.

    Args:
        own: problem, experiment and partition_key.
    """
    metrics = EXPERIMENT_METRIC.c
    query = select(EXPERIMENT_METRIC).filter_by(**own).where(metrics.role.in_([PRIMARY, GUARDRAIL]))
    rows = connection.execute(query.order_by(metrics.role.desc(), metrics.metric, metrics.variant)).mappings().all()
    head = ["| metric | variant | units | mean | more than the control | between | margin |", "|---" * 7 + "|"]
    lines = [
        f"| {row['metric']} ({row['role']}) | {row['variant']} | {row['n_mature']:,} | {_measured(row['mean'])} "
        f"| {_measured(row['lift'])} | {_measured(row['low'])} to {_measured(row['high'])} "
        f"| {_measured(row['margin'])} |"
        for row in rows
    ]
    return ["\n".join([*head, *lines])] if lines else []


def _measured(number: float | None) -> str:
    """Write a number in a metric's own unit."""
    return "–" if number is None else f"{number:.4g}"


def _of_100(ratio: float | None) -> str:
    """Write a share as how many of 100."""
    return "–" if ratio is None else f"{100 * ratio:.2f}"


def _size(number: float | None) -> str:
    """Write a loss."""
    return "–" if number is None else f"{number:.2g}"
