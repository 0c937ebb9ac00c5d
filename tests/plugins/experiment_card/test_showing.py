"""What the templates are given: each experiment its own rows, and pictures only where there is something to draw."""

from typing import Any

from experiment_card import showing
from include.problems.reading import load_problem

CAMPAIGN = load_problem("campaign")
NOTHING: dict[str, list[Any]] = {part: [] for part in ("ranges", "units", "lifts", "decisions", "plans")}


def range_of(experiment: str, share: float) -> dict[str, Any]:
    row = {"experiment": experiment, "partition_key": "01", "phase": "wave 2", "variant": "large"}
    return row | {"share_ratio": share}


def lift(key: str, variant: str, high: float | None) -> dict[str, Any]:
    return {"partition_key": key, "variant": variant, "lift_ratio": 0.1, "low_any_look": 0.0, "high_any_look": high}


def test_an_experiment_is_told_from_its_own_rows() -> None:
    ranges = [range_of("experiment", 0.25), range_of("other", 0.75)]
    units = [{"experiment": name, "phase": "pilot", "n_units": n} for name, n in (("experiment", 7), ("other", 9))]
    told = showing.summarise(CAMPAIGN, "experiment", [], ranges, units)
    assert (told["sent"], told["n_units"], told["phase"], told["wave"]) == ({"large": 0.25}, 7, "wave", "2")
    assert (told["state"], told["control"]) == ("not_begun", "none")


def test_what_the_file_names_no_more_sends_nothing() -> None:
    told = showing.summarise(CAMPAIGN, "other", [], [range_of("other", 1.0)], [])
    assert (told["state"], told["sent"]) == ("removed", {})


def test_without_rows_there_is_no_picture() -> None:
    card = showing.arrange(CAMPAIGN, "experiment", [], NOTHING, "en")
    assert (card["density_svg"], card["shares_svg"], card["lift_pictures"]) == ("", "", [])
    assert (card["told"], card["turns"], card["changes"]) == ([], [], [])


def test_windows_without_a_band_are_left_out_of_the_picture() -> None:
    drawn = showing.draw_lifts([lift("01", "b", None), lift("02", "b", 0.2), lift("02", "c", 0.3)], "en")
    assert [variant for variant, _ in drawn] == ["b", "c"]
    assert 'aria-label="Lift of b over the control, 1 windows"' in drawn[0][1]
    assert showing.draw_lifts([lift("01", "b", None)], "en") == []


def test_an_end_of_a_band_says_more_or_fewer() -> None:
    assert [showing.write_end(n, "en") for n in (5.0, -0.25, 0.0)] == ["5.0 more", "0.25 fewer", "0.00 more"]
    assert showing.write_end(-1.0, "ko") == "1.0 적음"
