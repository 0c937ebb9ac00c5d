from datetime import UTC, datetime, timedelta

import pytest

from include.errors import BadProblem
from include.learning.data import active_rule
from include.learning.errors import BadRule
from include.problems.schema import Problem
from include.warehouse.loading import upsert_rows
from include.warehouse.tables.explaining import RULE_VERSION
from tests.include.learning.conftest import MAIL

NOW = datetime(2020, 1, 1, tzinfo=UTC)
OWN = "contains(subject, 'casino')"
PROBLEM = Problem.model_validate(MAIL | {"baseline": {"positive_when": OWN, "mine": "keywords"}})


def propose(connection, name: str, run_id: str = "run") -> None:
    row = {"problem": "mail", "rule_version": name, "status": active_rule.PROPOSED, "positive_when": f"is {name}"}
    row |= {"keywords": [name], "n_mined": 1, "n_measured": 1, "proposed_at_utc": NOW, "proposed_by": run_id}
    upsert_rows(connection, RULE_VERSION, [row | {"decided_at_utc": None, "decided_by": None}])


def decide(connection, name: str, at: int, *, is_approved: bool) -> str:
    now = NOW + timedelta(hours=at)
    return active_rule.decide(connection, "mail", name, is_approved=is_approved, actor="ann", now=now)


def test_the_newest_approval_rules_and_the_file_before_there_is_one(house):
    with house.engine.begin() as connection:
        for name in ("rule-001", "rule-002", "rule-003"):
            propose(connection, name)
        assert active_rule.predicate_in_force(connection, PROBLEM) == OWN
        assert decide(connection, "rule-002", 1, is_approved=True) == "approved"
        assert decide(connection, "rule-001", 2, is_approved=True) == "approved"
        assert decide(connection, "rule-003", 3, is_approved=False) == "refused"
        assert active_rule.predicate_in_force(connection, PROBLEM) == "is rule-001"
        # What was decided stays, whatever is answered later.
        assert decide(connection, "rule-003", 4, is_approved=True) == "refused"
        assert active_rule.predicate_in_force(connection, PROBLEM) == "is rule-001"


def test_a_repeated_run_asks_about_its_own_rule_until_it_is_decided(house):
    with house.engine.begin() as connection:
        assert active_rule.name_proposal(connection, "mail", "run") == "rule-001"
        propose(connection, "rule-001")
        assert active_rule.name_proposal(connection, "mail", "run") == "rule-001"
        assert active_rule.name_proposal(connection, "mail", "another") == "rule-002"
        decide(connection, "rule-001", 1, is_approved=False)
        assert active_rule.name_proposal(connection, "mail", "run") == "rule-002"


def test_a_rule_that_never_was_and_a_problem_without_one_are_refused(house):
    with house.engine.begin() as connection:
        with pytest.raises(BadRule, match="mail has no rule 'rule-009'"):
            decide(connection, "rule-009", 1, is_approved=True)
        with pytest.raises(BadProblem, match="mail: there is no section baseline"):
            active_rule.predicate_in_force(connection, Problem.model_validate(MAIL))
