"""The four cards of a problem on the front page: what each says, from the rows that were found.

What belongs here: which sentence is true. What does not: reading rows (`front.py`), words (`front_texts.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from include.monitoring.alert_words import name_cause
from include.names import SINGLE_EXPERIMENT
from include.problems.schema import Problem

Row = dict[str, Any]
LEAST_LABELS = 100  # as on the problem's own page: with fewer rows a share says little
BAD, GOOD, QUIET = "bad", "good", "quiet"


@dataclass(frozen=True)
class Line:
    """One sentence on a card; `href` leads to what it is about."""

    text: str
    tone: str = ""
    href: str = ""


@dataclass(frozen=True)
class Card:
    """The answer to one question about one problem: a figure, and the sentences that say what it is."""

    question: str
    figure: str
    tone: str
    lines: Sequence[Line]

    @property
    def is_bad(self) -> bool:
        """Say whether something on it is not as it should be."""
        return BAD in {self.tone, *(line.tone for line in self.lines)}


@dataclass(frozen=True)
class Asked:
    """What a card is made from.

    Attributes:
        rows: of each part of the page, those about the problem.
        missing: names of the parts that could not be read; of them nothing is said but that.
        may_answer: whether the person may answer the problem's questions.
    """

    problem: Problem
    rows: Mapping[str, Sequence[Row]]
    missing: Sequence[str]
    words: Mapping[str, str]
    language: str
    may_answer: bool

    def say(self, key: str, /, **values: object) -> str:
        """Say a sentence."""
        return self.words[key].format(**values)

    @property
    def unit(self) -> str:
        """Name the money of the problem; empty where its file has no section `value`."""
        return self.problem.value.unit if self.problem.value else ""

    def first(self, part: str) -> Row | None:
        """Give the one row of a part, or None."""
        return next(iter(self.rows[part]), None)

    def lost(self, *parts: str) -> list[Line]:
        """Say which of some parts could not be read."""
        lost = [self.words[f"part_{part}"] for part in parts if part in self.missing]
        return [Line(self.say("missing", part=", ".join(lost)), BAD)] if lost else []


def arriving(asked: Asked) -> Card:
    """Say which partition is the newest, whether one is late, and what has waited longest."""
    lines = asked.lost("arrivals", "waiting", "alerts")
    arrival, figure = asked.first("arrivals"), ""
    if arrival:
        figure = arrival["published_key"] or asked.words["none_published"]
        key = "published" if arrival["published_key"] else "published_of"
        lines.append(Line(asked.say(key, **arrival), QUIET, f"audits/{asked.problem.name}"))
        if arrival["newest_key"] != arrival["published_key"]:
            verdict = arrival["newest_verdict"]
            said = asked.words.get(f"verdict_{verdict}", verdict)
            tone = BAD if verdict in {"refused", "failed"} else ""
            lines.append(Line(asked.say("newest", key=arrival["newest_key"], verdict=said), tone))
    elif "arrivals" not in asked.missing:
        figure = asked.words["nothing_yet"]
        lines.append(Line(asked.words["nothing_landed"], QUIET))
    if "alerts" not in asked.missing:
        lines.append(_lateness(asked))
    if waits := asked.first("waiting"):
        key, tone = ("waits_failed", BAD) if waits["n_failed"] else ("waits", "")
        about = {"key": waits["partition_key"], "dag": waits["dag_id"], "when": _minute(waits["since_utc"])}
        lines.append(Line(asked.say(key, n=waits["n_waiting"], n_failed=waits["n_failed"], **about), tone))
    elif "waiting" not in asked.missing:
        lines.append(Line(asked.words["no_waits"], QUIET))
    return Card(asked.words["arriving"], figure, "", lines)


def _lateness(asked: Asked) -> Line:
    """Say whether partitions are late, where somebody has promised when they come."""
    late = next((row for row in asked.rows["alerts"] if row["alert_id"] == "late"), None)
    if late:
        return Line(
            asked.say("late", n=f"{late['value']:,.0f}"), BAD, f"./alerts/{asked.problem.name}?lang={asked.language}"
        )
    is_promised = asked.problem.monitor is not None and asked.problem.monitor.arrives_within is not None
    return Line(asked.words["on_time"], GOOD) if is_promised else Line(asked.words["no_promise"], QUIET)


def honest(asked: Asked) -> Card | None:
    """Say whether what the model says happens, and which alerts are open; None where nothing is measured."""
    problem = asked.problem
    if not problem.monitor and not any(asked.rows[part] for part in ("honesty", "classes", "quantities", "alerts")):
        return None
    lost = asked.lost("honesty", "classes", "quantities", "alerts") if problem.training else asked.lost("alerts")
    figure, tone, lines = _calibration(asked)
    alerts = [] if "alerts" in asked.missing else [_alerts(asked)]
    if not figure and not lost:
        figure = asked.say("n_alerts", n=len(asked.rows["alerts"]))
    return Card(asked.words["honest"], figure, tone, [*lost, *lines, *alerts])


def _calibration(asked: Asked) -> tuple[str, str, list[Line]]:
    """Say how far expected and happened are apart: of two sides, of the worst of several classes, or of a quantity."""
    if two_sides := asked.first("honesty"):
        return _two_sides(asked, two_sides)
    if worst := asked.first("classes"):
        shares = {"said": _of_100(worst["mean_predicted_ratio"]), "happened": _of_100(worst["positive_ratio"])}
        about = {"key": worst["partition_key"], "n": f"{worst['n_labelled']:,}", "n_classes": worst["n_classes"]}
        state = Line(asked.words["within"], GOOD)
        if worst["n_beyond"]:
            state = Line(asked.say("beyond_classes", n=worst["n_beyond"], n_all=worst["n_compared"]), BAD)
        elif not worst["n_compared"]:
            state = Line(asked.words["not_compared"], QUIET)
        figure = asked.say("said_class", name=worst["class_name"], **shares)
        tone = "" if state.tone == QUIET else state.tone
        return figure, tone, [Line(asked.say("said_class_of", **about), QUIET), state]
    if quantity := asked.first("quantities"):
        shares = {"said": _of_100(quantity["stated_ratio"]), "held": _of_100(quantity["coverage_ratio"])}
        about = {"month": quantity["month"], "n": f"{quantity['n_labelled']:,}"}
        state = _coverage(asked, quantity)
        return asked.say("held", **shares), state.tone, [Line(asked.say("held_of", **about), QUIET), state]
    is_read = not {"honesty", "classes", "quantities"} & set(asked.missing)
    if asked.problem.training and is_read:
        return asked.words["unknown"], "", [Line(asked.words["no_labels"], QUIET)]
    return "", "", []


def _two_sides(asked: Asked, row: Row) -> tuple[str, str, list[Line]]:
    """Say what was said and what happened, where enough rows are known, and whether that may be chance."""
    about = {"month": row["month"], "n": f"{row['n_labelled']:,}", "least": LEAST_LABELS}
    if row["n_labelled"] < LEAST_LABELS:
        return asked.words["too_few"], "", [Line(asked.say("too_few_of", **about), QUIET)]
    state = Line(asked.words["within"], GOOD)
    if row["n_beyond"]:
        state = Line(asked.say("beyond", n=row["n_beyond"], n_all=row["n_compared"]), BAD)
    elif not row["n_compared"]:
        state = Line(asked.words["not_compared"], QUIET)
    label = asked.problem.label
    positive = label.positive if label and label.positive else ""
    figure = asked.say("said", said=_of_100(row["mean_predicted_ratio"]), happened=_of_100(row["observed_ratio"]))
    tone = "" if state.tone == QUIET else state.tone
    return figure, tone, [Line(asked.say("said_of", positive=positive, **about), QUIET), state]


def _coverage(asked: Asked, row: Row) -> Line:
    """Say whether the stated share lies where chance puts it."""
    ends = (row["stated_ratio"], row["coverage_low"], row["coverage_high"])
    if None in ends:
        return Line(asked.words["not_compared"])
    stated, low, high = ends
    if low <= stated <= high:
        return Line(asked.words["within"], GOOD)
    return Line(asked.say("outside", low=_of_100(low), high=_of_100(high)), BAD)


def _alerts(asked: Asked) -> Line:
    """Count the open alerts and name the worst of them, which is the first."""
    rows = asked.rows["alerts"]
    if not rows:
        return Line(asked.words["no_alert"], GOOD)
    worst = {"cause": name_cause(asked.language, rows[0]["alert_id"]), "key": rows[0]["partition_key"]}
    n_escalated = sum(row["state"] == "escalated" for row in rows)
    is_snoozed = all(row["state"] == "snoozed" for row in rows)
    key = "alerts_escalated" if n_escalated else "alerts_snoozed" if is_snoozed else "alerts_open"
    text = asked.say(key, n=len(rows), n_escalated=n_escalated, **worst)
    return Line(text, "" if is_snoozed else BAD, f"./alerts/{asked.problem.name}?lang={asked.language}")


def pays(asked: Asked) -> Card | None:
    """Say what the newest window is expected to earn and what one has earned; None where nobody has put a price."""
    problem = asked.problem
    names = list(problem.named_experiments)
    is_priced = bool(problem.value and problem.training and problem.monitor)
    if not is_priced and not names and not any(asked.rows[part] for part in ("profits", "quantities", "experiments")):
        return None
    lost = asked.lost("profits", "quantities") if is_priced else []
    lost += asked.lost("experiments") if names else []
    figure, tone, lines = _money(asked)
    tried, added = _experiments(asked, names)
    if not figure and not lost:
        is_estimated = problem.label is None or problem.label.kind not in {"several_classes", "several_labels"}
        figure = added or asked.words["unknown" if is_estimated or not is_priced else "not_estimated"]
        if is_priced and not is_estimated:
            address = f"problems/{problem.name}?lang={asked.language}"
            lines.append(Line(asked.words["several_classes"], QUIET, address))
        elif is_priced and not lines:
            lines = [Line(asked.words["nothing_scored"], QUIET)]
    return Card(asked.words["pays"], figure, tone, [*lost, *lines, *tried])


def _money(asked: Asked) -> tuple[str, str, list[Line]]:
    """Say what is expected of the newest scored partition and what the newest known one earned, per 100 rows."""
    row, quantity = asked.first("profits"), asked.first("quantities")
    if row is None and quantity is not None and quantity["profit_gain"] is not None:
        gain = quantity["profit_gain"]
        figure = asked.say("money", amount=_signed(gain), unit=asked.unit)
        about = {"month": quantity["month"], "n": f"{quantity['n_labelled']:,}"}
        return figure, BAD if gain < 0 else "", [Line(asked.say("gained", **about), QUIET)]
    if row is None:
        return "", "", []
    unit, figure, tone = asked.unit, "", ""
    lines: list[Line] = []
    if row["expected_key"] is not None:
        figure = asked.say("money", amount=_signed(100 * row["estimate"]), unit=unit)
        tone = BAD if row["estimate"] < 0 else ""
        is_sure = row["low"] is not None and row["high"] is not None
        ends = {"low": _signed(100 * row["low"]), "high": _signed(100 * row["high"])} if is_sure else {}
        key = "expected" if is_sure else "expected_unsure"
        lines.append(Line(asked.say(key, key=row["expected_key"], **ends), QUIET))
    if row["realised_key"] is not None:
        about = {"key": row["realised_key"], "n": f"{row['n_labelled']:,}", "unit": unit}
        is_off = row["is_covered"] is False
        is_bad = is_off or row["actual"] < 0
        key = "earned_off" if is_off else "earned"
        text = asked.say(key, amount=_signed(100 * row["actual"]), **about)
        lines.append(Line(text, BAD if is_bad else ""))
    return figure, tone, lines


def _experiments(asked: Asked, names: Sequence[str]) -> tuple[list[Line], str]:
    """Say of each experiment what is decided and what it really added; of the first that has, also as a figure."""
    lines, figure = [], ""
    rows = {str(row["experiment"]): row for row in asked.rows["experiments"]}
    known = [] if "experiments" in asked.missing else list(names)
    for name in dict.fromkeys([*known, *rows]):
        row = rows.get(name)
        title = asked.words["experiment"] if name == SINGLE_EXPERIMENT else name
        text = asked.say("of_experiment", name=title, state=_state(asked, row))
        if row and row["realised_lift_ratio"] is not None:
            parts = ("realised_lift_ratio", "realised_low", "realised_high", "promised_lift_ratio")
            amount, low, high, promised = (_lift(row[part]) for part in parts)
            text = f"{text} {asked.say('really_added', amount=amount, low=low, high=high, promised=promised)}"
            figure = figure or asked.say("added", amount=amount)
        is_bad = row is not None and row["decision"] == "blocked" and row["phase"] != "ended"
        lines.append(Line(text, BAD if is_bad else "", _experiment(asked, name)))
    return lines, figure


def _state(asked: Asked, row: Row | None) -> str:
    """Say in a few words how an experiment stands, as its card on the problem's page does."""
    if row is None:
        return asked.words["state_none"]
    if row["phase"] == "ended":
        return asked.words["state_ended"]
    if row["phase"] == "paused":
        return asked.words["state_paused"]
    if row["decision"] == "send":
        return asked.say("state_won" if row["winner"] else "state_sent", variant=row["variant_in_force"])
    if row["decision"] == "keep_control":
        return asked.say("state_kept", variant=row["variant_in_force"])
    if row["phase"] == "hold":
        return asked.words["state_hold"]
    return asked.words["state_blocked" if row["decision"] == "blocked" else "state_pilot"]


