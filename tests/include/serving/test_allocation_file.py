import json
import math

import pytest

from include.errors import BadAllocation
from include.serving.allocation_file import LARGEST_FILE, decode_allocation, encode_allocation, require_sound, take_back
from include.serving.clients.evaluate import read_allocation
from include.serving.signing import make_signer
from tests.include.serving.factories import KEY, PUBLIC, make_experiment, make_file

OTHER = make_signer("another secret that is as long as it has to be")


def ranges(*places):
    return [{"variant": f"v{index}", "low": low, "high": high} for index, (low, high) in enumerate(places)]


def test_what_was_published_is_what_is_read_also_by_the_program_to_copy():
    content = make_file(revision=7, experiment=make_experiment(salt="소금 🧂"))
    allocation = decode_allocation("campaign", content, PUBLIC)
    assert allocation == read_allocation(content.decode())
    assert (allocation["revision"], allocation["experiments"]["experiment"]["salt"]) == (7, "소금 🧂")


def test_what_says_the_same_stays_as_it_is_to_the_byte():
    before = make_file(revision=7)
    again = encode_allocation("campaign", {"experiment": make_experiment()}, key=KEY, revision=8, before=before)
    assert again == before
    other = {"experiment": make_experiment(phase="rest")}
    changed = encode_allocation("campaign", other, key=KEY, revision=8, before=before)
    assert decode_allocation("campaign", changed, PUBLIC)["revision"] == 8


def test_a_file_of_the_past_is_not_published_over_a_later_one():
    with pytest.raises(BadAllocation, match="clock"):
        encode_allocation(
            "campaign", {"experiment": make_experiment(phase="rest")}, key=KEY, revision=7, before=make_file(revision=7)
        )


@pytest.mark.parametrize("before", [b"", b"rubbish", make_file("recommendation")])
def test_what_nobody_of_ours_signed_is_published_over(before):
    content = encode_allocation("campaign", {"experiment": make_experiment()}, key=KEY, revision=1, before=before)
    assert decode_allocation("campaign", content, PUBLIC)["revision"] == 1


def test_any_changed_byte_is_refused():
    content = make_file()
    for place in range(0, len(content), 7):
        forged = content[:place] + bytes([content[place] ^ 2]) + content[place + 1 :]
        try:
            read = decode_allocation("campaign", forged, PUBLIC)
        except BadAllocation:
            continue
        assert read == decode_allocation("campaign", content, PUBLIC)  # a blank of the envelope


def test_a_forger_who_signs_with_another_key_is_refused():
    forged = encode_allocation("campaign", {"experiment": make_experiment()}, key=OTHER, revision=9, before=None)
    with pytest.raises(BadAllocation, match="signature is not ours"):
        decode_allocation("campaign", forged, PUBLIC)


def test_the_file_of_another_problem_is_refused_though_it_is_ours():
    with pytest.raises(BadAllocation, match="Was it copied"):
        decode_allocation("campaign", make_file("recommendation"), PUBLIC)


@pytest.mark.parametrize("content", [b"", b"[]", b"3", b"{}", b'{"signed": "x"}', b"[" * 100_000, b"\xff"])
def test_what_is_no_allocation_is_refused(content):
    with pytest.raises(BadAllocation, match="no signed allocation"):
        decode_allocation("campaign", content, PUBLIC)


def test_a_file_too_large_to_be_one_is_not_even_read():
    with pytest.raises(BadAllocation, match=r"at most 1,048,576"):
        decode_allocation("campaign", b" " * (LARGEST_FILE + 1), PUBLIC)


def test_a_lone_surrogate_in_a_forged_text_is_refused_not_a_crash():
    with pytest.raises(BadAllocation, match="signature"):
        decode_allocation("campaign", json.dumps({"signed": "\ud800", "signature": "AAAA"}).encode(), PUBLIC)


@pytest.mark.parametrize(
    "places",
    [[(0, 0.5), (0.4, 1)], [(-0.1, 1)], [(0, 1.1)], [(0.5, 0.5)], [(0.6, 0.5)], [(0, math.nan)], [(0, 0.5), (0, 0.5)]],
)
def test_ranges_that_overlap_or_leave_the_places_are_refused(places):
    good = make_experiment()
    with pytest.raises(BadAllocation, match="experiment 'bad'"):
        require_sound("campaign", {"good": good, "bad": make_experiment(ranges=ranges(*places))})


@pytest.mark.parametrize("places", [[], [(0, 1)], [(0.2, 0.4), (0.6, 0.7)], [(0.5, 1), (0, 0.5)]])
def test_ranges_may_leave_units_out_and_stand_in_any_order(places):
    require_sound("campaign", {"one": make_experiment(ranges=ranges(*places))})


def test_what_is_taken_back_keeps_its_names_and_gives_no_place():
    paused = make_file(experiment=make_experiment(phase="paused", ranges=[], paused_since=1.0))
    for published in (make_file(), paused):
        taken_back = take_back("campaign", published, PUBLIC)["experiment"]
        assert taken_back == make_experiment(phase="hold", ranges=[])
    assert take_back("campaign", b"forged", PUBLIC) == take_back("campaign", None, PUBLIC) == {}


@pytest.mark.parametrize("more", [{"slice": {"salt": "mail", "low": 0.0, "high": 0.5}}, {"start": 5.0}, {"end": 9.0}])
def test_a_file_with_slices_or_times_is_of_a_format_that_older_programs_refuse(more):
    content = make_file(experiment=make_experiment(**more))
    assert decode_allocation("campaign", content, PUBLIC)["format"] == "mulgil-allocation/2"
    assert read_allocation(content.decode())["experiments"]["experiment"].items() >= more.items()
    assert decode_allocation("campaign", make_file(), PUBLIC)["format"] == "mulgil-allocation/1"


@pytest.mark.parametrize(
    "more",
    [
        {"slice": {"salt": "mail", "low": 0.5, "high": 0.5}},
        {"slice": {"salt": "mail", "low": 0.5, "high": 1.5}},
        {"slice": {"salt": "mail", "low": math.nan, "high": 0.5}},
        {"start": 9.0, "end": 9.0},
    ],
)
def test_a_slice_or_a_time_that_holds_nothing_is_refused(more):
    with pytest.raises(BadAllocation, match="a slice lies in 0 to 1"):
        require_sound("campaign", {"experiment": make_experiment(**more)})
