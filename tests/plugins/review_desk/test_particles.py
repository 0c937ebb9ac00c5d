"""A Korean particle follows the last sound of the word before it, on the server and in the browser alike."""

import pytest

from review_desk.particles import PAIRS, place_particles
from review_desk.texts import TEXTS, say

CASES = [
    ("“광고”(으로/로)", "“광고”로"),
    ("“정상”(으로/로)", "“정상”으로"),
    ("“서울”(으로/로)", "“서울”로"),
    ("“서울”(은/는)", "“서울”은"),
    ("“광고”(이/가) 없습니다", "“광고”가 없습니다"),
    ("“메일”(과/와) 나머지", "“메일”과 나머지"),
    ("‘바나나’(을/를)", "‘바나나’를"),
    ("round-001(이/가)", "round-001이"),
    ("round-002(이/가)", "round-002가"),
    ("round-003(으로/로)", "round-003으로"),
    ("spam(으로/로)", "spam으로"),
    ("unsolicited(은/는)", "unsolicited는"),
    ("email(으로/로)", "email로"),
    ("(이/가)", "(이/가)"),
    ("여러 개(은/는) “둘”(을/를)", "여러 개는 “둘”을"),
]


@pytest.mark.parametrize(("written", "read"), CASES)
def test_a_particle_follows_the_last_sound_before_it(written: str, read: str) -> None:
    assert place_particles(written) == read


def test_the_desk_says_no_particle_in_two_forms() -> None:
    values = dict.fromkeys(("label", "batch", "problem", "subject", "positive", "lead", "classes", "item"), "서울")
    said = [say("ko", key, values) for key in TEXTS["ko"]]
    assert [text for text in said if any(f"({pair})" in text for pair in PAIRS)] == []


def test_english_keeps_its_brackets() -> None:
    assert not any(f"({pair})" in text for pair in PAIRS for text in TEXTS["en"].values())
