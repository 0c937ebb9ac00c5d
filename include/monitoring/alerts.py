"""Which findings a person must hear of, and in which words: one alert for each cause.

What does not belong here: how the findings were measured, and who is told by which channel.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from include.monitoring.drift import Drift
from include.problems.sections.monitor import Monitor

MOVED = "moved"
STABLE = "stable"
TOO_FEW_ROWS = "too_few_rows"

# Causes of what moved; those of calibration are named after the class, where there are several.
DRIFT = "drift"
OUTPUT_DRIFT = "output_drift"
P_POSITIVE = "p_positive"
SAID = ("p_positive: ", "said: ")
# So many columns are named in a sentence; all of them stand in the alert's findings.
N_NAMED = 3

Row = Mapping[str, Any]
Alert = dict[str, Any]


@dataclass(frozen=True)
class Thresholds:
    """From where on a finding is an alert; the problem's own numbers.

    Attributes:
        psi: stability index of a column, or of its values without a bin of their own.
        unseen: share of values that the reference never had, 0..1.
        error: calibration error beyond chance, 0..1.
        relative_error: the same for each share of 1 that is positive.
        minimum_rows: with fewer, nothing is said.
        action: what the alert asks for.
        coverage: how far the share of rows within their interval may be from the stated one, 0..1.
    """

    psi: float
    unseen: float
    error: float
    relative_error: float
    minimum_rows: int
    action: str
    coverage: float = 0.05


def thresholds_of(monitor: Monitor) -> Thresholds:
    """Take the numbers of a problem's file."""
    return Thresholds(
        psi=monitor.psi_alert,
        unseen=monitor.unseen_alert,
        error=monitor.ece_alert,
        relative_error=monitor.relative_error_alert,
        minimum_rows=monitor.minimum_rows,
        action=monitor.action,
        coverage=monitor.coverage_alert,
    )


@dataclass(frozen=True)
class Finding:
    """One figure beside what is allowed of it.

    Attributes:
        metric: column of the warehouse that holds it.
        value: what was seen.
        bound: what is allowed.
    """

    metric: str
    value: float
    bound: float


def drift_verdict(drift: Drift, thresholds: Thresholds) -> str:
    """Say whether a column moved: far enough to matter, and further than sampling alone carries it."""
    if drift.n_rows < thresholds.minimum_rows:
        return TOO_FEW_ROWS
    return MOVED if drift_findings(vars(drift), thresholds) else STABLE


def drift_findings(row: Row, thresholds: Thresholds) -> list[Finding]:
    """Name what of a column moved too far; figures that older code did not measure are no finding."""
    asked = (
        ("psi_ratio", "psi_chance_ratio", thresholds.psi),
        ("unseen_ratio", "unseen_chance_ratio", thresholds.unseen),
        ("psi_rest_ratio", "psi_rest_chance_ratio", thresholds.psi),
    )
    return [
        Finding(metric, row[metric], bound)
        for metric, chance, bound in asked
        if row.get(metric) is not None and row[metric] >= bound and row[metric] > row[chance]
    ]


def calibration_findings(row: Row, thresholds: Thresholds) -> list[Finding]:
    """Name which error of a model is too large: far enough to matter, on enough labels, and not by chance.

    A row that older code measured has the plain error alone.
    """
    if row["ece_ratio"] is None or row["n_labelled"] < thresholds.minimum_rows:
        return []
    if row.get("error_ratio") is None:
        is_off = row["ece_ratio"] > thresholds.error and row["ece_ratio"] > row["ece_chance_ratio"]
        return [Finding("ece_ratio", row["ece_ratio"], thresholds.error)] if is_off else []
    if row["ece_equal_count_ratio"] <= row["ece_equal_count_chance_ratio"]:
        return []
    asked = (("error_ratio", thresholds.error), ("relative_error_ratio", thresholds.relative_error))
    return [
        Finding(metric, row[metric], bound)
        for metric, bound in asked
        if row[metric] is not None and row[metric] > bound
    ]


def coverage_findings(row: Row, thresholds: Thresholds) -> list[Finding]:
    """Say whether intervals hold too few rows, or so many that they are too wide: far enough to matter, and surely."""
    if row["coverage_ratio"] is None or row["n_labelled"] < thresholds.minimum_rows:
        return []
    stated = row["stated_ratio"]
    is_surely_off = row["coverage_high"] < stated or row["coverage_low"] > stated
    is_far_off = abs(row["coverage_ratio"] - stated) > thresholds.coverage
    return [Finding("coverage_ratio", row["coverage_ratio"], stated)] if is_surely_off and is_far_off else []


