import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from include.learning.data.near_duplicates import group_rows, similar_pairs

WORDS = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("ana", "eno", "iro", "odu", "uba")]


def make_texts(n_texts: int = 120, seed: int = 0) -> list[str]:
    """Texts of thirty words; every third one is the text before it, with some words changed."""
    rng = np.random.default_rng(seed)
    texts = [list(rng.choice(WORDS, 30)) for _ in range(n_texts)]
    for place in range(2, n_texts, 3):
        texts[place] = list(texts[place - 1])
        for changed in rng.choice(30, rng.integers(0, 6), replace=False):
            texts[place][changed] = str(rng.choice(WORDS))
    return [" ".join(words) for words in texts]


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", re.sub(r"\d+", "0", text.lower()))
    return {tuple(words[start : start + n]) for n in (1, 2, 3) for start in range(len(words) - n + 1)}


def brute_force(texts: list[str], similar: float = 0.8) -> set[tuple[int, int]]:
    sets = [shingles(text) for text in texts]
    pairs = combinations(range(len(texts)), 2)
    return {(a, b) for a, b in pairs if sets[a] and len(sets[a] & sets[b]) >= similar * len(sets[a] | sets[b])}


def test_it_finds_the_pairs_that_comparing_all_with_all_finds_and_no_other():
    texts = make_texts()
    found = {tuple(pair) for pair in similar_pairs(texts, seed=1).tolist()}
    assert found == brute_force(texts)
    assert 10 < len(found) < 40


def test_a_resent_text_with_another_number_and_greeting_is_nearly_the_same():
    body = "we ship toners and inkjet cartridges for less than any shop around the corner ask for our list of prices "
    texts = ["hello ann " + body + "ref 4711", "HELLO BOB " + body + "ref 99", "see you at lunch tomorrow at noon"]
    assert similar_pairs(texts, seed=1).tolist() == [[0, 1]]
    korean = [
        "무료 쿠폰을 지금 바로 받아 가세요 선착순 100 명 한정 이벤트 입니다",
        "무료 쿠폰을 지금 바로 받아 가세요 선착순 20 명 한정 이벤트 입니다",
    ]
    assert similar_pairs(korean, seed=1).tolist() == [[0, 1]]


def test_how_similar_decides():
    texts = make_texts()
    assert len(similar_pairs(texts, seed=1, similar=1.0)) < len(similar_pairs(texts, seed=1, similar=0.8))


@pytest.mark.parametrize("texts", [[], ["one"], ["", ""], ["", "!!", "word"]])
def test_texts_without_words_are_like_no_other(texts: list[str]):
    assert similar_pairs(texts, seed=1).shape == (0, 2)


def test_a_chain_of_similar_texts_and_the_rows_of_one_person_are_one_group():
    rows = pd.DataFrame(
        {
            "text": ["a b c d e f g h i j k l", "a b c d e f g h i j k l", "q r s t", "u v w x", "y z", "m n o p"],
            "person": ["ann", "bob", "bob", None, None, "cem"],
        }
    )
    groups = group_rows(rows, ["text"], "person", seed=1)
    assert groups[0] == groups[1] == groups[2]
    assert len(set(groups)) == 4
    assert len(set(group_rows(rows, ["text"], None, seed=1))) == 5
    assert len(set(group_rows(rows, [], None, seed=1))) == 6


def test_the_order_of_the_rows_changes_no_group_and_missing_text_is_no_text():
    texts = make_texts()
    rows = pd.DataFrame({"text": [*texts, None, None]})
    groups = group_rows(rows, ["text"], None, seed=1)
    order = np.random.default_rng(2).permutation(len(rows))
    turned = group_rows(rows.iloc[order], ["text"], None, seed=1)
    together = {frozenset(np.flatnonzero(groups == group).tolist()) for group in set(groups)}
    assert {frozenset(order[turned == group].tolist()) for group in set(turned)} == together
    assert groups[-1] != groups[-2]
