import datetime
import math

import pytest
from scipy.stats import binom

from include.problems.sections.experiment import answer_within, count_units_needed

BROKEN = [
    ("experiment.decide", {"tie": "ask"}, "field experiment.approver: is missing: decide.tie asks a person; name"),
    ("experiment.approver", "ada", "field experiment.approver: is asked nothing, for decide.tie is keep_control"),
    (
        "experiment.decide",
        {"approval_timeout": "P2D"},
        "field experiment.decide.approval_timeout: is how long tie: ask waits, and tie is keep_control; leave it out",
    ),
    ("experiment.allocation", {"mode": "waves"}, "field experiment.allocation.until: is missing: waves shares units"),
    ("experiment.allocation", {"until": "2013-03"}, "field experiment.allocation.until: is the end of waves, and mode"),
    (
        "experiment.allocation",
        {"mode": "pilot", "discount": 0.9},
        "field experiment.allocation.discount: is a setting of waves, and mode is pilot, which has none; write mode",
    ),
    ("experiment.allocation", {"uniform_share": 0.1}, "field experiment.allocation.uniform_share: is a setting of wav"),
    ("experiment.allocation", {"last_windows": 3}, "field experiment.allocation.last_windows: is a setting of waves"),
    (
        "experiment.allocation",
        {"mode": "top_two", "until": "2013-02"},
        "field experiment.allocation.until: '2013-02' does not lie after the pilot, 2013-02; waves follow it",
    ),
    ("experiment.propensity", "drawn", "field experiment.propensity: 'drawn' is not declared in source.columns"),
    ("experiment.control", "big", "field experiment.control: 'big' is not one of the variants"),
    ("experiment.variants", ["small", "small"], "field experiment.variants: small stands there more than once"),
    ("experiment.reward", "invited", "(exposure and reward): invited stands there more than once"),
    ("experiment.expected_shares", {"small": 1.0}, "field experiment.expected_shares: must name each of the variants"),
    (
        "experiment.expected_shares",
        {"small": -1, "none_at_all": 2},
        "field experiment.expected_shares: 'small' has the weight -1; a weight is above 0",
    ),
    ("experiment.expected_shares", {"small": 0, "none_at_all": 1}, "'small' has the weight 0; a weight is above 0"),
    ("experiment.expected_shares", {"small": 0, "none_at_all": 0}, "field experiment.expected_shares: are all 0"),
    ("experiment.attribution_window", "P400D", "field experiment.attribution_window: waits 400 days; write 366 days"),
    (
        "experiment.decide",
        {"costs": {"smal": 1}},
        "field experiment.decide.costs: 'smal' is not one of the variants",
    ),
    (
        "experiment.decide",
        {"switching_cost": 5},
        "units_to_come: is missing: a switching cost is spread over the units",
    ),
    (
        "experiment.decide",
        {"tie": "flip"},
        "field experiment.decide.tie: Input should be 'keep_control', 'send_best' or 'ask'",
    ),
    ("experiment.minimum_rewards", 0, "field experiment.minimum_rewards: Input should be greater than or equal to 1"),
    ("experiment.attribution_window", 2, "field experiment.attribution_window: write a period as ISO 8601 does: P2D"),
    ("experiment.attribution_window", "-P2D", "field experiment.attribution_window: write a period as ISO 8601 does"),
    ("experiment.attribution_window", "P0D", "field experiment.attribution_window: a period is longer than nothing"),
    ("experiment.attribution_window", "P2X", "field experiment.attribution_window: Input should be a valid timedelta"),
    ("experiment.pilot_until", datetime.date(2013, 2, 1), "field experiment.pilot_until: Input should be a valid str"),
    ("experiment.holdback_share", 30, "field experiment.holdback_share: Input should be less than or equal to 1"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("holdback_share", 1.0),
        ("sample_ratio_alpha", 0.0),
        ("decide_at_probability", 0.2),
        ("decide_at_probability", 1.0),
    ],
)
def test_a_number_at_which_a_setting_would_do_nothing_is_refused(refusal_of, field, value):
    assert f"field experiment.{field}: Input should be" in refusal_of(f"experiment.{field}", value)


