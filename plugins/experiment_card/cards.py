"""Arranges what the warehouse says about experiments for their page: pure, rows in, rows out.

What does not belong here: reading (`include/warehouse/experiment_queries.py`), drawing (`pictures.py`), words
(`texts/`).
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from include.problems.sections.experiment import Experiment
from include.warehouse.experiment_history_queries import N_WINDOWS

Row = dict[str, Any]

NOT_BEGUN, RUNNING, HOLDING, DECIDED, ENDED, REMOVED = "not_begun", "running", "holding", "decided", "ended", "removed"
PAUSED = "paused"  # a state, and the phase of it
HOLD = "hold"  # phase in which nobody is sent anything
REWARD = "reward"  # what decides where the file names no metric


def find_state(result: Mapping[str, Any] | None, *, is_in_file: bool) -> str:
    """Say where an experiment stands.

    Args:
        result: its row of `bi.experiment_result`; None where it has no window yet.
        is_in_file: whether the problem's file names it still.

    Returns:
        not_begun, running (somebody is sent something by chance), holding (nobody is sent anything until something is
        decided), paused (nobody is, by the file), decided, ended or removed.
    """
    if not is_in_file:
        return REMOVED
    if result is None:
        return NOT_BEGUN
    if result["phase"] in (ENDED, PAUSED):
        return str(result["phase"])
    if result["is_final"]:
        return DECIDED
    return HOLDING if result["phase"] == HOLD else RUNNING


def find_lead(result: Mapping[str, Any] | None, state: str, *, approver: str | None = None) -> str:
    """Name the sentence that says what came of an experiment so far.

    Args:
        approver: who is asked about ties; None where the file asks nobody.
    """
    if result is None or state == REMOVED:
        return f"lead.{state}"
    if state == PAUSED:
        return "lead.paused"
    if state == ENDED:
        return "lead.ended_decided" if result["variant_in_force"] else "lead.ended"
    if state == DECIDED:
        if result["decision"] == "keep_control":
            return "lead.keep_control"
        return "lead.send_claimed" if result["winner"] else "lead.send"
    if state == HOLDING:
        if result["decision"] != "ask" or approver is None:
            return "lead.holding"
        return "lead.asking" if result["answer_by_utc"] is not None else "lead.to_ask"
    return "lead.blocked" if result["decision"] == "blocked" else "lead.running"


def group_windows(ranges: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Put the ranges of each window together, in their order.

    Returns:
        one per window: partition_key, phase, and shares by variant (empty while nobody is sent anything).
    """
    windows = []
    for key, group in groupby(ranges, key=lambda row: row["partition_key"]):
        own = list(group)
        shares: dict[str, float] = {}
        for row in own:
            if row["variant"] is not None and row["share_ratio"] is not None:
                shares[row["variant"]] = shares.get(row["variant"], 0.0) + row["share_ratio"]
        windows.append({"partition_key": key, "phase": own[0]["phase"], "shares": shares})
    return windows


def find_since(windows: Sequence[Mapping[str, Any]], n_read: int = N_WINDOWS) -> tuple[str | None, bool]:
    """Find the window from which on what is sent now has been sent, without a break.

    Args:
        windows: the newest ones, oldest first.
        n_read: so many are read at most.

    Returns:
        the window, None where there is none; and whether it was so before it, too, as far as was read.
    """
    since = None
    for window in reversed(windows):
        newest = windows[-1]
        if (window["phase"], window["shares"]) != (newest["phase"], newest["shares"]):
            return since, False
        since = window["partition_key"]
    return since, len(windows) >= n_read


def split_phase(phase: str | None) -> tuple[str, str]:
    """Split a phase into its name and the number of a wave: `wave 3` is wave and 3."""
    name, _, number = (phase or "").partition(" ")
    return name, number


def describe_traffic(experiment: Experiment | None) -> Row | None:
    """Say which people an experiment may have: all, or a slice of a layer."""
    if experiment is None:
        return None
    share = 100 * (experiment.slice_high - experiment.slice_low)
    facts = {"layer": experiment.layer, "share": share, "low": experiment.slice_low, "high": experiment.slice_high}
    return facts | {"eligible": experiment.eligible, "start": experiment.start, "ends_at": experiment.ends_at}


