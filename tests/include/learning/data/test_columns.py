import re

from include.learning.data import columns
from include.problems.sections.base import _NAME


def test_no_column_of_a_problem_can_have_the_name_of_one_of_ours():
    own = {name: value for name, value in vars(columns).items() if name.startswith("IS_") or name == "BLOCK"}
    assert len(set(own.values())) == len(own) == 5
    assert not any(re.fullmatch(_NAME, value) for value in own.values())
