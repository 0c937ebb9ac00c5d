import datetime

import pytest

from include.errors import BadProblem
from include.problems.reading import load_problem, load_problems, read_problem_file

EXPECT = "quality.expectations.0"

# What is written where, and the line a person reads.
BROKEN = [
    ("sourcce", {}, "field sourcce: unknown key; remove it, or look for a typing mistake"),
    ("source.colunms", {}, "field source.colunms: unknown key"),
    ("owner", "REMOVE", "field owner: is missing; write it"),
    ("source", "REMOVE", "field source: is missing"),
    ("source", "rides", "field source: must be a section of its own, with the keys below it (it holds 'rides')"),
    ("title", 7, "field title: Input should be a valid string; put it in quotes (it holds 7)"),
    ("name", "Rides", "field name: is no name of a problem; write small"),
    ("name", "a__prediction", "field name: is no name of a problem; write small"),
    ("source.grain", "week", "field source.grain: Input should be 'hour', 'day' or 'month' (it holds 'week')"),
    ("source.landing", "../other", "field source.landing: is no prefix inside landing"),
    ("source.landing", "/etc", "field source.landing: is no prefix inside landing"),
    ("source.landing", "", "field source.landing: is no prefix inside landing"),
    ("source.key", ["rideid"], "field source.key: 'rideid' is not declared in source.columns; did you mean 'ride_id'?"),
    ("source.key", ["ride_id", "ride_id"], "field source.key: ride_id stands there more than once"),
    ("source.event_time", "started", "field source.event_time: 'started' is not declared in source.columns; did"),
    ("source.event_time", "origin", "field source.event_time: column 'origin' is of type string; a timestamp is"),
    ("source.earliest", datetime.datetime(2013, 1, 1), "field source.earliest: a time without its zone means"),  # noqa: DTZ001
    ("source.earliest", datetime.date(2013, 1, 1), "field source.earliest: a time without its zone means"),
    ("source.earliest", "2015-01-01T00:00:00Z", "field source.earliest: 2015-01-01 00:00:00+00:00 is not before"),
    ("source.columns.origin.type", "text", "field source.columns.origin.type: Input should be 'string', 'integer',"),
    ("source.columns.Origin", {"type": "string"}, "field source.columns.Origin: is no name; write small"),
    ("source.columns._origin", {"type": "string"}, "field source.columns._origin: is no name; write small"),
    (f"{EXPECT}.severity", "fatal", f"field {EXPECT}.severity: Input should be 'stop' or 'warn' (it holds 'fatal')"),
    (f"{EXPECT}.expect", "ExpectUnique", f"field {EXPECT}.expect: unknown expectation 'ExpectUnique'"),
    (f"{EXPECT}.expect", "ExpectColumnValuesToBeUniq", "did you mean 'ExpectColumnValuesToBeUnique'?"),
    (f"{EXPECT}.column", "ride", f"field {EXPECT}.column: 'ride' is not declared in source.columns"),
    (f"{EXPECT}.column", "REMOVE", f"field {EXPECT}.column: ExpectColumnValuesToBeUnique is about a column; name one"),
    (f"{EXPECT}.arguments", {"most": 1}, f"field {EXPECT}.arguments.most: ExpectColumnValuesToBeUnique takes no arg"),
    ("label.positive", "lat", "field label.positive: 'lat' is not one of the classes ['early', 'late']"),
    ("label.classes", ["late", "late"], "field label.classes: late stands there more than once"),
    ("label.classes", [True, False], "field label.classes.0: Input should be a valid string; put it in quotes (it"),
    ("label.known_when", "REMOVE", "field label.known_when: a label with source: log needs known_when and positive"),
    ("label.positive_when", "  ", "field label.positive_when: is blank; write an expr"),
    ("label", "REMOVE", "field training: needs the sections label and value; write them or remove training"),
    ("label.source", "desk", "field label.source: desk needs the section review, or nobody ever gives a label"),
    ("value.true_positive", "20", "field value.true_positive: Input should be a valid number (it holds '20')"),
    ("value.true_positive", float("nan"), "field value.true_positive: Input should be a finite number"),
    ("training.first", True, "field training.first: Input should be a valid integer (it holds True)"),
    ("training.first", 0, "field training.first: Input should be greater than or equal to 1 (it holds 0)"),
    ("training.features.numeric", ["miles", "distance_miles"], "field training.features.numeric: 'miles' is not decl"),
    ("training.features.categorical", ["distance_miles"], "distance_miles stands there more than once"),
    ("training.features.increasing", ["origin"], "field training.features.increasing: 'origin' has a direction, but"),
    ("training.features.decreasing", ["distance_miles"], "distance_miles stands there more than once"),
    ("training.features", {}, "field training.features: a model needs at least one feature in numeric, categorical"),
    (
        "training.features",
        {"numeric": ["started_at"]},
        "field training.features.numeric: 'started_at' is of type timestamp, not a number",
    ),
    (
        "source.columns.origin.known",
        "later",
        "field training.features.categorical: 'origin' is known only later (source",
    ),
    (
        "label.positive_when",
        "distance_miles > 9",
        "field training.features.numeric: 'distance_miles' is what the label",
    ),
    ("label.delay", 2, "field label.delay: write a period as ISO 8601 does"),
    ("training.models", ["scorecard"], "field training.models: write either model (one name) or models (a list"),
    ("training.model", "REMOVE", "field training.models: write either model (one name) or models (a list of names)"),
    ("training.model", "text_logistic", "field training.models: text_logistic reads text, and training.features.text"),
    ("training.group", "person", "field training.group: 'person' is not declared in source.columns"),
    ("baseline", {"positive_when": "TRUE", "mine": "keywords"}, "field baseline.mine: keywords needs texts in"),
    ("training.changeable", {"distance_miles": [9, 3]}, "field training.changeable.distance_miles: [9, 3] is no range"),
    ("training.changeable", {"origin": [3]}, "field training.changeable.origin: [3] are no values of a category"),
    ("training.changeable", {"dest": [1, 2]}, "field training.changeable.dest: is not in features.numeric or"),
    ("training.protected", [{"column": "sex"}], "field training.protected.0.column: 'sex' is not declared in source"),
    ("training.calibration", "platt", "field training.calibration: Input should be 'choose', 'none', 'temperature'"),
    ("training.search", {"trials": 0}, "field training.search.trials: Input should be greater than or equal to 1"),
    ("review", {"budget": 1, "max_rounds": 1}, "field review: needs the section training, and label.source: desk"),
    (
        "review",
        {"budget": 1, "max_rounds": 1, "random_share": 0.05},
        "field review.random_share: 0.05 is too small; 0.1 and more keeps the estimates honest",
    ),
    (
        "review",
        {"budget": 1, "max_rounds": 1, "gold_share": 0.5, "relabel_share": 0.4},
        "field review.gold_share: gold_share, relabel_share and random_share together are 1.1; at most",
    ),
    (
        "review",
        {"budget": 1, "max_rounds": 1, "routes": [{"when": "TRUE"}]},
        "a route changes nothing without a skill or is_sensitive: true",
    ),
    (
        "baseline",
        {"name": "champion", "positive_when": "distance_miles > 9"},
        "field baseline.name: 'champion' is the name of another candidate in the comparison; choose another",
    ),
    (
        "baseline",
        {"name": "gradient_boosting", "positive_when": "distance_miles > 9"},
        "field baseline.name: 'gradient_boosting' is the name of another candidate",
    ),
    ("experiment.control", "big", "field experiment.control: 'big' is not one of the variants"),
    ("experiment.variant", "arm", "field experiment.variant: 'arm' is not declared in source.columns"),
    ("experiment.variants", ["small", "small"], "field experiment.variants: small stands there more than once"),
    (
        "source.columns.ride_id.pii",
        "contact",
        "field source.key: 'ride_id' is of class contact: many people look alike",
    ),
    ("source.columns.ride_id.pii", "free_text", "field source.key: 'ride_id' is of class free_text: many people look"),
    (
        "source.columns.started_at.pii",
        "contact",
        "field source.event_time: 'started_at' is of class contact, and a masked",
    ),
    ("experiment.reward", "invited", "(exposure and reward): invited stands there more than once"),
    ("experiment.expected_shares", {"small": 1.0}, "field experiment.expected_shares: must name each of the variants"),
    (
        "experiment.expected_shares",
        {"small": 0.5, "none_at_all": 0.4},
        "field experiment.expected_shares: sum to 0.9, not 1",
    ),
    ("experiment.attribution_window", 2, "field experiment.attribution_window: write a period as ISO 8601 does: P2D"),
    ("experiment.attribution_window", "-P2D", "field experiment.attribution_window: write a period as ISO 8601 does"),
    ("experiment.attribution_window", "P0D", "field experiment.attribution_window: a period is longer than nothing"),
    ("experiment.attribution_window", "P2X", "field experiment.attribution_window: Input should be a valid timedelta"),
    ("experiment.pilot_until", datetime.date(2013, 2, 1), "field experiment.pilot_until: Input should be a valid str"),
    ("experiment.pilot_until", "2013-02-01", "field experiment.pilot_until: '2013-02-01' names no month; write it"),
    ("experiment.holdback_share", 30, "field experiment.holdback_share: Input should be less than or equal to 1"),
    ("monitor.features", ["mile"], "field monitor.features: 'mile' is not declared in source.columns"),
    ("monitor.features", "distance_miles", "field monitor.features: must be a list: [a, b], or one - a line (it"),
    ("source.columns", [], "field source.columns: must be a mapping: keys below it, each with its value (it holds []"),
    ("monitor.features", [], "field monitor.features: List should have at least 1 item"),
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
