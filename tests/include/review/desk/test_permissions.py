"""Who leads, and who has which skill, follows from roles and the problem's file."""

import pytest

from include.problems.sections.review import Route
from include.review.desk.permissions import Person, is_lead, skills_of
from tests.laid_desk import make_problem

PROBLEM = make_problem(leads=["kim", "Trust and safety"])


@pytest.mark.parametrize(
    ("person", "leads"),
    [
        (Person("zoe", frozenset({"Admin"})), True),
        (Person("zoe", frozenset({"Lead"})), True),
        (Person("kim"), True),
        (Person("zoe", frozenset({"TRUST AND SAFETY"})), True),
        (Person(PROBLEM.owner), True),
        (Person(PROBLEM.escalation), True),
        (Person("zoe", frozenset({"Reviewer", "Viewer", "Op"})), False),
        (Person("Kim"), False),
        (Person("Lead"), False),
    ],
)
def test_reports_of_people_are_for_leads_by_role_or_by_name(person: Person, leads: bool) -> None:
    assert is_lead(person, PROBLEM) is leads


def test_a_skill_comes_from_the_file_or_else_from_the_role_of_its_name() -> None:
    problem = make_problem(skills={"law": ["zoe"]})
    assert skills_of(Person("zoe"), problem) == {"law"}
    assert skills_of(Person("kim", frozenset({"law"})), problem) == frozenset()
    routed = make_problem(routes=[Route.model_construct(skill="law")])
    assert skills_of(Person("kim", frozenset({"Law"})), routed) == {"law"}
    assert skills_of(Person("law"), routed) == frozenset()  # a user name is no role


def test_a_lead_may_take_what_was_escalated_and_nobody_else() -> None:
    assert "lead" in skills_of(Person("kim"), PROBLEM)
    assert "lead" not in skills_of(Person("zoe"), PROBLEM)
    assert skills_of(Person("kim"), PROBLEM.model_copy(update={"review": None})) == frozenset()
