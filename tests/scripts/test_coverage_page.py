"""The page about branches that no test takes."""

import json
import subprocess
import sys
from pathlib import Path

from scripts.coverage_page import Coverage, format_page, percent, read_files, room_of

SOURCE = """
def sign(number):
    if number < 0:
        return -1
    return 1
"""


def test_a_report_of_coverage_itself_is_read_with_the_branch_that_was_not_taken(tmp_path: Path):
    (tmp_path / "signs.py").write_text(SOURCE)
    (tmp_path / "run.py").write_text("import signs\nsigns.sign(2)\n")
    for command in (["run", "--branch", "--include=*/signs.py", "run.py"], ["json", "--quiet", "-o", "report.json"]):
        subprocess.run([sys.executable, "-m", "coverage", *command], cwd=tmp_path, check=True)
    (file,) = read_files(json.loads((tmp_path / "report.json").read_text()))
    assert file == Coverage("signs.py", n_branches=2, n_taken=1, n_lines=4, n_run=3)


def test_rooms_are_added_up_and_the_file_with_the_most_left_comes_first():
    page = format_page(
        [
            Coverage("include/lake/a.py", 10, 9, 20, 19),
            Coverage("include/lake/deep/b.py", 10, 4, 20, 10),
            Coverage("include/names.py", 0, 0, 5, 5),
        ]
    )
    assert "| `include/lake` | 20 | 7 | 65.0 % | 72.5 % |" in page
    assert "| `include (the hall)` | 0 | 0 | 100.0 % | 100.0 % |" in page
    assert "| **all** | 20 | 7 | 65.0 % | 75.6 % |" in page
    assert page.index("| `include/lake/deep/b.py` | 6 of 10 |") < page.index("| `include/lake/a.py` | 1 of 10 |")
    assert "names.py` |" not in page


def test_a_file_of_the_hall_is_in_no_room():
    assert room_of("include/settings.py") == "include (the hall)"
    assert room_of("include/lake/replay/merge.py") == "include/lake"
    assert percent(0, 0) == "100.0 %"
