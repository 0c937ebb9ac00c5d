import duckdb
import numpy as np
import pytest

from include.learning.errors import CannotExplain
from include.learning.rules import keywords
from include.stats.wilson import wilson_interval

TEXTS = ["Free money now", "free money!", "FREE lunch", "money report", "the report", "lunch at noon"]
IS_JUNK = np.array([True, True, False, True, False, False])


def test_a_rule_is_counted_by_hand_with_its_intervals():
    rule = keywords.measure_keywords(["free"], [], TEXTS, IS_JUNK)[0]
    # Three texts contain it, two of them junk; two of three junk texts are covered.
    assert (rule.keyword, rule.n_hits, rule.n_rows, rule.is_chosen) == ("free", 3, 6, False)
    assert (rule.precision_ratio, rule.coverage_ratio) == pytest.approx((2 / 3, 2 / 3))
    assert (rule.precision_low, rule.precision_high) == wilson_interval(2, 3)
    assert (rule.coverage_low, rule.coverage_high) == wilson_interval(2, 3)


def test_the_whole_rule_comes_first_and_unmeasured_words_are_left_out():
    found = keywords.measure_keywords(["free", "casino", "money"], ["money"], TEXTS, IS_JUNK)
    assert [(rule.keyword, rule.n_hits, rule.is_chosen) for rule in found] == [
        (keywords.ANY_CHOSEN, 3, True),
        ("free", 3, False),
        ("money", 3, True),
    ]


def test_words_that_only_junk_holds_are_suggested_and_common_ones_are_not():
    texts = ["free money the"] * 10 + ["patch report the"] * 10
    found = keywords.suggest_keywords(texts, np.array([True] * 10 + [False] * 10))
    assert set(found) == {"free", "money", "free money", "money the"}
    assert keywords.suggest_keywords(["one", "two"], np.array([True, False])) == []


def test_korean_words_are_suggested_and_found_inside_longer_ones():
    texts = ["무료 대출 상담"] * 5 + ["회의 자료 전달"] * 5
    is_junk = np.array([True] * 5 + [False] * 5)
    assert "무료 대출" in keywords.suggest_keywords(texts, is_junk) or "대출" not in texts
    assert keywords.contains(["무료대출상담"], "대출").tolist() == [True]


def test_each_next_word_must_add_a_row_and_pay_by_its_lower_end():
    texts = ["free money"] * 30 + ["free"] * 10 + ["casino"] * 20 + ["report"] * 40 + ["lunch"] * 2
    is_junk = np.array([True] * 60 + [False] * 40 + [True] * 2)
    words = ["money", "free", "casino", "lunch", "report", "absent"]
    assert keywords.choose_keywords(words, texts, is_junk, 0.7) == ["free", "casino"]
    # Two hits of two are 34 % at the lower end: enough where acting pays from 30 % on.
    assert keywords.choose_keywords(words, texts, is_junk, 0.3) == ["free", "casino", "lunch"]
    assert keywords.choose_keywords([], texts, is_junk, 0.3) == []


def test_without_a_positive_row_nothing_can_be_covered():
    with pytest.raises(CannotExplain, match="0 of 2 rows to measure keywords on are positive"):
        keywords.measure_keywords(["free"], [], ["free", "lunch"], np.array([False, False]))


def test_the_predicate_means_in_sql_what_was_measured():
    words = ["free money", "it's", "대출", "100%"]
    texts = ["FREE money", None, "It's lunch", "무료대출", "a 100% sure", "free my money"]
    predicate = keywords.write_predicate(words, ["subject", "body"])
    query = f"SELECT {predicate} FROM (SELECT unnest(?) AS subject, NULL::VARCHAR AS body)"
    said = [bool(row[0]) for row in duckdb.execute(query, [texts]).fetchall()]
    known = [text or "" for text in texts]
    assert said == np.any([keywords.contains(known, word) for word in words], axis=0).tolist()
    assert said == [True, False, True, True, True, False]


@pytest.mark.parametrize("word", ["com", "out", "대출", "été", "free money", "it's"])
def test_a_whole_word_is_no_part_of_another_and_sql_says_the_same(word: str):
    texts = [
        f"{word}",
        f"a {word}.",
        f"({word})",
        f"{word}s",
        f"x{word}",
        f"{word}_",
        f"{word}7",
        f"ü{word}",
        "",
        "OUT",
    ]
    predicate = keywords.write_predicate([word, "absent"], ["body"], is_whole=True)
    found = keywords.contains(texts, word, is_whole=True).tolist()
    said = duckdb.execute(f"SELECT {predicate} FROM (SELECT unnest(?) AS body)", [texts]).fetchall()
    assert [row[0] for row in said] == found
    assert found[:8] == [True, True, True, False, False, False, False, False]


def test_a_word_is_dropped_only_where_its_whole_interval_lies_under_the_promise():
    # Right in 1 of 5 hits: at most 62 of 100 are. A promise of 77 is broken, one of 50 may still be kept.
    texts, is_junk = (
        ["free"] * 5 + ["casino"] * 5 + ["lunch"] * 5,
        np.array([True] + [False] * 4 + [True] * 5 + [False] * 5),
    )
    found = keywords.measure_keywords(["free", "casino", "lunch"], ["free", "casino"], texts, is_junk)
    assert keywords.broken_promises(found, 0.77) == ["free"]
    assert keywords.broken_promises(found, 0.5) == []
