"""What a look can end with, and the page that is made of it.

What does not belong here: the looks themselves.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass

WIDTH = 80
# Of one finding's worst case: an error can be a page long.
MOST_CHARACTERS = 220


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        look: which look found it.
        what: what is wrong, as a sentence.
        n: how many of it there are.
        worst: the worst of them, named.
        do: the command or the page that mends it.
    """

    look: str
    what: str
    n: int
    worst: str
    do: str


@dataclass(frozen=True)
class Report:
    """What all looks together ended with.

    Attributes:
        where: the deployment that was looked at.
        findings: what is wrong, the most urgent first.
        fine: looks that found nothing.
        not_asked: looks that could not be made, each with why.
    """

    where: str
    findings: tuple[Finding, ...]
    fine: tuple[str, ...]
    not_asked: dict[str, str]

    @property
    def exit_code(self) -> int:
        """1 where something is wrong, or where nothing could be asked at all; 0 otherwise."""
        return 1 if self.findings or not self.fine else 0


def format_json(report: Report) -> str:
    """Return the report for a program."""
    facts = asdict(report) | {"is_well": report.exit_code == 0}
    return json.dumps(facts, indent=2, ensure_ascii=False)


def format_text(report: Report) -> str:
    """Return the report as a page of 80 columns."""
    lines = [_cut(f"Mulgil at {report.where}", WIDTH), ""]
    for number, finding in enumerate(report.findings, 1):
        lines += _wrapped(f"{number:>2}. ", f"{finding.what} ({finding.n:,})")
        lines += _wrapped("    worst: ", _cut(finding.worst, MOST_CHARACTERS))
        lines += [*_wrapped("    do:    ", finding.do), ""]
    if not report.findings:
        lines += ["Nothing is wrong." if report.fine else "Nothing could be looked at.", ""]
    if report.fine:
        lines += _wrapped("Fine:      ", ", ".join(report.fine))
    for why in dict.fromkeys(report.not_asked.values()):
        names = [name for name, reason in report.not_asked.items() if reason == why]
        lines += _wrapped("Not asked: ", f"{', '.join(names)}: {_cut(why, MOST_CHARACTERS)}")
    return "\n".join(lines)


def more(names: Sequence[str], most: int = 3) -> str:
    """Return the first of some names, and how many there are beside them."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest:,} more" if rest > 0 else "")


def _cut(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or [head]
