"""Writes the event log that ingest is measured with, and the problem file that describes it.

Events of an app as most logs have them: an id, a time, a user, a few words, two numbers and a flag, about 165 bytes
each, in the order they happened. The same seed gives the same file.
"""

from pathlib import Path

import numpy as np

PROBLEM = """\
name: app
title: Events of an app
why: To measure ingest.
owner: nobody
escalation: nobody
source:
  landing: app
  grain: hour
  key: [event_id]
  event_time: happened_at
  earliest: 2013-01-01T00:00:00Z
  latest: 2014-01-01T00:00:00Z
  columns:
    event_id: {type: string}
    happened_at: {type: timestamp}
    user_id: {type: string}
    kind: {type: string}
    country: {type: string}
    amount: {type: number}
    latency_ms: {type: integer}
    is_mobile: {type: boolean}
quality:
  expectations:
    - {expect: ExpectTableRowCountToBeBetween, severity: stop, arguments: {min_value: 1}}
    - {expect: ExpectColumnValuesToNotBeNull, column: event_id, severity: stop}
    - {expect: ExpectColumnValuesToNotBeNull, column: happened_at, severity: stop}
    - expect: ExpectColumnValuesToBeInSet
      column: kind
      severity: stop
      arguments: {value_set: [view, click, buy, like]}
    - expect: ExpectColumnValuesToBeBetween
      column: latency_ms
      severity: stop
      arguments: {min_value: 0, max_value: 60000}
    - expect: ExpectColumnValuesToBeBetween
      column: amount
      severity: warn
      arguments: {min_value: 0, max_value: 100000}
    - {expect: ExpectColumnMeanToBeBetween, column: amount, severity: warn, arguments: {min_value: 10, max_value: 100}}
"""
PARTITION = "2013-01-01T05"
_KINDS, _COUNTRIES = np.array(["view", "click", "buy", "like"]), np.array(["KR", "US", "DE", "JP", "BR"])
_CHUNK = 100_000


def write_log(path: Path, n_events: int, hour: str = PARTITION) -> None:
    """Write so many events of one hour as JSON lines."""
    rng = np.random.default_rng(20130101)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for start in range(0, n_events, _CHUNK):
            file.writelines(_lines(rng, start, min(_CHUNK, n_events - start), n_events, hour))


def _lines(rng: np.random.Generator, start: int, n: int, n_events: int, hour: str) -> list[str]:
    """Write some events."""
    at_ms = (np.arange(start, start + n) * 3_600_000) // n_events
    columns = zip(
        at_ms.tolist(),
        rng.integers(0, 200_000, n).tolist(),
        _KINDS[rng.integers(0, 4, n)].tolist(),
        _COUNTRIES[rng.integers(0, 5, n)].tolist(),
        rng.gamma(2, 20, n).tolist(),
        rng.integers(1, 3_000, n).tolist(),
        (rng.random(n) < 0.5).tolist(),
        strict=True,
    )
    return [
        f'{{"event_id":"e{start + i:010d}",'
        f'"happened_at":"{hour}:{ms // 60_000:02d}:{ms // 1_000 % 60:02d}.{ms % 1_000:03d}Z",'
        f'"user_id":"u{user}","kind":"{kind}","country":"{country}","amount":{amount:.2f},"latency_ms":{latency},'
        f'"is_mobile":{"true" if is_mobile else "false"}}}\n'
        for i, (ms, user, kind, country, amount, latency, is_mobile) in enumerate(columns)
    ]
