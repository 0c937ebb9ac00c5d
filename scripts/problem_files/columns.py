"""Guesses from a sample what each field of a log is: name, type, form of a time, missing codes, privacy class."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from scripts.problem_files.sample import Record

Type = Literal["string", "integer", "number", "boolean", "timestamp", "json"]
Step = str | int
Scalar = str | int | float | bool

MOST_COLUMNS = 200
_DEEPEST = 4
_LONGEST_NAME = 48
# Words for "nobody knows" that only stand for themselves where numbers or times are; the first ones anywhere.
_WORDS = ("?", "NA", "N/A", "n/a", "#N/A", "NULL", "null", "\\N", "None", "none", "-", "--", ".", "unknown", "missing")
_WORDS_ANYWHERE = frozenset(_WORDS[:8])
_NEGATIVE_CODES = frozenset({-7, -8, -9, -99, -999, -9999, -99999})
_LARGE_CODES = frozenset({999, 9999, 99999, 999999})
_WHOLE = re.compile(r"[+-]?\d{1,18}")
_LONG_WHOLE = re.compile(r"[+-]?\d{19,}")
_PADDED = re.compile(r"0\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d{1,3}(?:\.\d{3})*,\d+|[+-]?\d+,\d+")
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d(?::?\d\d(?::?\d\d(?:[.,]\d+)?)?)?\s*(?:[Zz]|[+-]\d\d:?(?:\d\d)?)?)?")
_EMAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,}")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}")
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y")
_CLOCKS = ("", " %H:%M:%S", " %H:%M", "T%H:%M:%S")
TIME_FORMATS = tuple(f"{date}{clock}" for date in _DATES for clock in _CLOCKS)
_TIME_WORDS = re.compile(r"(^|_)(time|date|datetime|timestamp|ts|at|epoch|created|updated|sent|when|day|dt)(_|$)")
_EPOCHS = {"epoch_seconds": 1, "epoch_milliseconds": 1_000, "epoch_microseconds": 1_000_000}
_FIRST_EPOCH, _LAST_EPOCH = 946_684_800, 2_208_988_800  # 2000 to 2040, in seconds
_CONTACT = re.compile(r"(^|_)(e?_?mail|phone|mobile|telephone|tel|fax|address|addr)(_|$)")
_PERSON = re.compile(
    r"(^|_)(user|login|customer|member|client|patient|person|account|employee|subscriber|visitor|reviewer|author|actor|"
    r"full_name|first_name|last_name|surname|ssn|passport|ip|remote_host|forwarded_for|device_id|cookie)(_|$)"
)
_PERSON_TAIL = re.compile(r"(^|_)(id|no|nr|number|key|uuid|guid|hash|name|login|ip|host|for)$")
_WORDS_OF_TEXT, _MANY_TEXTS = 4, 100
# The last word of a name that is a unit.
_UNITS = {"pct": "percent", "mph": "miles per hour", "sec": "seconds", "min": "minutes"}
_PLAIN_UNITS = re.compile(
    r"mm|cm|km|g|kg|ms|usd|eur|krw|dollars|bytes|percent|miles|seconds|minutes|hours|days|months|years"
)


@dataclass
class Profile:
    """What a sample says of one field.

    Attributes:
        name: the column's.
        path: names of fields that lead to the value; one of a field at the top.
        type: as guessed.
        format: how a time is written, where it is not ISO 8601.
        missing: codes that stand for none.
        pii: privacy class, as guessed.
        unit: where the field says it.
        notes: what was guessed, in sentences, for whoever reads the file.
        values: those that are there, as they stand, without codes.
        n_records: of the sample.
    """

    name: str
    path: tuple[Step, ...]
    type: Type = "string"
    format: str | None = None
    missing: tuple[Scalar, ...] = ()
    pii: Literal["none", "identifier", "contact", "free_text"] = "none"
    unit: str = ""
    notes: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    n_records: int = 0

    @property
    def field(self) -> str:
        """The field as a person would name it."""
        return ".".join(str(step) for step in self.path)

    @property
    def share(self) -> float:
        """In how many of the records it holds something, 0..1."""
        return len(self.values) / self.n_records if self.n_records else 0.0

    @property
    def texts(self) -> list[str]:
        """The values as text."""
        return [as_text(value) for value in self.values]

    @property
    def n_distinct(self) -> int:
        """How many different values there are."""
        return len(set(self.texts))

    @property
    def numbers(self) -> list[float]:
        """The values of a column of numbers."""
        return [float(text) for text in self.texts]

    @property
    def is_number(self) -> bool:
        """Whether it is counted or measured."""
        return self.type in {"integer", "number"} and self.pii == "none"

    def times(self) -> list[datetime]:
        """The values of a column of times, in UTC; those that cannot be read are left out."""
        found = [read_time(text, self.format) for text in self.texts]
        return [moment for moment in found if moment is not None]


def profile_fields(records: Sequence[Record]) -> tuple[list[Profile], int]:
    """Profile every field of a sample, nested ones by their path, in the order in which they first stand.

    Returns:
        the profiles, and how many fields were left out because there are more than a table should have.
    """
    held: dict[tuple[Step, ...], list[object]] = {}
    for record in records:
        for path, value in _leaves(record, ()):
            held.setdefault(path, []).append(value)
    # A field that is an object in one record and a value in the next is one thing, kept whole.
    mixed = {path for path in held if any(other != path and other[: len(path)] == path for other in held)}
    kept = {path: values for path, values in held.items() if not any(path[:n] in mixed for n in range(1, len(path)))}
    names = name_columns(list(kept))
    profiles = [
        _profile(names[path], path, values, len(records), is_mixed=path in mixed) for path, values in kept.items()
    ]
    return profiles[:MOST_COLUMNS], max(len(profiles) - MOST_COLUMNS, 0)


def _leaves(value: Mapping[str, object], path: tuple[Step, ...]) -> Iterable[tuple[tuple[Step, ...], object]]:
    """Give what stands in a record, with the way to it."""
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and len(path) + 1 < _DEEPEST:
            yield from _leaves(inner, (*path, name))
        else:
            yield (*path, name), inner


def name_columns(paths: Sequence[tuple[Step, ...]]) -> dict[tuple[Step, ...], str]:
    """Give each field a column's name: small letters, digits and _, each once."""
    names: dict[tuple[Step, ...], str] = {}
    for place, path in enumerate(paths, 1):
        name = to_name(".".join(str(step) for step in path)) or f"column_{place}"
        if name == "event_time":
            name = "event_time_as_logged"  # what a rule for the event time becomes
        free, number = name, 2
        while free in names.values():
            free, number = f"{name[: _LONGEST_NAME - 4]}_{number}", number + 1
        names[path] = free
    return names


