from include.problems.reading import load_problem
from include.review.batches.team import name_leads, read_team
from tests.include.review.conftest import PROBLEM, Desk
from tests.include.review.metrics.test_store import play


def team(desk: Desk) -> set[str]:
    with desk.engine.connect() as connection:
        return read_team(connection, PROBLEM)


def test_recorded_truth_is_nobody_of_the_team(desk: Desk) -> None:
    play(desk, 1, 20, {"mail-00": {"kim": "wanted", "demo-reviewer": "wanted"}})
    assert team(desk) == {"kim"}


def test_who_has_answered_nothing_in_three_rounds_is_not_waited_for(desk: Desk) -> None:
    for number, person in ((998, "ann"), (999, "kim"), (1000, "lee"), (1001, "lee")):
        play(desk, number, 20, {f"mail-{number % 10:02d}": {person: "wanted"}})
    assert team(desk) == {"kim", "lee"}


def test_before_anybody_answered_there_is_no_team(desk: Desk) -> None:
    assert team(desk) == set()


def test_the_leads_of_the_file_its_owner_and_its_escalation_have_the_last_word(desk: Desk) -> None:
    desk.write_problem(leads=["boss"])
    problem = load_problem(PROBLEM)
    assert name_leads(problem) == {"boss", problem.owner, problem.escalation}
