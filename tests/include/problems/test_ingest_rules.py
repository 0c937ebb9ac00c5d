import pytest

from include.problems.ingest_rules import hash_ingest_rules
from include.problems.schema import Problem
from include.problems.sections.source import Source
from tests.include.lake.conftest import PROBLEM

QUALITY = {"expectations": [{"expect": "ExpectTableRowCountToBeBetween", "severity": "stop"}]}
QUALITY["expectations"][0]["arguments"] = {"min_value": 2}


def hash_with(quality=QUALITY, columns=None, **changed):
    source = PROBLEM["source"] | {"columns": PROBLEM["source"]["columns"] | (columns or {})} | changed.pop("source", {})
    return hash_ingest_rules(Problem.model_validate(PROBLEM | {"source": source, "quality": quality} | changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"quality": None},
        {"quality": QUALITY | {"quarantine_at_most": 0.2}},
        {"columns": {"delay": {"type": "integer"}}},
        {"columns": {"delay": {"type": "number", "missing": [-9]}}},
        {"source": {"latest": "2015-01-01T00:00:00Z"}},
        {"source": {"derive": {"late": {"type": "boolean", "sql": "delay > 15"}}}},
    ],
)
def test_what_may_change_a_verdict_changes_the_hash(changed):
    assert hash_with(**changed) != hash_with()


@pytest.mark.parametrize(
    "changed",
    [
        {"why": "another reason"},
        {"columns": {"delay": {"type": "number", "description": "in minutes, since 2013", "unit": "min"}}},
        {"upkeep": {"snapshots": "P30D"}},
        {"columns": {"delay": {"type": "number", "missing": [], "known": "event"}}},
        {"source": {"latest": "2014-01-01T00:00:00Z", "missing": [], "derive": {}}},
        {"source": {"lags": {"n": {"per": "flight_id", "over": "P3D", "sql": "count(*)"}}}},
    ],
)
def test_what_only_people_or_later_stages_read_does_not(changed):
    assert hash_with(**changed) == hash_with()


def test_an_optional_field_of_a_newer_release_changes_nothing():
    class Newer(Source):
        added: str | None = None

    problem = Problem.model_validate(PROBLEM)
    newer = problem.model_copy(update={"source": Newer.model_validate(PROBLEM["source"])})
    assert hash_ingest_rules(newer) == hash_ingest_rules(problem)
