"""What-if questions: other values in, the probability out, and what would turn the decision."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml

from include.errors import TamperedModel, UnknownVersion
from include.learning.data.features import FeatureSpec
from include.learning.errors import BadFeatures
from include.learning.explain import what_if
from include.problems.reading import load_problem
from tests.include.learning.conftest import LATE
from tests.include.learning.test_steps import MONTHS, train

SPEC = FeatureSpec(numeric=("rain_mm", "hour"), categories={"line": ("blue", "red")}, text=("note",))
WET = {"rain_mm": 9.0, "hour": 21, "line": "red"}


def test_a_row_has_what_was_named_and_everything_else_is_missing():
    row = what_if.make_row(SPEC, {"hour": 7, "line": "red", "note": ""}).iloc[0].to_dict()
    assert (row["hour"], row["line"], row["note"]) == (7.0, "red", None)
    assert np.isnan(row["rain_mm"])


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "wet", True, [1]])
def test_one_value_that_is_no_number_among_good_ones_is_named(value):
    with pytest.raises(BadFeatures, match="'rain_mm' takes a number, or nothing; it was"):
        what_if.make_row(SPEC, {"hour": 7, "rain_mm": value})


def test_values_that_the_model_does_not_read_and_texts_without_end_are_refused():
    with pytest.raises(BadFeatures, match=r"1 of 2 values .*'snow'.*it reads rain_mm, hour, line, note"):
        what_if.make_row(SPEC, {"hour": 7, "snow": 1})
    with pytest.raises(BadFeatures, match=r"'note' takes a text of at most 20,000"):
        what_if.make_row(SPEC, {"note": "x" * 20_001})
    with pytest.raises(BadFeatures, match="'line' takes a text"):
        what_if.make_row(SPEC, {"line": 3})


@pytest.fixture
def fitted(house, problems_dir, trips) -> Any:
    """Give a version of three months, with a problem that lets the hour be changed."""
    what_if._load.cache_clear()
    training = LATE["training"] | {"changeable": {"hour": [5, 22]}}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": training}))
    trips(MONTHS[:3])
    return train("late", MONTHS[2])["model_version"]


def test_a_version_answers_from_memory_says_what_moved_it_and_what_would_turn_it(house, fitted, monkeypatch):
    problem = load_problem("late")
    wet = what_if.ask(problem, fitted, WET)
    dry = what_if.ask(problem, fitted, WET | {"rain_mm": 0.0, "hour": 6})
    assert wet["p_positive"] > dry["p_positive"] + 0.3
    assert sum(value for _, value in wet["contributions"]) == pytest.approx(wet["log_odds"])
    late = round(100 * wet["p_positive"])
    assert wet["sentence"] == f"Of 100 like this, {100 - late} are on time and {late} late."
    assert wet["action"].startswith("It is treated as late")
    assert {step["feature"] for change in [*wet["changes"], *dry["changes"]] for step in change["steps"]} <= {"hour"}
    # A search without time, and a file that permits nothing, are sentences and no changes.
    monkeypatch.setattr(what_if, "SECONDS_TO_SEARCH", -1.0)
    assert "did not try everything" in what_if.ask(problem, fitted, WET)["changes_note"]
    closed = problem.model_copy(update={"training": problem.training.model_copy(update={"changeable": {}})})
    assert "names nothing that may be changed" in what_if.ask(closed, fitted, WET)["changes_note"]
    # Asked four times, loaded once; a file that was changed meanwhile is found out when it would be loaded again.
    assert (what_if._load.cache_info().misses, what_if._load.cache_info().hits) == (1, 3)
    what_if._load.cache_clear()
    model = next((house.settings.home / "models").rglob(f"{fitted}.*.skops"))
    model.write_bytes(model.read_bytes() + b"x")
    with pytest.raises(TamperedModel, match=r"^late, version .*changed after it was registered"):
        what_if.ask(problem, fitted, WET)


@pytest.mark.parametrize(
    ("p", "action"),
    [
        (0.2, "It is left alone: below 50 of 100."),
        (0.5, "A person is asked, as between 50 and 80 of 100."),
        (0.75, "A person is asked, as between 50 and 80 of 100."),  # the machine alone would act from .7 on
        (0.8, "It is treated as late, as from 80 of 100 on."),
    ],
)
def test_where_people_are_asked_the_machine_acts_only_above_them(problems_dir, p: float, action: str):
    row = {"threshold_ratio": 0.7, "ask_from_ratio": 0.5, "ask_until_ratio": 0.8}
    assert what_if.say(load_problem("late"), row, p)["action"] == action
    alone = what_if.say(load_problem("late"), row | {"ask_from_ratio": None, "ask_until_ratio": None}, p)["action"]
    assert alone.startswith("It is treated as late, as from 70" if p >= 0.7 else "It is left alone: below 70")


@pytest.mark.parametrize("hour", [4, 11, 12, 14, 17, 20])  # probabilities of .2, .55, .6, .7, .85 and 1
@pytest.mark.parametrize("asked", [(0.5, 0.8), (None, None)])
def test_what_would_turn_it_changes_what_is_done(problems_dir, monkeypatch, hour, asked):
    monkeypatch.setattr(what_if, "predict_rows", lambda _, rows: (rows["hour"] / 20).to_numpy())
    training = LATE["training"] | {"changeable": {"hour": [0, 20]}}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"training": training}))
    problem, stored = load_problem("late"), SimpleNamespace(spec=SPEC)
    row = {"threshold_ratio": 0.7, "ask_from_ratio": asked[0], "ask_until_ratio": asked[1]}
    values, p = what_if.make_row(SPEC, {"hour": hour}), hour / 20
    changes = what_if.search(problem, stored, values, row, p, lambda: False)["changes"]
    assert changes
    before = what_if.say(problem, row, p)["action"]
    assert all(what_if.say(problem, row, change["p_positive"])["action"] != before for change in changes)


def test_a_version_that_never_was_is_refused_by_name(house, problems_dir):
    with pytest.raises(UnknownVersion, match="no-such-version"):
        what_if.ask(load_problem("late"), "no-such-version", {})
