"""Tells whether a problem's file asks something else of a row than before.

What does not belong here: what a partition is ingested by, which is the problem itself.
"""

import hashlib
import json

from include.problems.schema import Problem

_SAID_TO_PEOPLE = frozenset({"description", "unit"})


def hash_ingest_rules(problem: Problem) -> str:
    """Hash what decides whether a partition is published: its source and its quality, without what only people read.

    What says the same as leaving it out is left out: a newer release with one more optional field is no other rule.

    Args:
        problem: a problem, or one of its other logs.

    Returns:
        sha256, the same for the same rules however the file is laid out.
    """
    source = problem.source.model_dump(mode="json", by_alias=True, exclude={"lags", "quality"}, exclude_defaults=True)
    quality = problem.quality.model_dump(mode="json", by_alias=True, exclude_defaults=True) if problem.quality else None
    rules = _without_words({"source": source, "quality": quality})
    return hashlib.sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()


def _without_words(said: object) -> object:
    """Leave out what only people read, at any depth."""
    if isinstance(said, dict):
        return {name: _without_words(value) for name, value in said.items() if name not in _SAID_TO_PEOPLE}
    return [_without_words(value) for value in said] if isinstance(said, list) else said
