"""A problem whose experiment has an audience, to change one thing at a time; not a test file."""

import copy
from datetime import UTC, datetime
from typing import Any

import yaml

AUDIENCE = "mailing.audience"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

_MAILING = yaml.safe_load(
    """
name: mailing
title: t
why: w
owner: o
escalation: e
source:
  landing: mailing
  grain: day
  key: [event_id]
  event_time: at
  columns:
    event_id: {type: string}
    at: {type: timestamp}
    person: {type: string}
    event: {type: string}
    variant: {type: string}
    country: {type: string}
sources:
  audience:
    landing: audience
    grain: day
    key: [_object, _line]
    event_time: day
    columns:
      day: {type: timestamp}
      person: {type: string}
      country: {type: string}
experiment:
  unit: person
  event: event
  exposure: mailed
  reward: came
  variant: variant
  variants: [old, new]
  control: old
  salt: june
  pilot_until: "2026-06-10"
  attribution_window: P2D
  holdback_share: 0
  audience: {from: audience, unit: person}
"""
)


def make_problem(columns: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Make the problem with other columns of the audience, and other settings of its experiment."""
    problem: dict[str, Any] = copy.deepcopy(_MAILING)
    problem["layers"] = changes.pop("layers", {})
    problem["sources"]["audience"]["columns"] |= columns
    problem["experiment"] |= changes
    return problem


def people(n: int, prefix: str = "p") -> list[dict[str, str]]:
    """Name people of an audience."""
    return [{"person": f"{prefix}{number}"} for number in range(n)]