@pytest.mark.parametrize(
    ("weights", "share"), [((5, 1), 5 / 6), ((0.3333, 0.3333), 0.5), ((0.7, 0.1 + 0.2), 0.7), ((90, 10), 0.9)]
)
def test_weights_of_any_scale_are_shares_that_sum_to_one(read, weights, share):
    named = dict(zip(["none_at_all", "small"], weights, strict=True))
    experiment = read("experiment.expected_shares", named).experiment
    assert experiment.shares == pytest.approx({"none_at_all": share, "small": 1 - share})
    assert sum(experiment.shares.values()) == pytest.approx(1, abs=1e-12)


def test_without_shares_every_variant_is_expected_equally_often(read):
    assert read().experiment.shares == {"none_at_all": 0.5, "small": 0.5}


@pytest.mark.parametrize(("grain", "key"), [("hour", "2013-01-31T05"), ("day", "2013-01-31"), ("month", "2013-01")])
def test_the_end_of_the_pilot_is_written_as_the_partitions_are(read, refusal_of, grain, key):
    source = read().source.model_dump() | {"grain": grain}
    experiment = read().experiment.model_dump() | {"pilot_until": key, "attribution_window": "P2D"}
    assert read(source=_plain(source), experiment=experiment).experiment.pilot_until == key
    experiment["pilot_until"] = "2013-01-31T05:00"
    assert f"names no {grain}" in refusal_of("", None, source=_plain(source), experiment=experiment)


def _plain(source):
    """Write times as a file has them."""
    return source | {name: source[name].isoformat() for name in ("earliest", "latest")}


def test_the_older_name_of_the_claims_level_still_reads(read, refusal_of):
    assert read().experiment.claim_level == 0.95
    assert read("experiment.decide_at_probability", 0.9).experiment.claim_level == 0.9
    assert read("experiment.claim", {"level": 0.99}).experiment.claim_level == 0.99
    both = read().experiment.model_dump(exclude_none=True) | {"claim": {"level": 0.9}, "decide_at_probability": 0.9}
    both["attribution_window"] = "P2D"
    assert "is the older name of claim.level, which is there, too" in refusal_of("", None, experiment=both)


def test_a_cluster_is_a_column_of_the_log(read, refusal_of):
    assert read("experiment.cluster", "group").experiment.cluster == "group"
    assert "field experiment.cluster: 'home' is not declared" in refusal_of("experiment.cluster", "home")


@pytest.mark.parametrize("minimum", [1, 5, 100, 10_000])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.2, 0.4, 0.4), (0.01, 0.99), (0.1,) * 10])
def test_so_many_units_fill_each_variant_in_99_of_100_splits(minimum, shares):
    n = count_units_needed(minimum, shares)
    assert sum(binom.cdf(minimum - 1, n, share) for share in shares) <= 0.01
    # Nor many more than that: four fifths of the margin are too few.
    expected = math.ceil(minimum / min(shares))
    if minimum >= 100:
        fewer = expected + int(0.8 * (n - expected))
        assert max(binom.cdf(minimum - 1, fewer, share) for share in shares) > 0.01 / len(shares)


def _asking(read, approver, **decide):
    experiment = read().experiment.model_dump(exclude_none=True) | {"approver": approver, "attribution_window": "P2D"}
    return experiment | {"decide": {"tie": "ask"} | decide}


@pytest.mark.parametrize("name", ["ada", "Ada", "growth-lead", "ada.l", "ada@example.org", "지민", "a" * 256])
def test_an_approver_is_named_as_airflow_names_people(read, name):
    assert read(experiment=_asking(read, name)).experiment.approver == name


@pytest.mark.parametrize("name", ["", "ada l", "ada\n", "a\u00a0b", "a\x00", "a" * 257])
def test_what_no_user_is_called_is_refused(read, refusal_of, name):
    told = refusal_of("", None, experiment=_asking(read, name))
    assert "field experiment.approver: " in told
    assert ("is no name of an Airflow user; write one without blanks" in told) or len(name) > 256


def test_the_shortest_time_to_answer_holds_for_all_experiments_of_a_problem(read):
    hours = read(experiment=_asking(read, "ada", approval_timeout="PT12H")).experiment
    week = read(experiment=_asking(read, "bob")).experiment
    assert answer_within([week, hours, read().experiment]) == datetime.timedelta(hours=12)
    assert answer_within([week]) == datetime.timedelta(days=7)
