import math

import pytest

from include.errors import TamperedModel
from include.learning.errors import BadFeatures, CannotExplain
from include.learning.live.answers import frame_of, load_live, read_features, read_promoted
from include.learning.registry.artifacts import load_registered
from include.learning.registry.versions import ROLLED_BACK, models_folder
from include.learning.scoring.predict import predict_rows
from include.problems.reading import load_problem
from include.settings import read_settings
from tests.include.serving.live_factories import DRY, WET, promote, write_problem


@pytest.fixture
def late(house, tmp_path, monkeypatch):
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path / "problems"))
    write_problem(tmp_path / "problems")
    return load_problem("late")


def folder():
    return models_folder(read_settings(), "late")


def promoted(house):
    with house.engine.connect() as connection:
        return read_promoted(connection, "late")


def test_the_newest_promoted_version_answers_and_one_taken_out_does_not(house, late):
    assert promoted(house) is None
    promote(house.engine, "v1")
    promote(house.engine, "v2", event=ROLLED_BACK)
    assert promoted(house)["model_version"] == "v1"


def test_an_answer_is_the_models_own_probability_and_what_is_done_at_it(house, late):
    row = promote(house.engine, "v1", ask_from_ratio=0.2, ask_until_ratio=0.8)
    live = load_live(late, promoted(house), folder())
    rows = [read_features(live, one) for one in (WET, DRY, {**WET, "rain_mm": None})]
    answers = live.answer(rows)
    stored = load_registered(folder(), row)
    frame = frame_of(live.spec, rows)
    expected = stored.model.predict_proba(frame)[:, 1]
    assert [one["p_positive"] for one in answers] == pytest.approx(expected.tolist(), abs=1e-12)
    assert [one["action"] for one in answers[:2]] == ["act", "leave"]
    assert (answers[0]["model_version"], answers[0]["positive"], answers[0]["threshold"]) == ("v1", "late", 0.8)
    assert predict_rows(stored, frame).tolist() == pytest.approx(expected.tolist())


def test_between_the_boundaries_a_person_is_asked(house, late):
    promote(house.engine, "v1", ask_from_ratio=0.0, ask_until_ratio=1.0)
    live = load_live(late, promoted(house), folder())
    assert live.answer([read_features(live, WET)])[0]["action"] == "ask"


def test_an_answer_can_be_explained_and_adds_up(house, late):
    promote(house.engine, "v1")
    live = load_live(late, promoted(house), folder())
    told = live.explain(read_features(live, WET))
    assert sum(one["log_odds"] for one in told["contributions"]) == pytest.approx(told["log_odds"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rain_mm": math.nan}, "'rain_mm' is nan, not a finite number"),
        ({"rain_mm": math.inf}, "a finite number"),
        ({"rain_mm": 10**400}, "a finite number"),
        ({"rain_mm": "9"}, "'rain_mm' is '9'"),
        ({"rain_mm": True}, "'rain_mm' is True"),
        ({"rain_mm": [9]}, r"'rain_mm' is \[9\]"),
        ({"hour": 7.5}, "'hour' is 7.5, not a whole number"),
        ({"hour": 2**63}, "a whole number of 64 bits"),
        ({"line": 3}, "'line' is 3, not a text"),
        ({"line": "x" * 20_001}, "at most 20,000 characters"),
        ({"snow": 1}, "'snow' is not read"),
    ],
)
def test_one_wrong_value_among_good_ones_is_named(house, late, change, said):
    promote(house.engine, "v1")
    live = load_live(late, promoted(house), folder())
    with pytest.raises(BadFeatures, match=said) as caught:
        read_features(live, WET | change)
    assert str(caught.value).startswith("1 of the 3 columns of v1 are wrong")


def test_a_column_that_was_forgotten_is_not_taken_for_missing(house, late):
    promote(house.engine, "v1")
    live = load_live(late, promoted(house), folder())
    with pytest.raises(BadFeatures, match=r"2 of the 3 .*'hour' is left out.*'line' is left out.*rain_mm \(number\)"):
        read_features(live, {"rain_mm": 1})
    with pytest.raises(BadFeatures, match="must be an object of 3 columns"):
        read_features(live, [1, 2, 3])
    assert math.isnan(read_features(live, WET | {"hour": None})["hour"])


def test_a_changed_file_is_not_loaded(house, late):
    row = promote(house.engine, "v1")
    (folder() / row["artifact_url"]).write_bytes(b"x")
    with pytest.raises(TamperedModel, match="hash"):
        load_live(late, promoted(house), folder())


def test_a_label_that_is_no_class_is_refused_by_name(house, late, monkeypatch):
    promote(house.engine, "v1")
    monkeypatch.setattr(type(late.label), "kind", property(lambda _: "quantity"))
    with pytest.raises(CannotExplain, match="its label is a quantity"):
        load_live(late, promoted(house), folder())
