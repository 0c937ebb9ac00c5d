"""Who may do what at the desk, from a person's name and roles and what the problem's file says.

What belongs here: pure decisions. What does not: who is logged in, and Airflow's own rights (the page's business).
"""

from dataclasses import dataclass

from include.names import LEAD_ROLE
from include.problems.schema import Problem
from include.review.batches.team import LEAD_SKILL

ADMIN = "Admin"  # Airflow's role that may do everything


@dataclass(frozen=True)
class Person:
    """Somebody at the desk: a user name, and the Airflow roles they have."""

    name: str
    roles: frozenset[str] = frozenset()

    def is_one_of(self, names: list[str]) -> bool:
        """Say whether a list of users and roles names this person; roles in whatever case they are written."""
        return self.name in names or bool(
            {role.casefold() for role in self.roles} & {name.casefold() for name in names}
        )


def skills_of(person: Person, problem: Problem) -> frozenset[str]:
    """Name the skills a person has: those that `review.skills` gives, and for others the role of that name.

    A lead has the skill `lead`, and may take what was escalated.
    """
    review = problem.review
    if review is None:
        return frozenset()
    asked_for = {route.skill for route in review.routes if route.skill} | review.skills.keys()
    roles = {role.casefold() for role in person.roles}
    skills = {
        skill
        for skill in asked_for
        if (person.is_one_of(review.skills[skill]) if skill in review.skills else skill.casefold() in roles)
    }
    return frozenset(skills | ({LEAD_SKILL} if is_lead(person, problem) else set()))


def is_lead(person: Person, problem: Problem) -> bool:
    """Say whether a person may see reports of people.

    Administrators and people with the role Lead may, and the problem's owner, its escalation and whom its file names.
    """
    leads = problem.review.leads if problem.review else []
    # Roles only: somebody whose user name is "Lead" leads nobody.
    return bool(person.roles & {ADMIN, LEAD_ROLE}) or person.is_one_of([problem.owner, problem.escalation, *leads])
