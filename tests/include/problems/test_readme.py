"""The problem that the README shows to a newcomer is a good one."""

from include.problems.reading import read_problem_file
from include.settings import REPOSITORY


def test_the_problem_in_the_readme_can_be_used_as_it_stands(tmp_path):
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "signups.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert read_problem_file(path).source.grain == "day"
