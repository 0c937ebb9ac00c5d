"""A card's lists are laid out so that what matters comes first, and its sentences say what the rows say."""

from typing import Any

import pytest

from include.problems.schema import Problem
from model_card import cards
from tests.include.learning.conftest import LATE


def rank(method: str, feature: str, place: float) -> dict[str, Any]:
    return {"method": method, "feature": feature, "rank": place, "value": 1.0}


def make_bin(**changes: Any) -> dict[str, Any]:
    row = {"bin_low": 0.0, "bin_high": 0.1, "n_rows": 100, "observed_ratio": 0.08, "low": 0.04, "high": 0.15}
    return row | changes


def test_features_come_by_their_mean_place_over_the_methods_that_rank_them() -> None:
    rows = [rank("a", "rain", 2), rank("b", "rain", 1), rank("a", "hour", 1), rank("b", "hour", 4), rank("a", "x", 9)]
    methods, laid_out = cards.features_by_method(rows)
    assert methods == ["a", "b"]
    assert [row["feature"] for row in laid_out] == ["rain", "hour", "x"]
    assert [cell["rank"] for cell in laid_out[0]["cells"]] == [2, 1]
    assert laid_out[2]["cells"][1] is None
    assert cards.features_by_method([]) == ([], [])


def test_the_two_comparable_questions_that_agree_least_are_named() -> None:
    rows = [
        {"method": "a", "other_method": other, "rank_correlation": value, "most_disputed": "rain"}
        for other, value in (("b", 0.4), ("c", -0.2), ("d", None))
    ]
    disputed = cards.widest_dispute(rows)
    assert disputed is not None
    assert disputed["other_method"] == "c"
    assert cards.widest_dispute(rows[2:]) is None


@pytest.mark.parametrize(
    ("number", "text"), [(4.5e-19, "0.0000"), (-3.4e-05, "0.0000"), (0.0891, "0.0891"), (-0.02, "-0.0200"), (None, "–")]
)
def test_a_size_is_written_to_four_places(number: float | None, text: str) -> None:
    assert cards.write_size(number) == text


def test_no_more_than_twenty_features_are_shown() -> None:
    assert len(cards.features_by_method([rank("a", f"f{place}", place) for place in range(30)])[1]) == 20


def test_the_curve_that_moves_most_comes_first_and_all_share_one_scale() -> None:
    points = [
        {"feature": name, "p_positive": p, "high": p + 0.1}
        for name, values in (("flat", (0.2, 0.3)), ("steep", (0.1, 0.6)))
        for p in values
    ]
    curves, highest = cards.curves_by_feature(points)
    assert [name for name, _ in curves] == ["steep", "flat"]
    assert highest == pytest.approx(0.7)
    assert cards.curves_by_feature([]) == ([], 1.0)


def test_of_100_like_these_so_many_are_fine() -> None:
    sure = make_bin(bin_low=0.9, bin_high=1.0, observed_ratio=0.96, low=0.9, high=0.98, n_rows=1_234)
    assert cards.plain_words([make_bin(), sure], "junk", "fine") == [
        "Of 100 like those it gives 0 to 10 of 100, 92 are fine (85 to 96; 100 held-out rows).",
        "Of 100 like those it gives 90 to 100 of 100, 96 are junk (90 to 98; 1,234 held-out rows).",
    ]


def test_a_bin_with_too_few_rows_says_nothing() -> None:
    assert cards.plain_words([make_bin(n_rows=19)], "junk", "fine") == []
    assert len(cards.plain_words([make_bin(), make_bin(n_rows=19)], "junk", "fine")) == 1


def test_limits_name_what_is_weak_too_small_or_failed_and_repeat_every_note() -> None:
    card = {
        "segments": [{"is_weak": True}, {"is_weak": False}],
        "groups": [{"group_value": "blue", "value": None}, {"group_value": "red", "value": 0.5}],
        "checks": [{"check_name": "earns_more", "is_pass": False}, {"check_name": "leak", "is_pass": True}],
        "notes": [{"topic": "refit", "note": "It was fitted once more."}, {"topic": "rows", "note": "Labels are few."}],
    }
    assert cards.how_it_was_fitted(card) == "It was fitted once more."
    assert cards.how_it_was_fitted({"notes": []}) is None
    found = cards.limits_of(card, {"n_evaluate": 1_234})
    assert "1,234 rows" in found[0]
    assert found[1].startswith("It is weak in 1 of 2 segments")
    assert found[2].endswith("so few rows: blue.")
    assert found[3:] == ["It failed at the gate: earns_more.", "Labels are few."]
    assert len(cards.limits_of({"segments": [], "groups": [], "checks": [], "notes": []}, {"n_evaluate": 1})) == 1


def test_a_slider_steps_as_its_column_does_and_a_constant_has_none() -> None:
    problem = Problem.model_validate(LATE)
    ranges = [
        {"feature": "hour", "low": 5.0, "high": 22.0},
        {"feature": "rain_mm", "low": 0.0, "high": 0.0},
        {"feature": "gone", "low": None, "high": None},
    ]
    fields = {row["feature"]: (row["step"], row["has_slider"]) for row in cards.form_fields(ranges, problem)}
    assert fields == {"hour": (1, True), "rain_mm": ("any", False), "gone": ("any", False)}
    assert list(fields) == ["rain_mm", "hour", "gone"]  # as the problem file names them
