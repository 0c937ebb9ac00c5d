import json
import time

import pytest

from include.serving.allocation_file import decode_allocation
from include.serving.clients.evaluate import evaluate
from include.serving.evaluation import (
    entity_tag,
    evaluate_flag,
    find_flag,
    list_flags,
    propensity,
    read_object,
    read_unit,
)
from include.serving.refusals import RequestRefused
from tests.include.serving.factories import PUBLIC, make_experiment, make_file


def flags_of(**experiments):
    return list_flags({"campaign": decode_allocation("campaign", make_file(**experiments), PUBLIC)})


def asked(**context):
    return json.dumps({"context": context}).encode()


def test_a_unit_gets_the_variant_that_the_program_to_copy_says():
    flag = flags_of()["campaign.experiment"]
    for unit in ("p1", "p2", "사용자", "👩‍🚀"):
        answer = evaluate_flag(flag, read_unit(asked(targetingKey=unit)))
        assert answer["value"] == answer["variant"] == evaluate(make_experiment(), unit)
        assert (answer["reason"], answer["metadata"]["revision"]) == ("SPLIT", 7)


def test_a_unit_outside_of_every_range_is_left_to_the_programs_own_default():
    flag = flags_of(experiment=make_experiment(ranges=[], phase="hold"))["campaign.experiment"]
    answer = evaluate_flag(flag, "p1")
    assert (answer["reason"], answer["variant"]) == ("DEFAULT", "")
    assert "value" not in answer


def test_two_experiments_divide_people_independently():
    flags = flags_of(one=make_experiment(salt="a"), two=make_experiment(salt="b"))
    told = [
        tuple(evaluate_flag(flags[f"campaign.{name}"], f"p{n}")["variant"] for name in ("one", "two"))
        for n in range(400)
    ]
    assert min(told.count(pair) for pair in {*told}) > 60
    assert len({*told}) == 4


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PARSE_ERROR"),
        (b"{", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b"\xff\xfe", "PARSE_ERROR"),
        (b"[" * 50_000, "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "a", "x": NaN}}', "PARSE_ERROR"),
        (b'{"context": {"targetingKey": "a", "x": -Infinity}}', "PARSE_ERROR"),
        (b'{"x": ' + b"9" * 50_000 + b"}", "PARSE_ERROR"),
        (b"{}", "TARGETING_KEY_MISSING"),
        (b'{"context": null}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"targetingKey": ""}}', "TARGETING_KEY_MISSING"),
        (b'{"context": {"country": "KR"}}', "TARGETING_KEY_MISSING"),
        (b'{"context": 3}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 42}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "\\ud800"}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "' + b"x" * 1_025 + b'"}}', "INVALID_CONTEXT"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_with_the_protocols_code(body, code):
    with pytest.raises(RequestRefused) as caught:
        read_unit(body)
    assert (caught.value.status, caught.value.code) == (400, code)


def test_a_number_too_large_for_a_double_is_read_as_none():
    assert read_object(b'{"x": 1e400}') == {"x": float("inf")}  # the features refuse it, by the column's name


def test_an_unknown_flag_is_not_found_and_the_known_ones_are_named():
    with pytest.raises(RequestRefused, match=r"'nothing'; there are campaign\.experiment") as caught:
        find_flag(flags_of(), "nothing", lambda _: True)
    assert (caught.value.status, caught.value.code) == (404, "FLAG_NOT_FOUND")


def test_flags_that_a_key_is_not_for_are_not_named():
    with pytest.raises(RequestRefused, match="nothing that this key may ask for") as caught:
        find_flag(flags_of(), "cards.nope", lambda flag: flag.problem == "cards")
    assert "campaign" not in str(caught.value)


def test_a_propensity_is_the_share_of_all_ranges_of_a_variant():
    ranges = [{"variant": v, "low": low, "high": low + 0.25} for v, low in (("a", 0.0), ("b", 0.25), ("a", 0.5))]
    flag = flags_of(experiment=make_experiment(ranges=ranges))["campaign.experiment"]
    assert (propensity(flag, "a"), propensity(flag, "b"), propensity(flag, "c")) == (0.5, 0.25, 0.0)


def test_a_tag_changes_with_the_unit_and_with_what_is_published():
    old, new = flags_of(), list_flags({"campaign": decode_allocation("campaign", make_file(revision=8), PUBLIC)})
    assert entity_tag(old, "p1") == entity_tag(flags_of(), "p1")
    assert len({entity_tag(old, "p1"), entity_tag(old, "p2"), entity_tag(new, "p1"), entity_tag({}, "p1")}) == 4


def test_a_tag_changes_when_an_experiment_begins_and_when_it_ends():
    now = time.time()
    times = [{"start": now + 60}, {"start": now - 60}, {"start": now - 60, "end": now - 30}]
    assert len({entity_tag(flags_of(experiment=make_experiment(**one)), "p1") for one in times}) == 3


def test_outside_of_slice_or_time_the_programs_own_default_applies():
    outside = make_experiment(slice={"salt": "mail", "low": 0.0, "high": 1e-9}, eligible="country = 'KR'")
    answer = evaluate_flag(flags_of(experiment=outside)["campaign.experiment"], "p1")
    assert (answer["reason"], answer["variant"], "value" in answer) == ("DEFAULT", "", False)
    assert answer["metadata"]["eligible"] == "country = 'KR'"
    over = flags_of(experiment=make_experiment(end=1.0))["campaign.experiment"]
    assert evaluate_flag(over, "p1")["reason"] == "DEFAULT"


def test_a_paused_experiment_is_disabled_and_says_since_when():
    flags = flags_of(mail=make_experiment() | {"phase": "paused", "ranges": [], "paused_since": 1_780_272_000.0})
    answer = evaluate_flag(flags["campaign.mail"], "p1")
    assert (answer["reason"], answer["variant"], "value" in answer) == ("DISABLED", "", False)
    assert answer["metadata"]["paused_since"] == "2026-06-01T00:00:00+00:00"