def waits_for_me(asked: Asked) -> Card | None:
    """Say which items, versions, answers and ties wait for people; None where nobody is ever asked."""
    problem, parts = asked.problem, ("batches", "approvals", "ties")
    is_asking = bool(problem.review or problem.training or problem.named_experiments)
    if not is_asking and not any(asked.rows[part] for part in parts):
        return None
    lines, figures = asked.lost(*parts), []
    if batch := asked.first("batches"):
        figures.append(asked.say("n_items", n=f"{batch['n_waiting']:,}"))
        lines += _batch(asked, batch)
    decisions = []
    for row in asked.rows["approvals"]:
        if row["kind"] == "version":
            card = urlencode({"problem": problem.name, "version": row["name"]})
            decisions.append(Line(asked.say("version", name=row["name"]), "", f"../models/card?{card}"))
        else:
            decisions.append(Line(asked.say("answers", n=f"{row['n_labels']:,}"), "", "../desk/"))
    for row in asked.rows["ties"]:
        text = asked.say("tie", name=row["experiment"], when=_minute(row["until_utc"]))
        decisions.append(Line(text, "", _experiment(asked, row["experiment"])))
    if decisions:
        figures.append(asked.say("n_decisions", n=len(decisions)))
    elif not lines:
        figures, decisions = [asked.words["nothing"]], [Line(asked.words["nothing_asked"], QUIET)]
    return Card(asked.words["waits_for_me"], ", ".join(figures), "", [*lines, *decisions])


def _batch(asked: Asked, row: Row) -> list[Line]:
    """Say when the open batches are due, and where they are answered."""
    key, tone = ("batches_overdue", BAD) if row["is_overdue"] else ("batches", "")
    due = Line(asked.say(key, n=row["n_batches"], when=_minute(row["due_at_utc"])), tone)
    if asked.may_answer:
        return [due, Line(asked.words["answer"], "", "../desk/")]
    return [due, Line(asked.words["not_yours"], QUIET)]


def _experiment(asked: Asked, name: str) -> str:
    """Give the address of an experiment's own page."""
    about = {"problem": asked.problem.name, "experiment": name, "lang": asked.language}
    return f"../experiments/experiment?{urlencode(about, quote_via=quote)}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _of_100(ratio: float | None) -> str:
    return "–" if ratio is None else f"{100 * ratio:.0f}"


def _signed(amount: float) -> str:
    """Write money with its sign; small amounts with the digits that mean something."""
    return f"{amount:+,.0f}" if abs(amount) >= 10 or amount == 0 else f"{amount:+,.2g}"


def _lift(ratio: float | None) -> str:
    return "–" if ratio is None else _signed(100 * ratio)
