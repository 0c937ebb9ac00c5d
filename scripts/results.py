"""Write `docs/results.md` from the running stack: what the loop found, and what it cost.

    make results

Every figure is read from the warehouse, except Airflow's own times, which its metadata database keeps.
"""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version

import psycopg

from include.settings import REPOSITORY
from scripts.stack.home import find_home
from scripts.stack.stack import open_stack

PAGE = REPOSITORY / "docs" / "results.md"


@dataclass(frozen=True)
class Section:
    """One table of the page: its heading, the sentence under it, and the query that fills it."""

    heading: str
    sentence: str
    query: str


@dataclass(frozen=True)
class Task:
    """One task that ended, as Airflow's metadata database knows it."""

    dag_id: str
    task_id: str
    run_id: str
    running_s: float
    queued_s: float


_IN_PRODUCTION = (
    "(problem, model_version) IN (SELECT problem, model_version FROM bi.model_in_production WHERE is_in_production)"
)


def _with_interval(value: str, name: str) -> str:
    """Write a measure with the ends of its interval, as SQL."""
    low, high = (f"{name}_{end}".removeprefix("_") for end in ("low", "high"))
    interval = f"' [' || round({low}::numeric, 3) || ', ' || round({high}::numeric, 3) || ']'"
    return f"round({value}::numeric, 3) || coalesce({interval}, '')"


