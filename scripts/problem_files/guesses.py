"""Guesses from profiles what makes a row a row, when it happened, what might be predicted, and what must hold."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from include.problems.sections.source import PLACE_COLUMNS
from scripts.problem_files.columns import Profile, as_text, span_of

MOST_CLASSES = 20
_MONTHS_FROM = timedelta(days=90)  # shorter logs are cut into days
MOST_CATEGORIES = 50
_KEY_WORDS = re.compile(r"(^|_)(id|key|uuid|guid|number|no|nr|code|seq|serial|hash|index|row)(_|$)")
_LABEL_WORDS = re.compile(
    r"(^|_)(label|target|class|outcome|default|churn|churned|fraud|late|survived|diagnosis|response|responded|converted|"
    r"bought|spam|toxic|hate|bias|approved|accepted|clicked|winner|won|answer|malignant|species|quality|grade|rating|"
    r"result|status|y|is_[a-z]+)(_|$)"
)
_QUANTITY_WORDS = re.compile(
    r"(^|_)(count|cnt|amount|price|demand|sales|revenue|total|duration|value|target|rides|rentals|load|consumption|y)(_|$)"
)
_HOUR_WORDS = {"hr", "hour", "hour_of_day", "hours"}
_FIRST_WORDS = re.compile(r"(^|_)(event|sent|created|started|start|pickup|begin|occurred|order|time|timestamp)(_|$)")
_LAST_WORDS = re.compile(r"(^|_)(end|ended|closed|finished|dropoff|arrived|updated|modified|delivered|completed)(_|$)")
_IN_NAME = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d"), "%Y-%m-%dT%H"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"(?<!\d)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"), "%Y%m%d"),
    (re.compile(r"(?<!\d)(?:19|20)\d{2}-(?:0[1-9]|1[0-2])(?!\d)"), "%Y-%m"),
)
Kind = Literal["two_classes", "several_classes", "quantity"]


@dataclass(frozen=True)
class Key:
    """What names a row: columns, and why."""

    columns: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class Time:
    """When a row happened: how the file says it, in which grain, and why.

    Attributes:
        column: that holds it; None where a rule does.
        rule: what stands behind `event_time:`, as YAML.
        others: columns that could have been taken.
    """

    column: str | None
    rule: str
    grain: Literal["hour", "day", "month"]
    why: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """Something that might be predicted.

    Attributes:
        classes: of a label with classes, the rarest first.
    """

    column: str
    kind: Kind
    classes: tuple[str, ...] = ()


def guess_time(profiles: Sequence[Profile], file_name: str) -> Time:
    """Choose the event time among the columns, the file's name and the object's arrival."""
    candidates = [p for p in profiles if p.type == "timestamp" and p.share > 0.9 and p.times()]
    if candidates:
        best = max(candidates, key=_time_score)
        hour = next((p for p in profiles if p.name in _HOUR_WORDS and p.type == "integer"), None)
        others = tuple(p.name for p in candidates if p is not best)
        grain = _grain(best.times())
        if hour is not None and all(moment.hour == moment.minute == 0 for moment in best.times()[:1_000]):
            rule = f'{{sql: "{best.name} + {hour.name} * INTERVAL 1 hour"}}'
            return Time(None, rule, grain, f"{best.name} has days alone, and {hour.name} the hour of it", others)
        return Time(best.name, best.name, grain, _why_time(best), others)
    for shape, pattern in _IN_NAME:
        if found := shape.search(file_name):
            why = f"no column holds a time, and the file's name does ({found[0]}); name every file so"
            whole = _pattern_of(file_name[: found.start()], pattern)
            return Time(None, f"{{from: name, pattern: {whole}}}", "day" if "d" in pattern else "month", why)
    return Time(None, "{from: object}", "day", "no column holds a time: a row happened when its file arrived")


def _pattern_of(before: str, pattern: str) -> str:
    """Write the pattern of a time in a name, in quotes, with the word before it, which tells it from other digits."""
    word = re.search(r"[A-Za-z_-]*$", before)
    return f'"{word[0] if word else ""}{pattern}"'


def _time_score(profile: Profile) -> tuple[float, float]:
    """Rate a column of times: what began goes before what ended, then what differs from row to row."""
    begins = bool(_FIRST_WORDS.search(profile.name)) - 2 * bool(_LAST_WORDS.search(profile.name))
    return begins + profile.share, profile.n_distinct / max(len(profile.values), 1)


def _why_time(profile: Profile) -> str:
    """Say what a column of times covers."""
    moments = profile.times()
    return f"{min(moments):%Y-%m-%d %H:%M} to {max(moments):%Y-%m-%d %H:%M} in the sample"


def _grain(moments: Sequence[datetime]) -> Literal["hour", "day", "month"]:
    """Choose the partitions so that there are some, and not thousands; days without hours are not cut into hours."""
    span = span_of(moments)
    if not any((moment.hour, moment.minute, moment.second) != (0, 0, 0) for moment in moments):
        return "day" if timedelta(0) < span <= _MONTHS_FROM else "month"
    if span > _MONTHS_FROM:
        return "month"
    return "day" if span > timedelta(days=2) else "hour"


def guess_key(profiles: Sequence[Profile], time: Time) -> Key:
    """Choose what names a row: one column, one together with the time, or the place of the record in its object."""
    able = [
        p
        for p in profiles
        if p.type in {"string", "integer"} and p.pii not in {"contact", "free_text"} and p.share == 1.0
    ]
    for place, profile in enumerate(able):
        is_called_so = _KEY_WORDS.search(profile.name) is not None
        if profile.n_distinct == profile.n_records > 1 and (is_called_so or (place == 0 and profile.type == "string")):
            return Key((profile.name,), f"differs in each of the {profile.n_records} records of the sample")
    moment = next((p for p in profiles if p.name == time.column and p.share == 1.0), None)
    for profile in able if moment is not None else []:
        if moment is not None and _KEY_WORDS.search(profile.name):
            pairs = set(zip(profile.texts, moment.texts, strict=True))
            if len(pairs) == profile.n_records > 1:
                return Key((profile.name, moment.name), f"differ together in each of the {len(pairs)} records")
    return Key(
        tuple(PLACE_COLUMNS),
        "no column tells rows apart, so a row is named by its file and line; a row that comes twice stays twice",
    )


def guess_labels(profiles: Sequence[Profile], key: Key, time: Time) -> list[Label]:
    """List what might be predicted, of each kind the likeliest first."""
    able = [p for p in profiles if p.name not in (*key.columns, time.column) and p.pii == "none" and p.share > 0.5]
    labels: list[tuple[float, Label]] = []
    for place, profile in enumerate(able):
        last = 0.5 if place == len(able) - 1 else 0.25 * (profile.type == "boolean")
        if (label := as_label(profile)) is None:
            continue
        words = _QUANTITY_WORDS if label.kind == "quantity" else _LABEL_WORDS
        labels.append((bool(words.search(profile.name)) + last, label))
    return [label for score, label in sorted(labels, key=lambda item: -item[0]) if score > 0]


def as_label(profile: Profile) -> Label | None:
    """Say what kind of label a column would be; None where it would be none."""
    values = sorted(set(profile.texts), key=lambda text: (profile.texts.count(text), text)) if _is_few(profile) else []
    if len(values) == 2:
        return Label(profile.name, "two_classes", tuple(values))
    if 2 < len(values) <= MOST_CLASSES and (profile.type == "string" or len(values) <= 10):
        return Label(profile.name, "several_classes", tuple(values))
    return Label(profile.name, "quantity") if profile.is_number and profile.n_distinct > MOST_CLASSES else None


def _is_few(profile: Profile) -> bool:
    """Say whether a column has so few values that they may be classes."""
    return profile.type in {"string", "integer", "boolean"} and profile.n_distinct <= MOST_CLASSES


def guess_features(profiles: Sequence[Profile], not_these: Sequence[str]) -> dict[str, list[str]]:
    """Sort the columns that a model may see by what they hold."""
    features: dict[str, list[str]] = {"numeric": [], "categorical": [], "text": []}
    for profile in profiles:
        if profile.name in not_these or not profile.values or profile.n_distinct < 2:
            continue
        if profile.pii == "free_text" and profile.type == "string":
            features["text"].append(profile.name)
        elif profile.is_number or profile.type == "boolean":
            features["numeric"].append(profile.name)
        elif profile.type == "string" and profile.pii == "none" and profile.n_distinct <= MOST_CATEGORIES:
            features["categorical"].append(profile.name)
    return features


def guess_range(profile: Profile) -> tuple[float, float]:
    """Say between which numbers values may lie: those of the sample, and half as far again to both sides.

    What was never negative stays so.
    """
    low, high = min(profile.numbers), max(profile.numbers)
    margin = (high - low) / 2 or max(abs(high), 1.0) / 2
    # No more digits than mean something, and never inside of what was seen.
    step = 10.0 ** math.floor(math.log10(margin) - 1)
    step = max(step, 1.0) if profile.type == "integer" else step
    least = math.floor((max(low - margin, 0.0) if low >= 0 else low - margin) / step) * step
    return round(least, 12), round(math.ceil((high + margin) / step) * step, 12)


def values_of(profile: Profile) -> list[int] | list[str]:
    """List the different values of a column, as a problem file would write them."""
    texts = {as_text(value) for value in profile.values}
    if profile.type == "integer":
        return sorted(int(text) for text in texts)
    return sorted(texts)
