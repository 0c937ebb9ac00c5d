"""Writes what Great Expectations would show about an audit, its Data Docs, as a piece of a page that runs nothing.

Its own pages load styles and scripts from six hosts. Kept here are its sections and tables: only elements that say what
a text is, and its class names, which our own style sheet knows. No value of a column with personal data is in them.
What does not belong here: who may read them (`plugins/reports`).
"""

import copy
import json
from collections.abc import Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from typing import Any

from include.quality.gx_context import (
    DefaultJinjaSectionView,
    ExpectationSuiteValidationResult,
    ValidationResultsPageRenderer,
)
from include.quality.suite import check_index_of
from include.quality.verdicts import Audit, CheckResult

_SHOWN = frozenset(
    {"code", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "p", "section", "span", "strong", "table"}
    | {"tbody", "td", "th", "thead", "tr", "ul"}
)
_COUNTS = ("element_count", "unexpected_count", "unexpected_percent")
_DEAD_END = "Show exception traceback..."  # unfolds what is not there: our answers hold its first words
_DROPPED = frozenset({"script", "style", "button", "template"})  # with all that is in them


def render_audit(audit: Audit) -> str:
    """Render an audit; the same answers give the same text.

    Returns:
        HTML without scripts, styles, links or addresses; a sentence where Great Expectations gave no answer, or cannot
        draw it: what a partition is like decides about it, and not whether a page about it can be drawn.
    """
    if audit.validation is None:
        reason = audit.refusal or "The problem has no expectations."
        return f"<p>Great Expectations has nothing to show. {escape(reason)}</p>"
    try:
        return _render(audit.validation, audit.results)
    except Exception as error:
        return f"<p>Great Expectations could not draw its page ({type(error).__name__}); its answers are stored.</p>"


def _render(validation: ExpectationSuiteValidationResult, results: Sequence[CheckResult]) -> str:
    """Render Great Expectations' sections, and keep what is harmless."""
    page = ValidationResultsPageRenderer().render(_harmless(validation, results))
    view = _open_view()
    # The first section says when it ran, and links to pages that are not there.
    sections = [section.to_json_dict() for section in page.sections[1:]]
    parts = [
        view.render({"section": section, "section_loop": {"index": number}}) for number, section in enumerate(sections)
    ]
    return "\n".join(keep_harmless(part) for part in parts)


@cache
def _open_view() -> Any:
    """Open Great Expectations' view of a section, once per process: it compiles its templates at their first use."""
    return DefaultJinjaSectionView()


def _harmless(
    validation: ExpectationSuiteValidationResult, results: Sequence[CheckResult]
) -> ExpectationSuiteValidationResult:
    """Copy a validation with what our own rows say of it: they withhold what would identify a person."""
    ours = {result.check_index: result for result in results}
    shown = copy.copy(validation)
    shown.results = []
    for answer in sorted(validation.results, key=check_index_of):
        row = ours[check_index_of(answer)]
        told = copy.copy(answer)
        # It writes a sentence about rows where it finds one of these, and fails where it does not find all.
        is_counted = {*_COUNTS} <= (answer.result or {}).keys()
        told.result = {name: answer.result[name] for name in _COUNTS} if is_counted else {}
        if row.observed is not None:
            told.result["observed_value"] = _value(row.observed)
        told.exception_info = {
            "raised_exception": row.error is not None,
            "exception_message": row.error or "",
            "exception_traceback": "",
        }
        shown.results.append(told)
    return shown


def _value(observed: str) -> object:
    """Read an observed value back from the text that it is stored as."""
    try:
        return json.loads(observed)
    except ValueError:
        return observed


def keep_harmless(html: str) -> str:
    """Keep of a page its text, and the elements that can neither run nor load anything: those allowed, no others."""
    keeper = _Keeper()
    keeper.feed(html)
    keeper.close()
    return "".join(keeper.parts)


class _Keeper(HTMLParser):
    """Writes allowed elements again, each with its class names alone, and all text escaped."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._n_dropped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Write an allowed element's begin."""
        self._n_dropped += tag in _DROPPED
        if tag in _SHOWN and not self._n_dropped:
            classes = escape(dict(attrs).get("class") or "")
            self.parts.append(f'<{tag} class="{classes}">' if classes else f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        """Write an allowed element's end."""
        if tag in _SHOWN and not self._n_dropped:
            self.parts.append(f"</{tag}>")
        self._n_dropped -= tag in _DROPPED and self._n_dropped > 0

    def handle_data(self, data: str) -> None:
        """Write text."""
        if not self._n_dropped and data.strip() != _DEAD_END:
            self.parts.append(escape(" ".join(data.split()) + " " if data.strip() else " "))
