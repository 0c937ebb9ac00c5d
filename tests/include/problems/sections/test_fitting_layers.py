from datetime import UTC, datetime

import pytest

from include.errors import BadProblem
from tests.include.problems.conftest import GOOD

LAYER = {"mail": {"unit": "ride_id", "salt": "mail", "holdout": 0.1}}


def experiment(salt: str, **changes):
    return GOOD["experiment"] | {"salt": salt, "layer": "mail", "traffic": [0.0, 0.4]} | changes


def named(salt: str, changes):
    return experiment(salt) | dict(changes)


@pytest.fixture
def two(read):
    """Read the good file with two experiments of one layer."""

    def two(first=(), second=(), layers=LAYER):
        both = {"first": named("june", first), "second": named("july", second)}
        return read(experiment=None, experiments=both, layers=layers)

    return two


@pytest.fixture
def refusal(two):
    """Say why two experiments of one layer are refused."""

    def refusal(first=(), second=(), layers=LAYER):
        with pytest.raises(BadProblem) as caught:
            two(first, second, layers)
        return str(caught.value)

    return refusal


def test_slices_that_touch_share_nobody_and_those_that_overlap_are_named(two, refusal):
    assert two(second={"traffic": [0.4, 0.9]}).experiments["second"].slice_low == 0.4
    said = refusal(second={"traffic": [0.3, 0.9]})
    assert (
        "field experiments.second.traffic: experiments.second shares the places from 0.3 to 0.4 of the layer mail"
        in said
    )
    assert "with experiments.first at any time" in said


def test_one_slice_may_follow_another_in_time(two, refusal):
    june = {"start": "2013-01-01T00:00:00Z", "end": {"after": "P28D"}}
    july = two(june, {"start": "2013-01-29T00:00:00Z"}).experiments["first"]
    assert july.ends_at == datetime(2013, 1, 29, tzinfo=UTC)
    assert "from 2013-01-28 23:59 on" in refusal(june, {"start": "2013-01-28T23:59:59Z"})
    # Nobody knows when units alone end it.
    assert "at any time" in refusal({"end": {"max_units": 500}}, {})


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"layer": "mial"}, "field experiments.second.layer: 'mial' is none of layers"),
        ({"unit": "origin"}, "'origin' is placed here, and the layer mail places 'ride_id'"),
        ({"salt": "mail"}, "so that a slice of it would all get the same variant"),
        ({"cluster": "origin"}, "would part what was drawn together"),
        ({"traffic": [0.5, 0.95]}, "[0.5, 0.95] ends above 0.9, from where on the layer mail holds everybody out"),
        ({"traffic": [0.6, 0.5]}, "[0.6, 0.5] holds nobody"),
        ({"traffic": None}, "traffic: is missing: layer stands there"),
        ({"layer": None}, "layer: is missing: traffic stands there"),
        ({"end": {"after": "P28D"}}, "start: is missing: end.after counts its P28D from there"),
        ({"end": {"after": "PT6H"}}, "start: is missing: end.after counts its PT6H from there"),
        (
            {"start": "2013-01-01T00:00:00Z", "end": {"after": "P9999999D"}},
            "end.after: P9999999D after 2013-01-01 lies behind the year 9999",
        ),
        (
            {"start": "2013-01-01T00:00:00-05:00", "end": {"after": "P2917190DT23H"}},
            "end.after: P2917190DT23H after 2013-01-01 lies behind the year 9999",
        ),
        ({"end": {}}, "after: is missing, and max_units, too"),
        (
            {"end": {"max_units": 239}},
            "239 is less than the 240 of which each variant has minimum_units_per_variant, 100, in 99 of 100 splits",
        ),
        ({"start": "2013-03-01T00:00:00Z"}, "2013-03-01 00:00 lies not before the end of the pilot"),
    ],
)
def test_a_part_of_traffic_that_is_none_is_refused(refusal, change, line):
    assert line in refusal({"traffic": [0.4, 0.5]}, {"traffic": [0.0, 0.4]} | change)


def test_layers_of_nobody_or_of_one_salt_are_refused(refusal):
    apart = {"traffic": [0.4, 0.9]}
    assert "layers.app: is the layer of no experiment" in refusal(
        second=apart, layers=LAYER | {"app": {"unit": "ride_id", "salt": "app"}}
    )
    said = refusal(second={"layer": "app"}, layers=LAYER | {"app": {"unit": "ride_id", "salt": "mail"}})
    assert "'mail' is the salt of layers.mail, too" in said


def test_the_single_experiment_may_have_a_slice_and_reads_as_before_without(read):
    one = read(experiment=experiment("pepper", eligible="origin <> 'came'"), layers=LAYER).experiment
    assert (one.slice_low, one.slice_high, one.eligible) == (0.0, 0.4, "origin <> 'came'")
    assert (read().experiment.slice_low, read().experiment.slice_high, read().experiment.ends_at) == (0.0, 1.0, None)


def test_a_layer_needs_an_id_that_is_not_masked(refusal_of):
    experiment_ = experiment("pepper", holdback_share=0.0)
    columns = GOOD["source"]["columns"] | {"ride_id": {"type": "string", "pii": "identifier"}}
    said = refusal_of("source.columns", columns, experiment=experiment_, layers=LAYER)
    assert "'ride_id' has pii: identifier" in said
    assert "no layer" in said
