"""What a person reads when an alert is opened, escalated or closed.

What belongs here: the text, from what happened. What does not: who hears of it and when (`alert_outbox.py`), the words
themselves (`alert_words.py`), and by which notifier it goes (the DAG).
"""

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from include.monitoring.alert_words import LINES, name_cause
from include.monitoring.lateness import LATE

Row = Mapping[str, Any]
WIDTH = 78  # cells of a terminal; a Korean letter takes two
INDENT = "  "
LONGEST_SUBJECT = 150  # characters
LANGUAGES = {"en": ("en",), "ko": ("ko",), "both": ("ko", "en")}


@dataclass(frozen=True)
class Happening:
    """What a message is about.

    Attributes:
        event: row of `core.alert_event`.
        opened: row of `core.alert_event` with which this life of the alert began.
        alert: row of `core.alert` of that partition and cause; None where it stands no more.
        link: address of the problem's page of alerts; empty where nobody knows it.
    """

    event: Row
    opened: Row
    alert: Row | None
    link: str


def write_subject(happening: Happening, language: str) -> str:
    """Say in one line which problem has what; of two languages in the first, which a list of mails shows anyway."""
    event, first = happening.event, LANGUAGES[language][0]
    cause = name_cause(first, str(event["alert_id"]))
    return one_line(f"{event['problem']}: {LINES[first][event['event']]}: {cause}")[:LONGEST_SUBJECT]


def write_text(happening: Happening, language: str) -> str:
    """Say what is wrong, how many of how many, the worst, what was allowed, what to do, and where to look.

    Sentences that other steps wrote are as they wrote them, in English: masked values stay masked.
    """
    parts = ["\n".join(_lines(happening, one)) for one in LANGUAGES[language]]
    return "\n\n".join(parts) + "\n"


def facts_of(happening: Happening) -> dict[str, str | int]:
    """Name what a program wants to know of it."""
    names = ("problem", "alert_id", "event", "event_number", "partition_key")
    return {name: happening.event[name] for name in names} | {"link": happening.link}


def one_line(text: str) -> str:
    """Put a text on one line: whatever does not print, such as an end of a line, is a space."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def fold(text: str, width: int = WIDTH) -> list[str]:
    """Break a text into lines of at most so many cells, between words where that is possible."""
    lines: list[str] = []
    for word in one_line(text).split(" "):
        for piece in _pieces(word, width):
            if lines and cells(lines[-1]) + 1 + cells(piece) <= width:
                lines[-1] += f" {piece}"
            else:
                lines.append(piece)
    return lines


def cells(text: str) -> int:
    """Count the cells that a terminal shows a text in."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _lines(happening: Happening, language: str) -> Iterator[str]:
    """Give the lines of one language."""
    event, words = happening.event, LINES[language]
    kind, cause = str(event["event"]), name_cause(language, str(event["alert_id"]))
    yield from fold(f"[{words[kind]}] {cause}")
    said = [("problem", str(event["problem"])), ("partition", str(event["partition_key"]))]
    said += [("was" if kind == "closed" else "what", str(happening.opened["reason"]))]
    if kind == "closed":
        told = {"actor": event["actor"], "reason": event["reason"]}
        said += [("ended", words["by_person"].format(**told) if event["is_by_person"] else str(event["reason"]))]
    else:
        said += list(_figures(happening, words))
    said += [("why", str(event["reason"]))] * (kind == "escalated")
    said += [("do", words[f"do_{kind}"])]
    for name, text in said:
        yield f"{words[name]}:"
        yield from (f"{INDENT}{line}" for line in fold(text, WIDTH - len(INDENT)))
    if happening.link:
        yield from (f"{words['page']}:", f"{INDENT}{one_line(happening.link)}")


def _figures(happening: Happening, words: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Say how many of how many, and what is worst of them beside what was allowed."""
    alert, worst = happening.alert, happening.event
    if alert is not None and alert["n_watched"]:
        findings = alert["findings"] or []
        n = round(alert["value"]) if alert["alert_id"] == LATE else len(findings)
        yield "concerned", words["of_watched"].format(n=n, n_watched=alert["n_watched"])
        worst = findings[0] if findings and alert["alert_id"] != LATE else worst
    seen = {"value": f"{worst['value']:.4g}", "bound": f"{worst['bound']:.4g}"}
    yield "worst", words["worst_seen"].format(subject=worst["subject"], metric=worst["metric"], **seen)


def _pieces(word: str, width: int) -> Iterator[str]:
    """Cut a word that no line holds."""
    piece = ""
    for letter in word:
        if cells(piece) + cells(letter) > width:
            yield piece
            piece = ""
        piece += letter
    yield piece