def to_name(text: str) -> str:
    """Write a text as a name; empty where nothing is left of it."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", plain)
    name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return (f"c_{name}" if name[:1].isdigit() else name)[:_LONGEST_NAME].strip("_")


def as_text(value: object) -> str:
    """Write a value as a log would."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _profile(name: str, path: tuple[Step, ...], values: list[object], n: int, *, is_mixed: bool) -> Profile:
    """Guess all that one field's values say."""
    there = [value for value in values if value is not None and as_text(value).strip() != ""]
    profile = Profile(name, path, values=there, n_records=n)
    if is_mixed or any(isinstance(value, dict | list) for value in there):
        profile.type, profile.pii = "json", "free_text"
        profile.notes.append("kept whole, masked value by value; take fields out of it with path: [...]")
        return profile
    if not there:
        profile.notes.append("holds nothing in the sample, so its type is a guess")
        return profile
    _guess_type(profile)
    _guess_class(profile)
    last = profile.name.rpartition("_")[2]
    profile.unit = last if _PLAIN_UNITS.fullmatch(last) else _UNITS.get(last, "")
    return profile


def _guess_type(profile: Profile) -> None:
    """Find the narrowest type that all values have, codes for "nobody knows" left aside."""
    texts = profile.texts
    counted = Counter(texts)
    codes = [word for word in _WORDS if word in counted]
    kind, form = _narrowest([text for text in counted if text not in codes], profile.name)
    if codes and (kind != "string" or _WORDS_ANYWHERE.issuperset(codes)):
        profile.missing = tuple(codes)
        profile.values = [value for value in profile.values if as_text(value) not in codes]
        shown = ", ".join(f"{code!r} {counted[code]} times" for code in codes)
        profile.notes.append(f"taken as missing: {shown}")
    elif codes:
        kind, form = _narrowest(list(counted), profile.name)
    profile.type, profile.format = kind, form
    if form in TIME_FORMATS and form[:5] in {"%d/%m", "%m/%d"} and _narrowest_other(counted, form):
        profile.notes.append(f"{form} and {_narrowest_other(counted, form)} both fit: say which it is")
    if kind in {"integer", "number"}:
        _guess_number_codes(profile)
    if kind == "string" and all(_DECIMAL_COMMA.fullmatch(text) for text in counted):
        profile.notes.append("numbers with a decimal comma stay text; under derive: a column computes them")
    if kind == "string" and all(text.isdigit() for text in counted) and any(map(_PADDED.fullmatch, counted)):
        profile.notes.append("digits with zeros in front, so a code and no number")


