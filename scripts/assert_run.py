"""Ask the warehouse of the running stack whether the loop really ran, and whether a second `make run` changed anything.

    python -m scripts.assert_run                      every question; exit code 1 and a sentence for each that fails
    python -m scripts.assert_run --remember FILE      and write down what stands in the tables
    python -m scripts.assert_run --unchanged FILE     and compare it with what was written down

What belongs here: questions about data, one query each. What does not: starting or stopping anything.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text

from include.names import BI, CORE, Coverage, Stage
from include.problems.reading import load_problems
from include.problems.schema import Problem
from scripts.stack.selection import broken_problems, select_problems

REPOSITORY = Path(__file__).resolve().parent.parent
MINIMUM_ROUNDS = 3
# Views that may be empty in a healthy house.
MAY_BE_EMPTY = {
    "experiment_exclusion",  # the built-in experiment leaves nothing out
    "experiment_metric",  # the built-in experiment asks whether the reward came, and no other metric
    "audience_count",  # no built-in problem sends to an audience
    "alert_open",
    "oldest_waiting",  # all that landed went through
    "alert_history",  # where nothing crosses a threshold nothing happens
    "withdrawal_history",  # nothing is taken back until somebody asks for it
    "erasure_history",  # nobody is erased until somebody asks for it
    "upkeep_history",  # it runs at night
    "replay_history",  # nothing is replayed until somebody asks for it
    "keyword_rule",  # no rule is mined until somebody asks for it
    "reviewer_agreement",  # recorded truth, which answers in `make run`, agrees with nobody
    "person_block",  # nobody is blocked in `make run`
    "settled_label",  # one person answers each item of `make run`
    "suspected_label",
    "label_correction",  # nobody corrects a label of a log in `make run`
    "label_file_refusal",  # nobody sends label files in `make run`
    "label_flag",  # recorded truth is never flagged
    "off_policy_estimate",  # whether a log can be asked about other policies is told by its assignments
    "quarantine_by_reason",  # a log may be without a flaw; that no row is lost is another question
}


# Every start writes these anew: when a step ran, and who looked last.
# The desk's assignments and audit change whenever somebody looks at the batch that is left open for people.
NOT_COMPARED = {"run_step", "alembic_version", "review_seat", "review_audit"}
# Who wrote a row; and a stored model's bytes, which differ from fit to fit: what it says is in core.model_metric.
NOT_COMPARED_COLUMNS = {"run_id", "artifact_url", "artifact_sha256"}

# Rows of a longer table are not quoted when they change.
MAX_LINES_KEPT = 5000

Faults = Iterator[str]


def _is_watched_with_labels(problem: Problem) -> bool:
    # Of a number no probability is measured; quantity_quality has its intervals.
    return problem.monitor is not None and problem.label is not None and problem.label.quantity is None


def _kind_of(problem: Problem) -> str:
    return problem.label.kind if problem.label is not None and problem.training is not None else ""


def _is_of_several(problem: Problem) -> bool:
    return _kind_of(problem) in ("several_classes", "several_labels")


def _has_numbers_of_two_sides(problem: Problem) -> bool:
    has_numbers = problem.training is not None and bool(problem.training.features.numeric)
    return has_numbers and _kind_of(problem) == "two_classes"


# What a view needs to hold a row: one of the problems that were carried has it. Others answer for every problem.
ASKS_FOR: dict[str, Callable[[Problem], bool]] = {
    **dict.fromkeys(("class_calibration", "class_metric", "confusion"), _is_of_several),
    **dict.fromkeys(("quantity_monthly", "quantity_quality"), lambda problem: _kind_of(problem) == "quantity"),
    "filled_label": lambda problem: _is_of_several(problem) and problem.review is not None,
    **dict.fromkeys(
        ("calibration_bin", "calibration_by_partition", "calibration_monthly", "heldout_reliability"),
        _is_watched_with_labels,
    ),
    **dict.fromkeys(
        ("calibration_curve", "performance_estimate"),
        lambda problem: _is_watched_with_labels(problem) and not _is_of_several(problem),
    ),
    "calibration_gain": lambda problem: _is_watched_with_labels(problem) and problem.review is None,
    "drift_by_feature": lambda problem: problem.monitor is not None,
    **dict.fromkeys(
        ("experiment_check", "experiment_result", "experiment_variant"), lambda problem: bool(problem.named_experiments)
    ),
    "fairness_by_group": lambda problem: problem.training is not None and bool(problem.training.protected),
    "label_match": lambda problem: problem.label is not None and problem.label.from_log is not None,
    **dict.fromkeys(("review_efficiency", "review_queue_health"), lambda problem: problem.review is not None),
    "local_explanation": lambda problem: problem.review is not None and not _is_of_several(problem),
    "scorecard": lambda problem: (
        problem.training is not None and "scorecard" in problem.training.candidates and not _is_of_several(problem)
    ),
    **dict.fromkeys(("feature_range", "partial_dependence"), _has_numbers_of_two_sides),
    **dict.fromkeys(
        (
            "feature_importance",
            "gate_check",
            "importance_agreement",
            "model_card",
            "model_choice",
            "model_comparison",
            "model_in_production",
            "model_note",
            "weak_segment",
        ),
        lambda problem: problem.training is not None,
    ),
}


# ---------------------------------------------------------------- questions: each yields what is wrong, in sentences


def ask_landing(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether something landed for every problem, and whether all of it was published or refused."""
    query = f"""
        SELECT landed.problem, landed.partition_key, coalesce(ingested.status, 'nothing')
        FROM {CORE}.coverage AS landed
        LEFT JOIN {CORE}.coverage AS ingested
            ON ingested.problem = landed.problem AND ingested.partition_key = landed.partition_key
            AND ingested.stage = :ingest
        WHERE landed.stage = :land
        ORDER BY 1, 2
    """
    rows = connection.execute(text(query), {"land": str(Stage.LAND), "ingest": str(Stage.INGEST)}).all()
    yield from (f"nothing landed for {p.name}" for p in problems if p.name not in {row[0] for row in rows})
    settled = {str(Coverage.DONE), str(Coverage.REFUSED)}
    yield from (
        f"{name} {key} landed, and ingest says {status!r}" for name, key, status in rows if status not in settled
    )