def find_alerts(
    drifts: Iterable[Row],
    summaries: Iterable[Row],
    thresholds: Thresholds,
    n_watched: Mapping[tuple[str, str], int] | None = None,
) -> list[Alert]:
    """Find what people must hear of: a hundred columns that moved in one partition are one alert.

    Args:
        drifts: rows of `core.feature_drift`.
        summaries: rows of `core.calibration_summary`, `core.class_calibration` or `core.quantity_quality`.
        thresholds: the problem's own numbers.
        n_watched: partition and cause to how many columns were measured there; None where only the count matters.

    Returns:
        rows of `core.alert` without their time, ordered by partition and cause. The same findings give the same rows,
        whatever their order. A cause has one row per partition, with what it is about inside, the worst first: of
        several models, the newest that is off.
    """
    alerts: dict[tuple[str, str], Alert] = {}
    moved: dict[tuple[str, str], list[tuple[Row, Finding]]] = defaultdict(list)
    for row in drifts:
        # The file may ask for more rows now than when it was measured; the reference itself never is an alert.
        is_asked = row["verdict"] == MOVED and row["n_rows"] >= thresholds.minimum_rows and not row["is_in_reference"]
        found = drift_findings(row, thresholds) if is_asked else []
        if found:
            moved[row["partition_key"], drift_cause(row["feature"])].append((row, max(found, key=excess)))
    for (key, cause), columns in moved.items():
        alerts[key, cause] = _drift_alert(cause, columns, (n_watched or {}).get((key, cause), 0), thresholds)
    for row in sorted(summaries, key=lambda summary: str(summary["model_version"])):
        if "coverage_ratio" in row:
            found = coverage_findings(row, thresholds)
            if found:
                alert = _alert(row, "coverage", row["model_version"], thresholds, found[0])
                alerts[row["partition_key"], "coverage"] = alert | {"message": coverage_sentence(row, thresholds)}
            continue
        found = calibration_findings(row, thresholds)
        if found:
            # Of several classes each is a cause of its own.
            cause = f"calibration:{row['class_name']}" if row.get("class_name") else "calibration"
            alert = _alert(row, cause, row["model_version"], thresholds, found[0])
            alerts[row["partition_key"], cause] = alert | {"message": calibration_sentence(row, found[0])}
    return [alerts[key] for key in sorted(alerts)]


def drift_cause(feature: str) -> str:
    """Say of which cause a column's move is: the log's columns move together, and so do a model's outputs."""
    return OUTPUT_DRIFT if feature == P_POSITIVE or feature.startswith(SAID) else DRIFT


