"""The time line of one problem: what happened, the newest first, each with a link to what caused it.

What does not belong here: SQL (`include/warehouse/timeline_queries.py`), words (`timeline_texts.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from include.monitoring.alert_words import name_cause
from include.warehouse import timeline_queries
from include.warehouse.page_parts import PageParts

Row = dict[str, Any]
KINDS: dict[str, Callable[[Connection, str, int], list[Row]]] = {
    "versions": timeline_queries.version_events,
    "alerts": timeline_queries.alert_events,
    "batches": timeline_queries.batch_events,
    "decisions": timeline_queries.decision_events,
    "questions": timeline_queries.question_events,
    "withdrawals": timeline_queries.withdrawal_events,
    "erasures": timeline_queries.erasure_events,
}
COLUMNS = ("happened_at_utc", "kind", "event", "subject", "partition_key", "actor", "reason", "n_affected")
N_A_PAGE = 100
MOST_READ = 1_000  # of each kind, for the page
MOST_SENT = 20_000  # of each kind, as CSV
RUNS = ("asset_triggered__", "scheduled__", "manual__", "backfill__")  # how Airflow begins the name of a run


@dataclass(frozen=True)
class TimeLine:
    """What happened to one problem.

    Attributes:
        events: the newest first, each a row with its `kind`.
        complete_since: older events were left out, and of this moment perhaps some, because not all of them were read;
            None where all were.
        missing: kinds that could not be read.
    """

    events: Sequence[Row]
    complete_since: datetime | None
    missing: Sequence[str]


def read_events(connection: Connection, problem: str, most: int, kind: str = "") -> TimeLine:
    """Read what happened; where there is more of a kind than is read, nothing older than it is shown of any kind.

    Args:
        most: events read of each kind, at most.
        kind: the only kind that is read; empty means all.

    Raises:
        KeyError: there is no such kind.
        SQLAlchemyError: the warehouse could not be reached.
    """
    parts = PageParts(connection, problem)
    events: list[Row] = []
    since: datetime | None = None
    for name, query in {kind: KINDS[kind]}.items() if kind else KINDS.items():
        rows = parts.read(name, query, [], problem, most + 1)
        if len(rows) > most:
            oldest: datetime = rows[most - 1]["happened_at_utc"]
            since = oldest if since is None else max(since, oldest)
        events += [row | {"kind": name} for row in rows[:most]]
    shown = [event for event in events if since is None or event["happened_at_utc"] >= since]
    # The sort is stable: of one moment, the kinds keep their order.
    shown.sort(key=lambda event: event["happened_at_utc"], reverse=True)
    return TimeLine(shown, since, parts.missing)


def describe(event: Row, problem: str, audited: frozenset[str], words: Mapping[str, str], language: str) -> Row:
    """Say an event in a sentence, and where it leads.

    Args:
        audited: partitions that have a page of Data Docs.

    Returns:
        the event with `said`, `href` (empty where nothing is to be seen), `partition_href`, and `who`.
    """
    kind, subject, key = event["kind"], event["subject"] or "", event["partition_key"]
    name = name_cause(language, subject) if kind == "alerts" else subject
    n = "" if event["n_affected"] is None else f"{event['n_affected']:,}"
    pattern = words.get(f"{kind}_{event['event']}", words["other_event"])
    actor = event["actor"] or ""
    known = {"monitor": words["monitor"]} if kind == "alerts" else {}
    who = words["run"] if actor.startswith(RUNS) else known.get(actor, actor)
    said = pattern.format(name=name, n=n, event=event["event"].replace("_", " "))
    address = f"../audits/{problem}/{quote(key, safe='')}" if key in audited and kind != "batches" else ""
    return event | {"said": said, "href": _address(event, problem, language), "partition_href": address, "who": who}


def _address(event: Row, problem: str, language: str) -> str:
    """Give the address of what an event is about; empty where there is no page of it, as of an erased person."""
    subject, kind = event["subject"] or "", event["kind"]
    if kind == "versions":
        return f"../../models/card?{urlencode({'problem': problem, 'version': subject}, quote_via=quote)}"
    if kind == "alerts":
        return f"../alerts/{problem}?lang={language}"
    if kind == "batches":
        return f"../../desk/#/{quote(problem, safe='')}/{quote(subject, safe='')}"
    if kind in {"decisions", "questions"}:
        about = {"problem": problem, "experiment": subject, "lang": language}
        return f"../../experiments/experiment?{urlencode(about, quote_via=quote)}"
    return ""


def page_values(line: TimeLine, page: int) -> Row:
    """Cut one page out of a time line; a page beyond its end has no events.

    Returns:
        events of the page, first and last as places from 1, n_events of all, newer and older: numbers of the pages
        beside it, None where there is none.
    """
    start, n_events = (page - 1) * N_A_PAGE, len(line.events)
    shown = line.events[start : start + N_A_PAGE]
    return {
        "events": shown,
        "first": start + 1,
        "last": start + len(shown),
        "n_events": n_events,
        "newer": min(page - 1, -(-n_events // N_A_PAGE)) or None,
        "older": page + 1 if start + N_A_PAGE < n_events else None,
    }
