"""Writes a problem file from what was guessed, with a comment wherever it was."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import indent

import yaml

from scripts.problem_files.columns import Profile, to_name
from scripts.problem_files.guesses import (
    Key,
    Label,
    Time,
    as_label,
    guess_features,
    guess_key,
    guess_labels,
    guess_range,
    guess_time,
    values_of,
)
from scripts.problem_files.label_logs import LabelLog, guess_label_log
from scripts.problem_files.sample import Sample
from scripts.problem_files.sql_text import literal, quote

_LEFT_TO_FILL = "# fill in"
_MOST_VALUES = 12
_WIDTH = 120


@dataclass(frozen=True)
class Proposal:
    """A problem file that nobody has looked at yet.

    Attributes:
        name: of the problem.
        text: of the file.
        notes: what to know beside it, in sentences.
    """

    name: str
    text: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Log:
    """A sample, and what is known of its fields.

    Attributes:
        n_left_out: fields that have no profile.
    """

    sample: Sample
    profiles: tuple[Profile, ...]
    n_left_out: int = 0


def propose(log: Log, others: Sequence[Log] = (), name: str | None = None, label: str | None = None) -> Proposal:
    """Propose a problem.

    Args:
        log: whose rows are decided on.
        others: logs that belong to the same problem.
        name: of the problem; made of the file's name without it.
        label: column to predict, or the log that says what became of a row; without one, a log that does is taken,
            and what else might be predicted is written as comments.
    """
    sample, profiles = log.sample, log.profiles
    named = {name_problem(other.sample.path.name): other for other in others}
    name = name or name_problem(sample.path.name)
    time = guess_time(profiles, sample.path.name)
    key = guess_key(profiles, time)
    labels = guess_labels(profiles, key, time)
    chosen = next((as_label(profile) for profile in profiles if label in {profile.name, profile.field}), None)
    held = {own: (other.profiles, guess_time(other.profiles, other.sample.path.name)) for own, other in named.items()}
    came = guess_label_log((profiles, time), key, held, label) if chosen is None else None
    parts = [
        _head(sample, name, len(profiles)),
        "source:\n" + indent(_source(log, name, time, key), "  "),
        _sources(named, name),
        _quality(profiles, time, key),
        _of_log(came, profiles, time, key) if came else _learning(profiles, time, key, chosen, labels),
        _monitor(profiles, time, key, chosen.column if chosen else "") if chosen or came else "",
    ]
    notes = [note for one in (log, *others) for note in _notes(one.sample, one.n_left_out)]
    return Proposal(name, "\n".join(part for part in parts if part), tuple(notes))


def name_problem(file_name: str) -> str:
    """Name a problem after a file: its words without dates and endings."""
    words = [word for word in to_name(file_name.partition(".")[0]).split("_") if not re.fullmatch(r"c?\d+", word)]
    return "_".join(word for word in words if word and word != "c") or "my_problem"


def _head(sample: Sample, name: str, n_fields: int) -> str:
    """Write who and why, and what the file was made of."""
    seen = f"{'all' if sample.is_whole else 'the first'} {sample.n_seen:,} records of {sample.path.name}"
    n_flawed = sum(sample.flaws.values())
    flawed = f", {n_flawed} records that cannot be read" if n_flawed else ""
    return f"""# yaml-language-server: $schema=problem.schema.json
# Proposed from {seen} ({sample.read_as}, {n_fields} fields{flawed}).
# What stands behind a # was guessed: look it over, then `make check-problem NAME={name}`.
name: {flow(name)}
title: {flow(name.replace("_", " ").capitalize())}
why: What is decided by it, and what a wrong decision costs.  {_LEFT_TO_FILL}
owner: data  {_LEFT_TO_FILL}
escalation: data  {_LEFT_TO_FILL}
# Its DAGs begin as soon as a file lies in landing; without this line somebody unpauses them in Airflow.
active: true
"""


def _sources(others: Mapping[str, Log], name: str) -> str:
    """Write the other logs of a problem, each under a name made of its file's."""
    if not others:
        return ""
    lines = ["sources:"]
    for own, log in others.items():
        time = guess_time(log.profiles, log.sample.path.name)
        lines += [
            f"  {flow(own)}:",
            indent(_source(log, f"{name}_{own}", time, guess_key(log.profiles, time)), "    ").rstrip(),
        ]
    return "\n".join(lines) + "\n"


