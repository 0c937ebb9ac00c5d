import pytest

from include.errors import BadProblem
from include.problems.reading import load_problem, load_problems, read_problem_file
from tests.include.problems.conftest import OTHER_LOG

# What is written where, and the line a person reads.
BROKEN = [
    ("sourcce", {}, "field sourcce: unknown key; remove it, or look for a typing mistake"),
    ("owner", "REMOVE", "field owner: is missing; write it"),
    ("source", "REMOVE", "field source: is missing"),
    ("source", "rides", "field source: must be a section of its own, with the keys below it (it holds 'rides')"),
    ("title", 7, "field title: Input should be a valid string; put it in quotes (it holds 7)"),
    ("name", "Rides", "field name: is no name of a problem; write small"),
    ("name", "a__prediction", "field name: is no name of a problem; write small"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_file_and_remedy(write_problem, place, value, line):
    with pytest.raises(BadProblem) as caught:
        read_problem_file(write_problem(place, value))
    assert str(caught.value).startswith("rides.yaml: ")
    assert line in str(caught.value)


def test_the_file_that_all_these_break_is_good(write_problem):
    assert read_problem_file(write_problem()).name == "rides"


def test_every_broken_field_of_a_file_is_named_at_once(write_problem):
    path = write_problem("source.grain", "week", owner=None, titel="x")
    with pytest.raises(BadProblem, match=r"3 field\(s\)") as caught:
        read_problem_file(path)
    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "field owner",
        "field source.grain",
        "field titel",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "rides.yaml: is empty. Write a problem into it, or remove the file."),
        ("# nothing but a comment\n", "rides.yaml: is empty."),
        ("- a\n- b\n", "rides.yaml: holds one list, not the fields of a problem"),
        ("just words", "rides.yaml: holds one str, not the fields of a problem"),
        ("name: [a\nb: c", "rides.yaml: not readable as YAML."),
        ("name: a\n\tb: c", "line 2, column 1"),
        ("name: a\n---\nname: b\n", "rides.yaml: not readable as YAML."),
        ("name: a\nowner: b\nname: c\n", "'name' stands there twice line 3, column 1"),
        ("source:\n  key: a\n  key: b\n", "'key' stands there twice line 3, column 3"),
        ("earliest: 2013-13-45\n", "month must be in 1..12"),
        ("name: !!python/object/apply:os.system [ls]", "rides.yaml: not readable as YAML."),
        ("[" * 4000, "rides.yaml: not readable as YAML."),
        ("? [a, b]\n: c\n", "rides.yaml: not readable as YAML."),
    ],
)
def test_what_is_not_a_problem_at_all_is_said_so(tmp_path, text, line):
    path = tmp_path / "rides.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadProblem) as caught:
        read_problem_file(path)
    assert line in str(caught.value)


def test_bytes_that_are_no_text_are_said_to_be(tmp_path):
    path = tmp_path / "rides.yaml"
    path.write_bytes(b"name: \xff\xfe")
    with pytest.raises(BadProblem, match=r"rides\.yaml: not readable as YAML.*utf-8"):
        read_problem_file(path)


def test_a_mark_of_windows_editors_before_the_first_word_does_no_harm(write_problem):
    path = write_problem()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read_problem_file(path).name == "rides"


def test_one_broken_file_among_good_ones_is_named_and_the_others_load(write_problem, tmp_path):
    write_problem("name", "a", file="a.yaml")
    write_problem("name", "c", file="c.yaml")
    (tmp_path / "b.yaml").write_text("name: [")
    (tmp_path / "d.yaml").mkdir()
    problems, errors = load_problems(tmp_path)
    assert [problem.name for problem in problems] == ["a", "c"]
    assert [str(error).split(":")[0] for error in errors] == ["b.yaml", "d.yaml"]
    assert "cannot be read: Is a directory" in str(errors[1])


@pytest.mark.parametrize("file", ["other.yaml", "rides.yml"])
def test_of_two_problems_with_one_name_the_one_in_the_wrong_file_is_refused(write_problem, tmp_path, file):
    write_problem()
    write_problem(file=file)
    problems, errors = load_problems(tmp_path)
    assert [problem.name for problem in problems] == ["rides"]
    assert str(errors[0]).startswith(f"{file}: field name: is 'rides', but a problem is named after its file.")
    assert "two problems never share a name" in str(errors[0])


def test_a_problem_that_is_not_there_names_those_that_are(write_problem, tmp_path):
    write_problem()
    with pytest.raises(BadProblem, match=r"no problem 'ride'.*Known problems: rides\."):
        load_problem("ride", tmp_path)


def test_a_folder_without_problems_says_so(tmp_path):
    assert load_problems(tmp_path) == ([], [])
    with pytest.raises(BadProblem, match="Known problems: none at all"):
        load_problem("rides", tmp_path)


def test_the_folder_is_the_settings_own_unless_one_is_given(write_problem, tmp_path, monkeypatch):
    write_problem()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    assert load_problem("rides").name == "rides"
    monkeypatch.delenv("MULGIL_PROBLEMS_DIR")
    assert "rides" not in [problem.name for problem in load_problems()[0]]


def test_every_problem_that_ships_is_good():
    problems, errors = load_problems()
    assert errors == []
    assert {"ad_review", "campaign", "flight_delay"} <= {problem.name for problem in problems}


def test_another_log_is_read_by_the_name_that_its_stages_have(write_problem):
    folder = write_problem("sources", {"refunds": OTHER_LOG}).parent
    assert load_problem("rides.refunds", folder).source.landing == "refunds"
    with pytest.raises(BadProblem, match=r"rides: there is no log 'returns' in sources; known are: refunds\."):
        load_problem("rides.returns", folder)