def count_watched(measured: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Count the measured columns of each partition and cause.

    Args:
        measured: partition and column.
    """
    return dict(Counter((key, drift_cause(feature)) for key, feature in measured))


def still_watched(drifts: Iterable[Row], features: Sequence[str]) -> list[Row]:
    """Leave out columns that are watched no longer: nobody measures them again, so their alerts would never end.

    Args:
        drifts: rows of `core.feature_drift`.
        features: of `monitor.features`; what the models say is always watched.
    """
    return [row for row in drifts if is_watched(row["feature"], features)]


def is_watched(feature: str, features: Sequence[str]) -> bool:
    """Say whether a measured column is one of those asked for, or what a model says."""
    return feature in features or drift_cause(feature) == OUTPUT_DRIFT


def served_off_alerts(problem: str, served_off: Iterable[Row], thresholds: Thresholds) -> list[Alert]:
    """Say that a first model serves although the gate saw that it is off; for as long as it serves.

    Args:
        served_off: from `store.read_served_off`.

    Returns:
        rows of `core.alert` without their time, one for each check.
    """
    return [
        {
            "problem": problem,
            "partition_key": row["trained_through"],
            "alert_id": "first_model" + str(row["check_name"]).removeprefix("is_calibrated").replace("_", ":", 1),
            "metric": "error_ratio",
            "subject": row["model_version"],
            "value": row["value"],
            "bound": row["bound"],
            "action": thresholds.action,
            "findings": [
                {
                    "subject": row["model_version"],
                    "metric": "error_ratio",
                    "value": row["value"],
                    "bound": row["bound"],
                }
            ],
            "n_watched": 1,
            "message": f"{problem}: {row['model_version']} is the first model, and off. {row['detail']}",
        }
        for row in served_off
    ]


def drift_sentence(row: Row, finding: Finding) -> str:
    """Say what moved, by how much, and where it shows most."""
    where = f"{row['problem']}, {row['partition_key']}: {_subject_of(row)}"
    if finding.metric == "unseen_ratio":
        return (
            f"{where} has values that {row['reference']} never had, or outside its range: {100 * finding.value:.1f} of "
            f"100, allowed below {100 * finding.bound:g}.{_largest_shift(row)}"
        )
    part = ", among the values that few rows share," if finding.metric == "psi_rest_ratio" else ""
    return (
        f"{where}{part} has moved away from {row['reference']} (stability index {finding.value:.2f}, allowed below "
        f"{finding.bound:g}).{_largest_shift(row)}"
    )


def calibration_sentence(row: Row, finding: Finding) -> str:
    """Say what the model promised, and what came of it."""
    expected, seen = 100 * row["mean_predicted_ratio"], 100 * row["positive_ratio"]
    what = row.get("class_name") or "positive"
    start = (
        f"{row['problem']}, {row['partition_key']}: {row['model_version']} expected {expected:.1f} of 100 rows to be "
        f"{what}, and {seen:.1f} of 100 were ({row['n_labelled']} labelled rows)."
    )
    if finding.metric == "relative_error_ratio":
        return (
            f"{start} Its probabilities are off by {row['error_ratio']:.4f} on average, {100 * finding.value:.0f} for "
            f"each 100 that are {what}, allowed up to {100 * finding.bound:g}."
        )
    return f"{start} Its probabilities are off by {finding.value:.3f} on average, allowed up to {finding.bound:g}."


def coverage_sentence(row: Row, thresholds: Thresholds) -> str:
    """Say how many intervals held, on which side the others were missed, and how wide they are."""
    return (
        f"{row['problem']}, {row['partition_key']}: of 100 intervals of {row['model_version']} "
        f"{100 * row['coverage_ratio']:.1f} held ({100 * row['coverage_low']:.1f} to {100 * row['coverage_high']:.1f}; "
        f"{row['n_labelled']} labelled rows); stated are {100 * row['stated_ratio']:g}, allowed "
        f"{100 * thresholds.coverage:g} away. {row['n_below']} were below and {row['n_above']} above; their mean width "
        f"is {row['mean_width']:.4g} {row['unit']}."
    )


def excess(finding: Finding) -> float:
    """Say how many times what is allowed was seen; without end where nothing is allowed."""
    return finding.value / finding.bound if finding.bound else math.inf


def drift_summary(cause: str, columns: Sequence[tuple[Row, Finding]], n_watched: int) -> str:
    """Say how many of how many columns moved, and name the worst.

    Args:
        columns: row of `core.feature_drift` and what is worst of it, the worst column first.
        n_watched: how many were measured; fewer than moved where nobody counted.
    """
    row, _ = columns[0]
    named = "; ".join(_in_short(moved, finding) for moved, finding in columns[:N_NAMED])
    of_how_many = f" of {n_watched}" if n_watched >= len(columns) else ""
    what = "watched columns" if cause == DRIFT else "outputs of the model"
    return (
        f"{row['problem']}, {row['partition_key']}: {len(columns)}{of_how_many} {what} have moved away from "
        f"{row['reference']}. The worst: {named}."
    )


def _drift_alert(cause: str, columns: Sequence[tuple[Row, Finding]], n_watched: int, thresholds: Thresholds) -> Alert:
    """Make one alert of every column that moved for one cause."""
    ordered = sorted(columns, key=lambda column: (-excess(column[1]), str(column[0]["feature"])))
    row, worst = ordered[0]
    names = [str(moved["feature"]) for moved, _ in ordered]
    rest = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    alert = _alert(row, cause, ", ".join(names[:N_NAMED]) + rest, thresholds, worst)
    findings = [
        {"subject": moved["feature"], "metric": found.metric, "value": found.value, "bound": found.bound}
        for moved, found in ordered
    ]
    sentence = drift_sentence(row, worst) if len(ordered) == 1 else drift_summary(cause, ordered, n_watched)
    return alert | {"findings": findings, "n_watched": max(n_watched, len(ordered)), "message": sentence}


def _in_short(row: Row, finding: Finding) -> str:
    """Name a column with its figure beside what is allowed of it."""
    if finding.metric == "unseen_ratio":
        seen = f"{100 * finding.value:.1f} of 100 values never seen, allowed below {100 * finding.bound:g}"
    else:
        seen = f"stability index {finding.value:.2f}, allowed below {finding.bound:g}"
    return f"{_subject_of(row)} ({seen})"


def _alert(row: Row, alert_id: str, subject: str, thresholds: Thresholds, finding: Finding) -> Alert:
    """Make the alert's row; its keys say the cause, so that the same cause is never open twice."""
    return {
        "problem": row["problem"],
        "partition_key": row["partition_key"],
        "alert_id": alert_id,
        "metric": finding.metric,
        "subject": subject,
        "value": finding.value,
        "bound": finding.bound,
        "action": thresholds.action,
        "findings": [{"subject": subject, "metric": finding.metric, "value": finding.value, "bound": finding.bound}],
        "n_watched": 1,
    }


def _subject_of(row: Row) -> str:
    """Name the column as a person would."""
    feature = str(row["feature"])
    if feature.startswith("p_positive: "):
        return f"what the model says ({feature.removeprefix('p_positive: ')})"
    if feature.startswith("said: "):
        return f"what the model says ({feature.removeprefix('said: ')})"
    return "what the model says (p_positive)" if feature == "p_positive" else feature


def _largest_shift(row: Row) -> str:
    """Say in which bin the shares differ most, as rows of 100."""
    n_rows, n_reference = row["n_rows"], row["n_reference"]
    shifts = [(b["name"], 100 * b["n_reference"] / n_reference, 100 * b["n_rows"] / n_rows) for b in row["bins"]]
    name, before, now = max(shifts, key=lambda shift: abs(shift[2] - shift[1]))
    return f" Most of all {name!r}: {before:.0f} of 100 rows before, {now:.0f} of 100 now."