def _narrowest(texts: Sequence[str], name: str) -> tuple[Type, str | None]:
    """Say the type of some different texts, and how a time is written."""
    if not texts:
        return "string", None
    if all(text.lower() in {"true", "false"} for text in texts):
        return "boolean", None
    if all(_WHOLE.fullmatch(text.strip()) for text in texts):
        if any(_PADDED.fullmatch(text.strip()) for text in texts):
            return "string", None
        epoch = _epoch([int(text) for text in texts]) if _TIME_WORDS.search(name) else None
        return ("timestamp", epoch) if epoch else ("integer", None)
    if any(_LONG_WHOLE.fullmatch(text.strip()) for text in texts):
        return "string", None  # longer than a number keeps every digit of
    finite = [text for text in texts if text.strip().lower() not in {"nan", "inf", "-inf", "infinity", "-infinity"}]
    if finite and all(_NUMBER.fullmatch(text.strip()) for text in finite):
        return "number", None
    if all(_ISO.fullmatch(text.strip()) and read_time(text, None) for text in texts):
        return "timestamp", None
    form = next((form for form in TIME_FORMATS if all(read_time(text, form) for text in texts)), None)
    return ("timestamp", form) if form else ("string", None)


def _narrowest_other(texts: Iterable[str], form: str) -> str | None:
    """Name the format with day and month the other way round, where it fits, too."""
    swapped = form.translate(str.maketrans("dm", "md"))
    return swapped if all(read_time(text, swapped) for text in texts) else None


def _epoch(numbers: Sequence[int]) -> str | None:
    """Say in which unit numbers count since 1970; None where they are hardly times."""
    for name, per_second in _EPOCHS.items():
        if all(_FIRST_EPOCH <= number / per_second <= _LAST_EPOCH for number in numbers):
            return name
    return None


def read_time(text: str, form: str | None) -> datetime | None:
    """Read a time; without a zone it is UTC. None where it is none."""
    try:
        if form in _EPOCHS:
            return datetime.fromtimestamp(int(text) / _EPOCHS[form], UTC)
        if form is not None:
            return datetime.strptime(text.strip(), form).replace(tzinfo=UTC)
        moment = datetime.fromisoformat(text.strip().replace(",", ".").replace("t", "T").replace("z", "Z"))
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _guess_number_codes(profile: Profile) -> None:
    """Take numbers far outside of the others, and written like codes, for missing ones."""
    counted = Counter(profile.numbers)
    negative = {value for value in counted if value in _NEGATIVE_CODES}
    others = [value for value in counted if value not in negative]
    found = negative if others and min(others) >= 0 else set()
    large = {value for value in counted if value in _LARGE_CODES and counted[value] > 1}
    rest = [value for value in counted if value not in large | found]
    if rest and large and min(large) > 5 * max(map(abs, rest)):
        found |= large
    if not found:
        return
    codes = sorted(int(value) for value in found)
    profile.missing += tuple(codes)
    profile.values = [value for value in profile.values if float(as_text(value)) not in found]
    shown = ", ".join(f"{code} {counted[float(code)]} times" for code in codes)
    profile.notes.append(f"taken as missing, for no other value is like them: {shown}")


def _guess_class(profile: Profile) -> None:
    """Guess whether values name a person, and say why."""
    texts = profile.texts[:2_000]
    if profile.type == "string" and texts:
        n_mails = sum(bool(_EMAIL.search(text)) for text in texts)
        n_words = sum(len(text.split()) for text in texts) / len(texts)
        if n_words >= _WORDS_OF_TEXT and len(set(texts)) > min(len(texts) / 4, _MANY_TEXTS):
            profile.pii = "free_text"
            profile.notes.append("people write whatever they like into texts: addresses and numbers in them are masked")
            return
        if n_mails > 0.3 * len(texts) or _CONTACT.search(profile.name):
            profile.pii = "contact"
            profile.notes.append("addresses" if n_mails else "its name says that people are reached by it")
            return
        if sum(bool(_IP.fullmatch(text)) for text in texts) > 0.8 * len(texts):
            profile.pii = "identifier"
            profile.notes.append("IP addresses name people")
            return
    names_people = _PERSON.search(profile.name) and _PERSON_TAIL.search(profile.name)
    if names_people and profile.type in {"string", "integer"}:
        profile.pii = "identifier"
        profile.notes.append("its name says that it tells people apart: stored as a keyed hash, which does so, too")


def guard_requests(profiles: Sequence[Profile]) -> None:
    """Class what an access log says of people, also where the sample holds none of it."""
    for profile in profiles:
        if profile.name in {"user", "remote_host", "forwarded_for"}:
            profile.pii, profile.notes = "identifier", ["says who asked: stored as a keyed hash"]
        elif profile.name in {"request", "path", "query", "referer", "user_agent"}:
            profile.pii, profile.notes = "free_text", ["links hold addresses and tokens: these are masked"]


def span_of(moments: Sequence[datetime]) -> timedelta:
    """Say how far apart the first and the last moment are."""
    return max(moments) - min(moments) if moments else timedelta()