def _source(log: Log, landing: str, time: Time, key: Key) -> str:
    """Write where a log lands and what its columns are."""
    sample, profiles = log.sample, log.profiles
    plain = {"jsonl": "jsonl", "csv": "csv", "parquet": "parquet", "access_log": "access_log"}
    read_as = plain.get(sample.read_as, "auto")
    lines = [
        f"landing: {flow(landing)}",
        f"format: {read_as}  # the sample is {sample.read_as}; auto recognises each file by itself",
        f"grain: {time.grain}  # a partition is one {time.grain}; hour, day and month are known",
        f"key: [{', '.join(key.columns)}]  # {key.why}",
        f"event_time: {time.rule}  # {time.why}",
    ]
    if time.others:
        lines.append(f"# Other times that could be it: {', '.join(time.others)}.")
    lines.append("columns:")
    for profile in profiles:
        lines += _column(profile, is_key=profile.name in key.columns)
    return "\n".join(lines) + "\n"


def _column(profile: Profile, *, is_key: bool) -> list[str]:
    """Write one column, its notes above it."""
    said: dict[str, object] = {"type": profile.type}
    if len(profile.path) > 1:
        said["path"] = list(profile.path)
    elif profile.path[0] != profile.name:
        said["from"] = profile.path[0]
    if profile.format:
        said["format"] = profile.format
    if profile.missing:
        said["missing"] = list(profile.missing)
    is_measured = profile.is_number and not is_key
    if is_measured:
        said["unit"] = profile.unit
    if profile.pii != "none":
        said["pii"] = profile.pii
    notes = [f"  # {profile.name}: {note}." for note in profile.notes]
    return [*notes, f"  {profile.name}: {flow(said)}{'  # unit?' if is_measured and not profile.unit else ''}"]