def tell_lifts(variants: Sequence[Mapping[str, Any]], metrics: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Say of every variant how many more of 100 do what is hoped for than with the control.

    The band holds at every look together, so that whoever looks daily may act on it; older windows have none.

    Args:
        variants: rows of `bi.experiment_variant` of one experiment.
        metrics: rows of `bi.experiment_metric`; where one is primary, it is told instead of the reward.

    Returns:
        per variant with a lift, what is sent first: variant, of_100 and its ends, kind (reward or a metric's), metric,
        to_expect (missing of metrics).
    """
    primary = [row for row in metrics if row["role"] == "primary"]
    sent = {row["variant"] for row in variants if row["is_sent"]}
    told = []
    for row in primary or variants:
        lift = row["lift"] if primary else row["lift_ratio"]
        low, high = (row["low_any_look"], row["high_any_look"])
        if lift is None or low is None or high is None:
            continue
        kind = row["kind"] if primary else REWARD
        scale = 1.0 if kind == "ratio" else 100.0
        ends = {"of_100": scale * lift, "low": scale * low, "high": scale * high}
        shrunk = None if primary else row["shrunk_lift_ratio"]
        about = {"kind": kind, "metric": row.get("metric"), "to_expect": None if shrunk is None else scale * shrunk}
        told.append({"variant": row["variant"], "verdict": row["verdict"]} | ends | about)
    return sorted(told, key=lambda row: row["variant"] not in sent)


def find_control(variants: Sequence[Mapping[str, Any]], experiment: Experiment | None) -> str:
    """Name what the others are compared with."""
    named = next((str(row["variant"]) for row in variants if row["is_control"]), None)
    return named or (experiment.control if experiment else "")


def changes_between(before: object, after: object) -> list[Row]:
    """List what a plan says that the one before it did not: key, before, after; nested keys with points between."""
    old, new = _flatten(before), _flatten(after)
    return [
        {"key": key, "before": old.get(key), "after": new.get(key)}
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def _flatten(document: object, prefix: str = "") -> dict[str, object]:
    """Write a document as keys with points between and plain values."""
    if not isinstance(document, Mapping):
        return {prefix.removesuffix("."): document} if prefix else {}
    flat: dict[str, object] = {}
    for key, value in document.items():
        flat |= _flatten(value, f"{prefix}{key}.")
    return flat


def only_turns(decisions: Sequence[Mapping[str, Any]], n_read: int = N_WINDOWS) -> list[Row]:
    """Keep of decisions, the newest first, the oldest of each run that came to the same end with the same plan.

    Args:
        n_read: so many are read at most.

    Returns:
        the same rows with `until`, the newest window of the run, its `reason`, which may change from window to window,
        and `is_cut`: the run may have begun earlier than was read.
    """
    turns = []

    def end_of(row: Mapping[str, Any]) -> tuple[object, ...]:
        return row["outcome"], row["variant"], row["is_final"], row["plan_sha256"]

    for _, group in groupby(decisions, key=end_of):
        run = list(group)
        newest = {"until": run[0]["partition_key"], "reason": run[0]["reason"]}
        is_cut = len(decisions) >= n_read and run[-1] is decisions[-1]
        turns.append(dict(run[-1]) | newest | {"is_cut": is_cut})
    return turns


def tell_money(experiment: Experiment | None, variants: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Say what each variant costs, and what sending it to everybody still to come would lose against the best.

    Returns:
        per variant: cost of sending it to one unit, loss per unit, and `loss_to_come` over `decide.units_to_come`
        (missing without it), all in the unit of `decide.value`; nothing where the file has no experiment any more.
    """
    if experiment is None:
        return []
    decide, rows = experiment.decide, []
    for row in variants:
        loss = row["expected_loss"]
        to_come = None if loss is None or decide.units_to_come is None else loss * decide.units_to_come
        cost = decide.costs.get(row["variant"], 0.0)
        rows.append({"variant": row["variant"], "cost": cost, "loss": loss, "loss_to_come": to_come})
    return rows
