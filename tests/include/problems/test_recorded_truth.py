from include.problems.recorded_truth import truth_path
from include.settings import read_settings


def test_only_the_built_in_problem_of_people_has_recorded_truth():
    held = {name: truth_path(read_settings(), name).is_file() for name in ("ad_review", "campaign", "signups")}
    assert held == {"ad_review": True, "campaign": False, "signups": False}