SECTIONS = (
    Section(
        "Rows in, published, quarantined",
        "Rows in = published + quarantined + duplicates, and what a refusal kept out; checked on every run.",
        """SELECT problem, count(*) AS partitions, sum(n_in) AS rows_in, sum(n_published) AS published,
               sum(n_quarantined) AS quarantined, sum(n_duplicate) AS duplicates, sum(n_refused) AS kept_out,
               count(*) FILTER (WHERE verdict = 'refused') AS refused_partitions,
               count(*) FILTER (WHERE verdict = 'published_with_warnings') AS partitions_with_warnings
        FROM core.partition_audit GROUP BY problem ORDER BY problem""",
    ),
    Section(
        "Why rows are in quarantine",
        "The rows themselves lie in the lake's quarantine tables, masked, with object and line.",
        """SELECT audited.problem, coalesce(rejected.reason, 'none was') AS reason,
               coalesce(sum(rejected.n_rows), 0) AS rows, count(rejected.reason) AS partitions
        FROM (SELECT DISTINCT problem FROM core.partition_audit) AS audited
        LEFT JOIN core.rejected_record AS rejected ON rejected.problem = audited.problem
        GROUP BY audited.problem, rejected.reason ORDER BY audited.problem, rows DESC""",
    ),
    Section(
        "Models against their baselines",
        "The version in production. Same held-out rows for all candidates but the champion, which answers only for "
        "those that it was not fitted on; 95 % bootstrap intervals (that of ECE lies high: each resample adds chance). "
        "Profit is per 100 rows, in the problem's own unit; in `ad_review` a mail whose probability lies between the "
        "two thresholds is sent to a person, who finds the truth and is paid. `ad_review` is measured out of fold on "
        "randomly chosen labels only; mails that are nearly the same are in one fold. Read its figures as the upper "
        "end all the same: the pipeline's settings were chosen on these very mails, and later rounds' random items "
        "come from a pool that other sampling has already taken hard ones from. The settings of `flight_delay` were "
        "chosen on later months of the same year, too.",
        f"""SELECT problem, candidate, n_rows AS rows,
               round((100 * expected_profit)::numeric, 0)
                   || ' [' || round((100 * expected_profit_low)::numeric, 0)
                   || ', ' || round((100 * expected_profit_high)::numeric, 0) || '] ' || value_unit AS earns_per_100,
               {_with_interval("auc_ratio", "auc")} AS auc, {_with_interval("log_loss_nats", "log_loss")} AS log_loss,
               {_with_interval("brier_score", "brier")} AS brier, {_with_interval("ece_ratio", "ece")} AS ece
        FROM bi.model_comparison WHERE {_IN_PRODUCTION}
        ORDER BY problem, expected_profit""",
    ),
    Section(
        "What the gate asked of the models in production",
        "A check is a number, a bound and a sentence; one that fails keeps a model out, and the champion serves on.",
        f"""SELECT problem, model_version, check_name AS "check", is_pass AS passed, round(value::numeric, 4) AS value,
               round(bound::numeric, 4) AS bound, detail
        FROM bi.gate_check WHERE {_IN_PRODUCTION} ORDER BY problem, check_name""",
    ),
    Section(
        "What moves the models in production",
        "The place of each feature by five questions that need not agree, 1 matters most: shuffled among rows, left "
        "out of the fit, alone with the label, early in a sparse linear model, and in exact contributions. The five "
        "features with the best mean place. A year among the words of `ad_review` is what such a table is for: wanted "
        "mails quote each other's dates, and those of another year would not.",
        f"""SELECT problem, feature, round(avg(rank)::numeric, 1) AS mean_place,
               trim_scale(max(rank) FILTER (WHERE method = 'permutation')::numeric) AS permutation,
               trim_scale(max(rank) FILTER (WHERE method = 'ablation')::numeric) AS ablation,
               trim_scale(max(rank) FILTER (WHERE method = 'mutual_information')::numeric) AS mutual_information,
               trim_scale(max(rank) FILTER (WHERE method = 'l1_path')::numeric) AS l1_path,
               trim_scale(max(rank) FILTER (WHERE method = 'contribution')::numeric) AS contribution
        FROM (SELECT *, dense_rank() OVER (PARTITION BY problem ORDER BY mean_rank, feature) AS place
              FROM (SELECT *, avg(rank) OVER (PARTITION BY problem, feature) AS mean_rank FROM bi.feature_importance
                    WHERE {_IN_PRODUCTION}) AS meant) AS placed
        WHERE place <= 5 GROUP BY problem, feature ORDER BY problem, avg(rank), feature""",
    ),
    Section(
        "Where the models in production are weak",
        "Log loss in a segment less that of all other held-out rows, in nats. Every feature was cut; weak holds at a "
        "false discovery rate of 5 % over all segments that were looked at. The three largest of each problem.",
        f"""SELECT problem, feature, segment, n_rows AS rows, round(loss_nats::numeric, 3) AS log_loss,
               round(excess_nats::numeric, 3) AS more_than_elsewhere, round(low::numeric, 3) AS low,
               round(high::numeric, 3) AS high, is_weak AS weak, looked_at, n_weak
        FROM (SELECT *, count(*) OVER own AS looked_at, count(*) FILTER (WHERE is_weak) OVER own AS n_weak,
                     row_number() OVER (PARTITION BY problem ORDER BY excess_nats DESC, feature, segment) AS place
              FROM bi.weak_segment WHERE {_IN_PRODUCTION} WINDOW own AS (PARTITION BY problem)) AS placed
        WHERE place <= 3 ORDER BY problem, place""",
    ),
    Section(
        "What the model was chosen from",
        "The versions in production. Every candidate with every calibrator, by log loss on rows "
        "that neither was fitted on; the held-out rows were not looked at.",
        f"""SELECT problem, model_version, candidate, calibration, n_rows AS rows,
               round(log_loss_nats::numeric, 5) AS log_loss, round(behind_nats::numeric, 5) AS behind_the_best,
               is_chosen AS chosen
        FROM bi.model_choice WHERE {_IN_PRODUCTION}
        ORDER BY problem, log_loss_nats, candidate, calibration""",
    ),
    Section(
        "Every version and what the gate said",
        "A version is named after what it was fitted on. The last column is the first check it failed.",
        """SELECT v.problem, v.model_version, v.model_name AS model, v.calibration, v.n_train AS rows_fitted,
               v.n_left_out AS rows_left_out_of_the_measurement, v.status, count(g.check_name) AS checks,
               count(g.check_name) FILTER (WHERE NOT g.is_pass) AS failed_checks,
               (array_agg(g.detail ORDER BY g.check_name) FILTER (WHERE NOT g.is_pass))[1] AS first_failed
        FROM core.model_version AS v LEFT JOIN core.gate_check AS g USING (problem, model_version)
        GROUP BY v.problem, v.model_version, v.model_name, v.calibration, v.n_train, v.n_left_out, v.status
        ORDER BY v.problem, v.model_version""",
    ),
    Section(
        "The scorecard's numbers",
        "The newest version that a scorecard competed for: what one standard deviation more does to the odds, and how "
        "much the other numbers blur that (VIF; from 10 on the odds say little by themselves).",
        """SELECT problem, model_version, feature, round(step::numeric, 3) AS step, round(odds_ratio::numeric, 3) odds,
               round(vif_ratio::numeric, 1) AS vif
        FROM bi.scorecard AS s WHERE term = '' AND model_version = (
            SELECT max(model_version) FROM bi.scorecard WHERE problem = s.problem)
        ORDER BY problem, feature""",
    ),
    Section(
        "Labels, round by round",
        "`demo labels` were given by the demo reviewer from recorded truth. The random arm is the control.",
        """SELECT l.problem, l.batch_id AS round, sum(l.n) AS labels, sum(l.n_demo) AS demo_labels,
               sum(l.n) FILTER (WHERE l.arm = 'entropy') AS entropy_items,
               sum(l.n) FILTER (WHERE l.arm = 'random') AS random_items,
               string_agg(l.answers, ', ' ORDER BY l.label) FILTER (WHERE l.arm = 'entropy') AS among_entropy,
               string_agg(l.answers, ', ' ORDER BY l.label) FILTER (WHERE l.arm = 'random') AS among_random
        FROM (SELECT problem, batch_id, arm, label, count(*) AS n, count(*) FILTER (WHERE is_demo) AS n_demo,
                     count(*) || ' ' || label AS answers FROM core.label GROUP BY problem, batch_id, arm, label) AS l
        GROUP BY l.problem, l.batch_id ORDER BY l.problem, l.batch_id""",
    ),
    Section(
        "What the labels were good for",
        "The same pipeline fitted on all labels and on random ones only, both measured out of fold on random-arm rows.",
        f"""SELECT problem, model_version, arm, n_labels AS labels,
               max(shown) FILTER (WHERE metric = 'auc') AS auc,
               max(shown) FILTER (WHERE metric = 'log_loss') AS log_loss,
               max(shown) FILTER (WHERE metric = 'brier') AS brier
        FROM (SELECT *, {_with_interval("value", "")} AS shown FROM core.learning_curve) AS shown
        GROUP BY problem, model_version, arm, n_labels ORDER BY problem, model_version, arm""",
    ),
    Section(
        "Class by class, and what was filled in",
        "Of several classes: what the model in production says on held-out rows (95 % intervals), and the labels that "
        "it filled in where nobody gave one, with what it says of itself.",
        f"""SELECT m.problem, m.class_name AS "class", m.n_rows AS rows,
               {_with_interval("recall_ratio", "recall")} AS recall,
               {_with_interval("precision_ratio", "precision")} AS precision, f.n AS filled_in, f.confidence
        FROM bi.class_metric AS m JOIN bi.model_in_production AS p USING (problem, model_version)
        JOIN core.model_version AS v USING (problem, model_version)
        LEFT JOIN (SELECT problem, label, count(*) AS n, round(avg(confidence_ratio)::numeric, 3) AS confidence
                   FROM bi.filled_label GROUP BY problem, label) AS f
            ON f.problem = m.problem AND f.label = m.class_name
        WHERE p.is_in_production AND m.candidate = v.model_name ORDER BY m.problem, m.class_name""",
    ),
    Section(
        "What choosing saved",
        "How many labels chosen by chance alone reach what all labels of the round reached, with a 95 % interval, and "
        "what was saved so: below 0 chance would have done with fewer. Missing where chance, or the high end, may need "
        "more than chance was ever given. Each strategy against chance, over many repetitions: `docs/benchmarks.md`.",
        """SELECT problem, batch_id AS round, n_labels_all AS labels, round(auc_all_ratio::numeric, 3) AS auc,
               round(labels_needed_by_random::numeric, 0) AS needed_by_chance,
               round(labels_needed_by_random_low::numeric, 0) AS low,
               round(labels_needed_by_random_high::numeric, 0) AS high,
               round(labels_saved::numeric, 0) AS saved
        FROM bi.review_efficiency ORDER BY problem, batch_id""",
    ),
    Section(
        "The experiment",
        "Promised is what the pilot showed, realised is what the holdback proves. A replay of recorded assignments: "
        "after the decision only people count whose recorded variant is the one decided.",
        """SELECT problem, kind, variant, n_variant, n_control, round(lift_ratio::numeric, 3) AS lift,
               round(low::numeric, 3) AS low, round(high::numeric, 3) AS high
        FROM core.experiment_lift AS l
        WHERE partition_key = (SELECT max(partition_key) FROM core.experiment_lift WHERE problem = l.problem)
        ORDER BY problem, kind""",
    ),
    Section(
        "Every variant beside the control",
        "The pilot. Bands hold together; shrunk is the lift without the luck of the best.",
        """SELECT problem, variant, n_mature, n_rewarded, round(rate_ratio::numeric, 3) AS rate,
               round(lift_ratio::numeric, 3) AS lift, round(shrunk_lift_ratio::numeric, 3) AS shrunk,
               round(low::numeric, 3) AS low, round(high::numeric, 3) AS high, verdict, is_sent
        FROM bi.experiment_variant ORDER BY problem, experiment, variant""",
    ),
    Section(
        "Its checks and its decision",
        "The window in which the decision became final.",
        """SELECT d.problem, d.partition_key AS decided_at, d.outcome, d.variant,
               round(d.best_probability::numeric, 4) AS best_probability, c.check_name AS "check", c.is_pass AS passed,
               c.detail
        FROM core.experiment_decision AS d JOIN core.experiment_check AS c USING (problem, experiment, partition_key)
        WHERE d.partition_key = (SELECT min(partition_key) FROM core.experiment_decision
                                 WHERE problem = d.problem AND is_final)
        ORDER BY d.problem, c.check_name""",
    ),
    Section(
        "Does what the model says happen?",
        "`flight_delay`: each partition is scored by the model that served it, which never saw that partition. "
        "`ad_review`: only items that chance chose, with what the model of the day had said before they were answered.",
        """SELECT problem, CASE WHEN n_labelled < 30 THEN 'months of under 30 rows' ELSE partition_key END AS month,
               model_version, sum(n_labelled) AS known_rows,
               round((sum(mean_predicted_ratio * n_labelled) / sum(n_labelled))::numeric, 4) AS expected,
               round((sum(positive_ratio * n_labelled) / sum(n_labelled))::numeric, 4) AS happened,
               CASE count(*) WHEN 1 THEN round(max(ece_ratio)::numeric, 4) END AS ece,
               round((sum(brier_score * n_labelled) / sum(n_labelled))::numeric, 4) AS brier,
               round((sum(log_loss_nats * n_labelled) / sum(n_labelled))::numeric, 4) AS log_loss,
               CASE count(*) WHEN 1 THEN round(max(auc_ratio)::numeric, 4) END AS auc
        FROM core.calibration_summary WHERE n_labelled > 0 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
    ),
    Section(
        "Was calibration good for anything on later data?",
        "Each scored partition of a problem whose log gives the labels: the calibration error of what the model that "
        "served said, and of the same model's scores before calibration. Below 0 calibration did harm: a calibrator "
        "learned on some months carries their base rate into the next, and the share of late flights went from 13 "
        "to 33 of 100 "
        "within a year. `docs/decisions/recalibration.md` says what was tried.",
        """SELECT problem, partition_key AS month, model_version, calibration, n_rows AS rows,
               round(ece_ratio::numeric, 4) AS ece, round(ece_uncalibrated_ratio::numeric, 4) AS ece_uncalibrated,
               round(ece_gain_ratio::numeric, 4) AS gain, is_better_calibrated AS better,
               round(log_loss_gain_nats::numeric, 4) AS log_loss_gain
        FROM bi.calibration_gain ORDER BY problem, partition_key""",
    ),
    Section(
        "What moved",
        "The features that moved most in each problem, against its reference; only partitions with enough rows.",
        """SELECT problem, feature, count(*) FILTER (WHERE verdict = 'moved') AS partitions_moved,
               count(*) AS partitions,
               round(max(psi_ratio)::numeric, 3) AS largest_psi,
               (array_agg(partition_key ORDER BY psi_ratio DESC))[1] AS in_partition,
               round(max(js_ratio)::numeric, 3) AS largest_jensen_shannon
        FROM core.feature_drift WHERE verdict <> 'too_few_rows' GROUP BY problem, feature
        HAVING count(*) FILTER (WHERE verdict = 'moved') > 0 ORDER BY problem, largest_psi DESC""",
    ),
    Section(
        "Alerts",
        "One for each cause and partition.",
        """SELECT problem, metric, count(*) AS alerts, min(partition_key) AS first, max(partition_key) AS last
        FROM core.alert GROUP BY problem, metric ORDER BY problem, metric""",
    ),
)

STEP_SECONDS = """
    SELECT problem, step, run_id, sum(duration_s) FROM core.run_step WHERE run_id <> 'by-hand'
    GROUP BY problem, step, run_id
"""

# From queued to finished is what a person waits; the step's own time is what the work took; the rest is Airflow's.
TASK_SECONDS = """
    SELECT dag_id, task_id, run_id, extract(epoch FROM end_date - start_date)::float8,
           extract(epoch FROM start_date - queued_dttm)::float8
    FROM task_instance
    WHERE start_date IS NOT NULL AND end_date IS NOT NULL AND state IN ('success', 'failed', 'skipped')
      AND queued_dttm IS NOT NULL -- one that was skipped before it started cost nobody anything
"""

LOOP_SECONDS = """
    SELECT count(*), extract(epoch FROM max(end_date) - min(start_date)) FROM dag_run
    WHERE state IN ('success', 'failed') AND start_date < (SELECT min(start_date) FROM dag_run) + interval '30 minutes'
      AND run_type <> 'scheduled'
"""


def main() -> None:
    """Write the page."""
    stack = open_stack(find_home())
    stack.postgres.start()
    warehouse_url = stack.addresses.warehouse_url.replace("+psycopg", "")
    metadata_url = stack.addresses.metadata_url.replace("+psycopg2", "")
    with psycopg.connect(warehouse_url) as warehouse, psycopg.connect(metadata_url) as metadata:
        parts = [_head(), *(_section(warehouse, section) for section in SECTIONS), _cost(warehouse, metadata)]
    PAGE.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(REPOSITORY)}.")


def _head() -> str:
    """Say what the page is, when and on what it was made."""
    return (
        "# Results of one run\n\n"
        "Written by `make results` after `make run`; do not edit by hand. The data are the built-in problems', "
        f"the machine had {_cores()} cores (load {os.getloadavg()[2]:.0f} over the last quarter of an hour), "
        f"Python {platform.python_version()}, Airflow {version('apache-airflow')}, "
        f"{datetime.now(UTC):%Y-%m-%d}."
    )


def _cores() -> int:
    """Count the cores this process may use."""
    return len(os.sched_getaffinity(0))


def _section(connection: psycopg.Connection, section: Section) -> str:
    """Render one section."""
    cursor = connection.execute(section.query.encode())
    columns = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall()
    table = _table(columns, rows) if rows else "Nothing."
    return f"## {section.heading}\n\n{section.sentence}\n\n{table}"


def _cost(warehouse: psycopg.Connection, metadata: psycopg.Connection) -> str:
    """Render how long each stage took, and how much of it is Airflow's share."""
    steps = {(problem, step, run_id): seconds for problem, step, run_id, seconds in warehouse.execute(STEP_SECONDS)}
    rows = add_up_stages(steps, [Task(*row) for row in metadata.execute(TASK_SECONDS)])
    n_runs, seconds = metadata.execute(LOOP_SECONDS).fetchone() or (0, 0)
    columns = [
        "stage",
        "tasks",
        "steps' own seconds",
        "tasks' running seconds",
        "seconds queued",
        "Airflow's seconds per task",
    ]
    return (
        "## What it took\n\n"
        f"The loop's {n_runs} runs took {float(seconds or 0):.0f} s from the first start to the last end, several at a "
        "time. A task's running time less its step's own time is Airflow's share: starting the process, reading the "
        f"DAG file, reporting back. How fast single parts are beside peers and bare libraries, ingest and scoring "
        f"on DuckDB and on Spark among them, is measured in [benchmarks.md](benchmarks.md).\n\n{_table(columns, rows)}"
    )


def add_up_stages(steps: Mapping[tuple[str, str, str], float], tasks: Sequence[Task]) -> list[tuple[object, ...]]:
    """Add up tasks by the stage they ran in, each beside its own step: two stages may share a step.

    Args:
        steps: problem, step and run to the step's own seconds.
        tasks: tasks that ended; a task is named after its step.

    Returns:
        stage, tasks, own seconds, running seconds, queued seconds, Airflow's seconds per task; in the order of stages.
    """
    sums: dict[str, list[float]] = {}
    for task in tasks:
        problem, _, stage = task.dag_id.rpartition("__")
        own = steps.get((problem, task.task_id, task.run_id), 0.0)
        total = sums.setdefault(stage, [0, 0.0, 0.0, 0.0])
        for place, amount in enumerate((1, own, task.running_s, task.queued_s)):
            total[place] += amount
    return [
        (stage, int(n), f"{own:.1f}", f"{running:.1f}", f"{queued:.1f}", f"{(running - own) / n:.2f}")
        for stage, (n, own, running, queued) in sorted(sums.items())
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Render rows as a Markdown table."""
    lines = [[column.replace("_", " ") for column in columns], ["---"] * len(columns)]
    lines += [["–" if cell is None else _cell(cell) for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    """Render one value: thousands apart, and no character that would break the table."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    main()
