from datetime import UTC, datetime, timedelta

import pytest

from include.problems.reading import load_problem
from include.problems.sections.audience import Pause
from include.problems.sections.layers import End, Layer
from include.serving.shares import list_experiments


def row(**changes):
    whole = {"problem": "campaign", "experiment": "experiment", "partition_key": "2004-11-01", "place": 0}
    return (
        whole
        | {"phase": "pilot", "variant": "none", "share_ratio": 1.0, "low": 0.0, "high": 1.0, "plan": None}
        | changes
    )


@pytest.fixture(scope="module")
def campaign():
    return load_problem("campaign")


def test_rows_are_ranges_under_the_salt_of_the_problems_file(campaign):
    rows = [row(high=0.3), row(place=1, variant="large", low=0.3)]
    found = list_experiments(campaign, rows)["experiment"]
    assert (found["salt"], found["unit"], found["phase"]) == (campaign.experiment.salt, "person_id", "pilot")
    assert found["ranges"] == [
        {"variant": "none", "low": 0.0, "high": 0.3},
        {"variant": "large", "low": 0.3, "high": 1.0},
    ]


def test_what_holds_has_no_range_and_is_published_all_the_same(campaign):
    held = list_experiments(campaign, [row(phase="hold", variant=None, share_ratio=None, low=None, high=None)])
    assert (held["experiment"]["phase"], held["experiment"]["ranges"]) == ("hold", [])


def test_before_the_first_window_there_is_nothing(campaign):
    assert list_experiments(campaign, []) == {}


def test_shares_of_an_experiment_that_the_file_has_no_more_are_nobodys(campaign):
    assert list(list_experiments(campaign, [row(), row(experiment="summer")])) == ["experiment"]


def test_ranges_are_places_under_the_salt_of_the_plan_they_were_made_with(campaign):
    found = list_experiments(campaign, [row(plan={"salt": "older", "unit": "household"})])["experiment"]
    assert (found["salt"], found["unit"]) == ("older", "household")


def test_a_variant_that_the_file_names_no_more_is_sent_to_nobody(campaign):
    rows = [row(high=0.3), row(place=1, variant="huge", low=0.3)]
    found = list_experiments(campaign, rows)["experiment"]
    assert (found["phase"], found["ranges"]) == ("hold", [])


def test_each_experiment_of_the_file_has_its_own_salt(campaign):
    other = campaign.experiment.model_copy(update={"salt": "price"})
    both = campaign.model_copy(
        update={"experiment": None, "experiments": {"mail": campaign.experiment, "price": other}}
    )
    found = list_experiments(both, [row(experiment="mail"), row(experiment="price")])
    assert {name: one["salt"] for name, one in found.items()} == {"mail": "campaign-2004", "price": "price"}


PLAN = {
    "salt": "june",
    "unit": "person_id",
    "layer": "mail",
    "traffic": [0.1, 0.4],
    "layers": {"mail": {"unit": "person_id", "salt": "mail", "holdout": 0.1}},
    "start": "2026-06-01T00:00:00Z",
    "end": {"after": "P28D", "max_units": 900},
    "eligible": "country = 'KR'",
}


def test_slice_time_and_who_is_eligible_are_those_of_the_plan(campaign):
    found = list_experiments(campaign, [row(plan=PLAN)])["experiment"]
    assert found["slice"] == {"salt": "mail", "low": 0.1, "high": 0.4}
    assert (found["start"], found["end"], found["eligible"]) == (1780272000.0, 1782691200.0, "country = 'KR'")


def test_what_the_plan_does_not_say_is_not_published(campaign):
    plan = PLAN | dict.fromkeys(("layer", "traffic", "start", "end", "eligible"))
    assert set(list_experiments(campaign, [row(plan=plan)])["experiment"]) == {
        *("salt", "unit", "phase", "window", "ranges")
    }
    by_units = list_experiments(campaign, [row(plan=PLAN | {"end": {"after": None, "max_units": 900}})])["experiment"]
    assert "end" not in by_units


def test_without_a_plan_the_files_slice_counts(campaign):
    mail = Layer(unit="person_id", salt="mail")
    inside = campaign.experiment.model_copy(update={"layer": "mail", "traffic": [0.0, 0.5]})
    problem = campaign.model_copy(update={"experiment": inside, "layers": {"mail": mail}})
    assert list_experiments(problem, [row()])["experiment"]["slice"] == {"salt": "mail", "low": 0.0, "high": 0.5}


@pytest.mark.parametrize(("days", "end"), [(7, 1780876800.0), (40, 1782691200.0)])
def test_an_end_that_the_file_brings_forward_is_obeyed_at_once(campaign, days, end):
    start = datetime(2026, 6, 1, tzinfo=UTC)
    sooner = campaign.experiment.model_copy(update={"start": start, "end": End(after=timedelta(days=days))})
    problem = campaign.model_copy(update={"experiment": sooner})
    assert list_experiments(problem, [row(plan=PLAN)])["experiment"]["end"] == end


def test_an_experiment_that_was_moved_to_before_its_plans_start_is_over(campaign):
    earlier = {"start": datetime(2026, 4, 1, tzinfo=UTC), "end": End(after=timedelta(days=7))}
    problem = campaign.model_copy(update={"experiment": campaign.experiment.model_copy(update=earlier)})
    found = list_experiments(problem, [row(plan=PLAN)])["experiment"]
    assert ("start" in found, found["end"]) == (False, datetime(2026, 4, 8, tzinfo=UTC).timestamp())


def test_a_pause_of_the_file_takes_all_shares_at_once_and_gives_them_back(campaign):
    since = datetime(2026, 6, 1, tzinfo=UTC)
    pauses = [Pause(since=since, until=since + timedelta(days=1))]
    paused = campaign.model_copy(update={"experiment": campaign.experiment.model_copy(update={"pauses": pauses})})
    found = list_experiments(paused, [row()], since)["experiment"]
    assert (found["phase"], found["ranges"], found["paused_since"]) == ("paused", [], since.timestamp())
    after = list_experiments(paused, [row()], since + timedelta(days=1))["experiment"]
    assert (after["phase"], len(after["ranges"]), "paused_since" in after) == ("pilot", 1, False)
    ended = row(phase="ended", variant=None, low=None, high=None)
    assert list_experiments(paused, [ended], since)["experiment"]["phase"] == "ended"


def test_a_window_of_a_pause_that_is_over_holds_until_the_next_one(campaign):
    window = row(phase="paused", variant=None, share_ratio=None, low=None, high=None)
    assert list_experiments(campaign, [window])["experiment"]["phase"] == "hold"