def flow(value: object) -> str:
    """Write a value as YAML in one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=math.inf, sort_keys=False, allow_unicode=True)
        .removesuffix("...\n")
        .strip()
    )


def _quality(profiles: Sequence[Profile], time: Time, key: Key) -> str:
    """Write what must hold, from the sample, with margins."""
    lines = [_expectation("ExpectTableRowCountToBeBetween", None, "stop", {"min_value": 1})]
    named = [name for name in (*key.columns, time.column) if name and not name.startswith("_")]
    lines += [_expectation("ExpectColumnValuesToNotBeNull", name, "stop", {}) for name in dict.fromkeys(named)]
    for profile in profiles:
        if profile.name in named or not profile.values:
            continue
        if profile.is_number and profile.n_distinct > 2:
            low, high = guess_range(profile)
            bounds = {"min_value": _plain(low), "max_value": _plain(high)}
            lines.append(_expectation("ExpectColumnValuesToBeBetween", profile.name, "warn", bounds))
        elif profile.type == "string" and profile.pii == "none" and 1 < profile.n_distinct <= _MOST_VALUES:
            lines.append(
                _expectation(
                    "ExpectColumnValuesToBeInSet",
                    profile.name,
                    "warn",
                    {"value_set": values_of(profile), "mostly": 0.99},
                )
            )
        if 0.2 < profile.share < 1.0 or (profile.share == 1.0 and profile.type == "boolean"):
            mostly = {"mostly": round(max(profile.share - 0.1, 0.05), 2)}
            lines.append(_expectation("ExpectColumnValuesToNotBeNull", profile.name, "warn", mostly))
    about = (
        "    # From the sample: ranges wider by half, shares lower by a tenth. stop keeps a partition out, warn tells."
    )
    return "\n".join(["quality:", "  expectations:", about, *lines]) + "\n"


def _expectation(expect: str, column: str | None, severity: str, arguments: Mapping[str, object]) -> str:
    """Write one expectation."""
    about = {"column": column} if column else {}
    more = {"arguments": arguments} if arguments else {}
    return f"    - {flow({'expect': expect, **about, 'severity': severity, **more})}"


def _plain(number: float) -> float | int:
    """Write a whole number without a point."""
    return int(number) if number == int(number) else number


def _learning(profiles: Sequence[Profile], time: Time, key: Key, chosen: Label | None, labels: Sequence[Label]) -> str:
    """Write the label and how it is learned; as comments where nobody has chosen one."""
    if chosen is not None:
        return _of_label(chosen, profiles, time, key)
    if not labels:
        about = "# No column looks like something to predict."
        return f"{about} Where people give the answers: label, value, training and review.\n"
    best: dict[str, Label] = {}
    for label in labels:
        best.setdefault(label.kind, label)
    found = ", ".join(f"{label.column} ({label.kind.replace('_', ' ')})" for label in labels[:8])
    lines = [
        f"# What might be predicted: {found}.",
        "# `make problem` with LABEL=column writes its sections; the likeliest of each kind:",
    ]
    for label in best.values():
        lines += ["#", *(f"# {line}".rstrip() for line in _label(label, profiles).removeprefix("# ").splitlines())]
    return "\n".join(lines) + "\n"


def _of_log(came: LabelLog, profiles: Sequence[Profile], time: Time, key: Key) -> str:
    """Write all sections that learn whether something comes in another log."""
    label = Label("", "two_classes", (came.name, f"no_{came.name}"))
    row_time = next((profile for profile in profiles if profile.name == time.column), None)
    moments = row_time.times() if row_time else []
    is_longer = bool(moments) and came.within_days > (max(moments) - min(moments)).days + 1
    lines = [
        *(
            ["# No row of the sample is old enough for its label to be known: more of the log is needed."]
            if is_longer
            else []
        ),
        "# Of a row that the other log names within the period it is said that something came; else that nothing did.",
        "label:",
        f"  classes: {flow([f'no_{came.name}', came.name])}",
        f"  positive: {flow(came.name)}",
        "  source: log",
        f"  from: {flow(came.name)}",
        *([f"  on: {flow(dict(came.on))}"] if came.on else []),
        f"  within: P{came.within_days}D  # {came.why}; a label is known when the period is over",
        f"  absent: no_{came.name}",
    ]
    return _sections(label, "\n".join(lines) + "\n", guess_features(profiles, _not_read(key, time)), profiles, time)


def _not_read(key: Key, time: Time, column: str = "") -> list[str]:
    """Name the columns that no model reads: the key, the time and the label."""
    return [name for name in (column, *key.columns, time.column) if name]


def _of_label(label: Label, profiles: Sequence[Profile], time: Time, key: Key) -> str:
    """Write all sections that learn a column."""
    features = guess_features(profiles, _not_read(key, time, label.column))
    if label.kind == "quantity":  # whose candidates read no texts
        features["text"] = []
    return _sections(label, _label(label, profiles), features, profiles, time)


def _sections(
    label: Label, written: str, features: Mapping[str, list[str]], profiles: Sequence[Profile], time: Time
) -> str:
    """Write what a label is worth and how it is learned, below the label."""
    parts = [written]
    if not any(features.values()):
        return f"{parts[0]}# There is nothing that a model of {label.kind.replace('_', ' ')} could read.\n"
    parts.append(_value(label))
    models = ["text_logistic"] if features["text"] and not (features["numeric"] or features["categorical"]) else []
    simple = {"two_classes": ["scorecard"], "several_classes": ["scorecard"], "quantity": ["seasonal_naive", "linear"]}
    models = models or [*simple.get(label.kind, []), "gradient_boosting"]
    lines = [
        "training:",
        f"  models: {flow(models)}",
        "  # A first model after so many partitions: one to fit on, one to calibrate on, one to measure on at least.",
        f"  first: {_n_half(profiles, time, 3)}",
        "  every: 1",
        "  # Remove whatever is known only after the decision, and write `known: later` at its column.",
        "  features:",
        *(f"    {kind}: {flow(names)}" for kind, names in features.items() if names),
    ]
    return "\n".join([*parts, "\n".join(lines)]) + "\n"


def _n_half(profiles: Sequence[Profile], time: Time, least: int) -> int:
    """Count half of the partitions of the sample: six at most, and `least` at least."""
    profile = next((p for p in profiles if p.name == time.column), None)
    cut = {"hour": 13, "day": 10, "month": 7}[time.grain]
    n_partitions = len({moment.isoformat()[:cut] for moment in profile.times()}) if profile else 1
    return min(max(n_partitions // 2, least), 6)


def _label(label: Label, profiles: Sequence[Profile]) -> str:
    """Write the section label."""
    profile = next(p for p in profiles if p.name == label.column)
    column = quote(label.column)
    if label.kind == "two_classes":
        positive = label.classes[0]
        names = [_class_name(label, text) for text in reversed(label.classes)]
        same = f"{column} = {literal(profile, positive)}"
        lines = [
            "label:",
            f"  classes: {flow(names)}",
            f"  positive: {flow(_class_name(label, positive))}  # the rarer one",
            "  source: log",
            f"  known_when: {flow(f'{column} IS NOT NULL')}",
            f"  positive_when: {flow(same)}",
        ]
    elif label.kind == "several_classes":
        value = column if profile.type == "string" else f"CAST({column} AS VARCHAR)"
        lines = [
            "label:",
            f"  classes: {flow(list(reversed(label.classes)))}",
            "  source: log",
            f"  known_when: {flow(f'{column} IS NOT NULL')}",
            f"  value: {flow(value)}",
        ]
    else:
        lines = [
            "label:",
            f"  quantity: {{unit: {flow(label.column.replace('_', ' '))}}}",
            "  source: log",
            f"  known_when: {flow(f'{column} IS NOT NULL')}",
            f"  value: {column}",
        ]
    return "\n".join(lines) + "\n"


def _class_name(label: Label, text: str) -> str:
    """Name a class: as it stands, and no and yes where a column says 0 and 1, or false and true."""
    said = {"0": "no", "1": "yes", "false": "no", "true": "yes"}
    return said[text.lower()] if {one.lower() for one in label.classes} <= said.keys() else text


def _value(label: Label) -> str:
    """Write what decisions are worth."""
    if label.kind == "several_classes":
        return "value:\n  unit: right answers  # a right class earns 1; write payoff for what each action earns\n"
    if label.kind == "quantity":
        said = "  # What each unit costs that was planned too much, and too little: fill in. What to plan follows."
        return f"value:\n  unit: points\n{said}\n  over: 1\n  under: 1\n"
    lines = [
        "value:",
        "  unit: points",
        "  # What each outcome earns or costs: fill in. From which probability on it pays to act follows from them.",
        "  true_positive: 1",
        "  false_positive: -1",
        "  true_negative: 0",
        "  false_negative: -1",
    ]
    return "\n".join(lines) + "\n"


def _monitor(profiles: Sequence[Profile], time: Time, key: Key, column: str) -> str:
    """Write what is watched, where a model is."""
    features = guess_features(profiles, _not_read(key, time, column))
    watched = [*features["numeric"], *features["categorical"]][:12]
    if not watched:
        return ""
    reference = f"  reference_partitions: {_n_half(profiles, time, 1)}  # what later partitions are compared with"
    return "\n".join(["monitor:", f"  features: {flow(watched)}", reference]) + "\n"


def _notes(sample: Sample, n_left_out: int) -> list[str]:
    """Say what to know beside the file."""
    notes = [f"{n} records cannot be read: {reason}." for reason, n in sample.flaws.items()]
    if sample.encoding:
        path, encoding = sample.path, sample.encoding.upper()
        command = f"iconv -f {encoding} -t UTF-8 {path.name} > {path.stem}.utf8{path.suffix}"
        notes.append(f"The file is {encoding}, and landing reads UTF-8: {command}")
    if n_left_out:
        notes.append(f"{n_left_out} more fields were left out; undeclared fields are kept in _unknown_fields.")
    return notes
