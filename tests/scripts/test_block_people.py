"""Many people are blocked by a script, as a lead blocks one at the desk."""

from include.problems.reading import load_problem
from include.warehouse.tables.review import PERSON_BLOCK
from scripts.block_people import main
from tests.include.conftest import house  # noqa: F401 - a fixture
from tests.include.review.conftest import PROBLEM, desk  # noqa: F401 - a fixture
from tests.include.review.desk.test_blocking import fill

ASKED = [PROBLEM, "--reason", "scripts", "--by"]


def test_names_of_a_file_are_blocked_and_let_in_again(desk, tmp_path, capsys, monkeypatch):  # noqa: F811
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", desk.engine.url.render_as_string(hide_password=False))
    fill(desk)
    names = tmp_path / "names.txt"
    names.write_text("bot-1\n\n bot-2 \nnobody\nbot-1\n", encoding="utf-8")
    owner = load_problem(PROBLEM).owner
    assert main([*ASKED, owner, "--names", str(names)]) == 1  # one is a stranger
    said = capsys.readouterr()
    assert "2 of 3 people: their 60 answers count nowhere." in said.out
    assert "nobody: The desk refused it: unknown person" in said.err
    assert main([*ASKED, owner, "--lift", "bot-1"]) == 0
    assert [row["lifted_at_utc"] is None for row in desk.rows(PERSON_BLOCK)] == [False, True]


def test_who_leads_nothing_blocks_nobody(desk, capsys, monkeypatch):  # noqa: F811
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", desk.engine.url.render_as_string(hide_password=False))
    fill(desk)
    assert main([*ASKED, "kim", "bot-1"]) == 1
    assert "leads only" in capsys.readouterr().err
    assert desk.rows(PERSON_BLOCK) == []