def ask_counts(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether no row was lost or doubled: rows in = published + quarantined + duplicates, in every audit."""
    query = f"""
        SELECT audit.problem, audit.partition_key, audit.verdict,
               n_in, n_published, n_quarantined, n_duplicate, n_refused, n_withdrawn,
               (SELECT coalesce(sum(n_rows), 0) FROM {CORE}.landing_partition AS landed
                WHERE landed.problem = audit.problem AND landed.partition_key = audit.partition_key) AS n_landed,
               (SELECT coalesce(sum(n_rows), 0) FROM {CORE}.rejected_record AS rejected
                WHERE rejected.problem = audit.problem AND rejected.partition_key = audit.partition_key) AS n_rejected
        FROM {CORE}.partition_audit AS audit
        ORDER BY 1, 2
    """
    audits = connection.execute(text(query)).all()
    yield from (f"no audit of {p.name}" for p in problems if p.name not in {audit.problem for audit in audits})
    for audit in audits:
        where = f"{audit.problem} {audit.partition_key}"
        kept = audit.n_published + audit.n_quarantined + audit.n_duplicate + audit.n_refused + audit.n_withdrawn
        if audit.verdict == Coverage.REFUSED and audit.n_published:
            yield f"{where} was refused, and publishes {audit.n_published} rows"
        if audit.n_in != kept:
            yield f"{where}: {audit.n_in} rows in, {kept} accounted for"
        if audit.n_in != audit.n_landed:
            yield f"{where}: {audit.n_landed} rows landed, {audit.n_in} were read"
        if audit.n_quarantined != audit.n_rejected:
            yield f"{where}: {audit.n_quarantined} rows in quarantine, reasons for {audit.n_rejected}"


def ask_models(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether every problem that trains has a promoted model and metrics of the baselines beside it."""
    promoted = set(connection.scalars(text(f"SELECT problem FROM {CORE}.model_event WHERE event = 'promoted'")))
    query = text(f"SELECT count(DISTINCT candidate) FROM {CORE}.model_metric WHERE problem = :problem")
    for problem in problems:
        if problem.training is None:
            continue
        if problem.name not in promoted:
            yield f"no model of {problem.name} was promoted"
        if (n_candidates := connection.scalar(query, {"problem": problem.name}) or 0) < 3:
            yield f"{problem.name}: {n_candidates} candidates were measured; dummy, rule and model are three"


def ask_review(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether enough rounds were answered, whole, and by whom."""
    query = text(f"""
        SELECT batch.batch_id, batch.status, batch.n_items,
               (SELECT count(*) FROM {CORE}.review_item AS item
                WHERE item.problem = batch.problem AND item.batch_id = batch.batch_id) AS n_chosen,
               (SELECT count(DISTINCT item_id) FROM {CORE}.label
                WHERE label.problem = batch.problem AND label.batch_id = batch.batch_id) AS n_labelled,
               (SELECT count(*) FROM {CORE}.label
                WHERE label.problem = batch.problem AND label.batch_id = batch.batch_id AND NOT is_demo) AS n_by_people
        FROM {CORE}.review_batch AS batch WHERE batch.problem = :problem ORDER BY 1
    """)
    for problem in problems:
        if problem.review is None:
            continue
        batches = connection.execute(query, {"problem": problem.name}).all()
        answered = [batch for batch in batches if batch.status == "answered"]
        if len(answered) < MINIMUM_ROUNDS:
            yield f"{problem.name}: {len(answered)} rounds were answered; at least {MINIMUM_ROUNDS} are wanted"
        for batch in answered:
            if not batch.n_items == batch.n_chosen == batch.n_labelled:
                yield (
                    f"{problem.name} {batch.batch_id}: {batch.n_items} items announced, {batch.n_chosen} stored, "
                    f"{batch.n_labelled} answered"
                )
            if batch.n_by_people:
                yield f"{problem.name} {batch.batch_id}: {batch.n_by_people} labels claim to come from people"
        if problem.review.demo_rounds is not None and len(batches) - len(answered) != 1:
            yield f"{problem.name}: {len(batches) - len(answered)} batches wait for people; 1 is left for them"


def ask_experiment(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether every experiment has a final decision, and what it promised and really added."""
    decided = text(f"SELECT count(*) FROM {CORE}.experiment_decision WHERE problem = :problem AND is_final")
    lifts = text(f"SELECT DISTINCT kind FROM {CORE}.experiment_lift WHERE problem = :problem")
    for problem in problems:
        if not problem.named_experiments:
            continue
        if not connection.scalar(decided, {"problem": problem.name}):
            yield f"{problem.name} has no final decision"
        kinds = set(connection.scalars(lifts, {"problem": problem.name}))
        yield from (f"{problem.name} has no {kind} lift" for kind in sorted({"promised", "realised"} - kinds))


def ask_monitoring(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether calibration and drift were measured, and whether the bins hold every labelled row once."""
    bins = text(f"""
        SELECT summary.partition_key, summary.model_version, summary.n_labelled,
               (SELECT coalesce(sum(bin.n_rows), 0) FROM {CORE}.calibration_bin AS bin
                WHERE bin.problem = summary.problem AND bin.partition_key = summary.partition_key
                AND bin.model_version = summary.model_version) AS n_in_bins
        FROM {CORE}.calibration_summary AS summary WHERE summary.problem = :problem ORDER BY 1
    """)
    # Of several classes each has its own bins.
    by_class = text(f"SELECT count(*) FROM {CORE}.class_calibration WHERE problem = :problem")
    drift = text(f"SELECT DISTINCT feature FROM {CORE}.feature_drift WHERE problem = :problem")
    for problem in problems:
        if problem.monitor is None:
            continue
        summaries = connection.execute(bins, {"problem": problem.name}).all()
        is_measured = any(summary.n_labelled for summary in summaries)
        if _is_of_several(problem):
            is_measured = bool(connection.scalar(by_class, {"problem": problem.name}))
        # A problem that learns nothing has nothing whose calibration could be measured.
        if not is_measured and problem.training is not None:
            yield f"{problem.name}: no reliability of any labelled row was measured"
        for row in summaries:
            if row.n_labelled != row.n_in_bins:
                yield f"{problem.name} {row.partition_key}: {row.n_labelled} labelled rows, {row.n_in_bins} in bins"
        unmeasured = set(problem.monitor.features) - set(connection.scalars(drift, {"problem": problem.name}))
        yield from (f"{problem.name}: drift of {feature} was not measured" for feature in sorted(unmeasured))


def ask_steps(connection: Connection, _: list[Problem]) -> Faults:
    """Ask whether any step ended red and was not done later; a refused partition is a verdict, not a fault."""
    query = f"""
        SELECT DISTINCT ON (problem, step, partition_key)
               problem, step, partition_key, status, outcome ->> 'error' AS error
        FROM {CORE}.run_step ORDER BY problem, step, partition_key, started_at_utc DESC
    """
    for row in connection.execute(text(query)):
        if row.status != "done" and not str(row.error).startswith("PartitionRefused"):
            yield f"{row.problem} {row.step} {row.partition_key}: {row.error}"


def ask_views(connection: Connection, problems: list[Problem]) -> Faults:
    """Ask whether every view of include/bi that these problems fill answers with rows."""
    names = sorted(path.stem for path in (REPOSITORY / "include" / "bi").glob("*.sql"))
    if not names:
        yield "there are no views"
    for name in names:
        is_asked_for = name not in ASKS_FOR or any(map(ASKS_FOR[name], problems))
        if name in MAY_BE_EMPTY or not is_asked_for:
            continue
        if not connection.scalar(text(f'SELECT count(*) FROM {BI}."{name}"')):
            yield f"{BI}.{name} is empty"


Question = Callable[[Connection, list[Problem]], Faults]
QUESTIONS: dict[str, Question] = {
    "everything that landed is published or refused": ask_landing,
    "no row is lost or doubled": ask_counts,
    "models are promoted, beside their baselines": ask_models,
    "review rounds are answered": ask_review,
    "the experiment is decided, and its lift measured": ask_experiment,
    "calibration and drift are measured": ask_monitoring,
    "no step ended red": ask_steps,
    "every view answers": ask_views,
}


# ---------------------------------------------------------------- what stands in the tables


def fingerprint_tables(connection: Connection) -> dict[str, dict[str, Any]]:
    """Count each table's rows and hash what they say, without the moments and runs that wrote them.

    Returns:
        table name to `n_rows`, `md5`, and `lines` (each row as JSON; None of tables longer than `MAX_LINES_KEPT`).
    """
    query = (
        "SELECT table_name FROM information_schema.tables WHERE table_schema = :schema AND table_type = 'BASE TABLE'"
    )
    tables = set(connection.scalars(text(query), {"schema": CORE})) - NOT_COMPARED
    return {name: _fingerprint(connection, name) for name in sorted(tables)}


def _fingerprint(connection: Connection, table: str) -> dict[str, Any]:
    query = text(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = :schema AND table_name = :table"
    )
    columns = connection.scalars(query, {"schema": CORE, "table": table})
    volatile = [name for name in columns if name.endswith("_at_utc") or name in NOT_COMPARED_COLUMNS]
    content = text(f"""
        SELECT count(*) AS n_rows, md5(coalesce(string_agg(line, E'\\n' ORDER BY line), '')) AS md5
        FROM (SELECT (to_jsonb(t) - CAST(:volatile AS text[]))::text AS line FROM {CORE}."{table}" AS t) AS lines
    """)
    found = dict(connection.execute(content, {"volatile": volatile}).mappings().one())
    rows = text(f'SELECT (to_jsonb(t) - CAST(:volatile AS text[]))::text AS line FROM {CORE}."{table}" AS t ORDER BY 1')
    is_short = found["n_rows"] <= MAX_LINES_KEPT
    return {**found, "lines": list(connection.scalars(rows, {"volatile": volatile})) if is_short else None}


def compare_fingerprints(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Name the tables that differ, and how."""
    faults = []
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old is None or new is None:
            faults.append(f"{CORE}.{name} was {'made' if old is None else 'dropped'}")
        elif old["n_rows"] != new["n_rows"]:
            faults.append(f"{CORE}.{name} had {old['n_rows']} rows and has {new['n_rows']}")
        elif old["md5"] != new["md5"]:
            faults.append(f"{CORE}.{name} has as many rows as before ({new['n_rows']}), and they say something else")
        else:
            continue
        faults += _name_changed_lines(old, new) if old and new else []
    return faults


def _name_changed_lines(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Quote the first row that is gone and the first that is new, where both tables were short enough to be kept."""
    before, after = old.get("lines"), new.get("lines")
    if before is None or after is None:
        return []
    gone, come = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    return [f"  {word}, first of {len(rows)}: {rows[0]}" for word, rows in (("was", gone), ("is", come)) if rows]


# ---------------------------------------------------------------- the command


def find_warehouse() -> str:
    """Ask `make info` for the URL of the running stack's warehouse, as any other program would."""
    command = ["make", "--silent", "--no-print-directory", "info", "FORMAT=json", "SECRETS=1"]
    answer = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return str(json.loads(answer.stdout)["warehouse_url"])


def ask_everything(connection: Connection, problems: list[Problem]) -> list[str]:
    """Ask every question, print its answer, and return what is wrong."""
    faults: list[str] = []
    for question, ask in QUESTIONS.items():
        found = list(ask(connection, problems))
        print(f"  {'NO ' if found else 'yes'}  {question}")
        faults += found
    return faults


def main(arguments: list[str]) -> int:
    """Ask, and say by the exit code whether all is well."""
    parser = argparse.ArgumentParser(prog="python -m scripts.assert_run", description=__doc__)
    parser.add_argument("--warehouse", help="SQLAlchemy URL; that of the running stack by default")
    parser.add_argument("--problems", default="", help="those that make run was told; three by default")
    parser.add_argument("--remember", type=Path, metavar="FILE")
    parser.add_argument("--unchanged", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    selection = select_problems(options.problems)
    problems = [problem for problem in load_problems()[0] if selection.names_problem(problem.name)]
    faults = broken_problems(selection)
    with create_engine(options.warehouse or find_warehouse(), poolclass=NullPool).connect() as connection:
        faults += ask_everything(connection, problems)
        tables = fingerprint_tables(connection)
    if options.remember:
        options.remember.write_text(json.dumps(tables, indent=1), encoding="utf-8")
    if options.unchanged:
        changes = compare_fingerprints(json.loads(options.unchanged.read_text(encoding="utf-8")), tables)
        print(f"  {'NO ' if changes else 'yes'}  nothing changed in {len(tables)} tables")
        faults += changes
    for fault in faults[:80]:
        print(f"  - {fault}", file=sys.stderr)
    if len(faults) > 80:
        print(f"  - and {len(faults) - 80} more", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
