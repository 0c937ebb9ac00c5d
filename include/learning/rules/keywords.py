"""Finds words that give a class away: rules "the text contains X", measured on rows that did not suggest them.

A word is searched as it stands, also inside longer words, which works for languages without spaces between words; or
standing alone, where the problem file says `whole_words`. What belongs here: texts and labels in, rules with their
numbers out. What does not: who approves them (`rules/mining.py`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from include.learning.data.features import TEXT_LIMIT
from include.learning.errors import CannotExplain
from include.learning.protocols import Flags
from include.stats.wilson import wilson_interval

MINIMUM_HITS = 3  # texts that must hold a word before it is worth a thought
MAX_SUGGESTED = 40
MAX_RULES = 10
ANY_CHOSEN = "(any of the chosen)"
SHORTEST = 3  # characters; shorter pieces are inside every other word


@dataclass(frozen=True)
class KeywordRule:
    """One rule "contains X", as measured on rows that did not suggest it.

    Attributes:
        keyword: X, in small letters.
        n_hits: measured rows that contain it.
        n_rows: measured rows.
        precision_ratio: share of the hits that are positive, 0..1; low and high are the 95 % Wilson interval.
        coverage_ratio: share of the positive rows that contain it, 0..1; likewise.
        is_chosen: whether it is part of the proposed rule.
    """

    keyword: str
    n_hits: int
    n_rows: int
    precision_ratio: float
    precision_low: float
    precision_high: float
    coverage_ratio: float
    coverage_low: float
    coverage_high: float
    is_chosen: bool


def suggest_keywords(texts: Sequence[str], is_positive: Flags) -> list[str]:
    """Suggest words and pairs of words that positive texts hold and others do not.

    Args:
        texts: rows to learn from.
        is_positive: shape (n_rows,).

    Returns:
        at most 40 in small letters, the best first: by the lower end of the share of positives among the texts that
        hold them, then by how many do. Empty where no word is in three texts.
    """
    counter = CountVectorizer(
        binary=True, ngram_range=(1, 2), min_df=MINIMUM_HITS, token_pattern=rf"(?u)\b[^\W\d_]{{{SHORTEST},}}\b"
    )
    try:
        holds = counter.fit_transform([text.lower() for text in texts])
    except ValueError:  # no word is in so many texts
        return []
    n_hits = np.asarray(holds.sum(axis=0)).ravel()
    n_positive = np.asarray(holds[np.flatnonzero(is_positive)].sum(axis=0)).ravel()
    lows = wilson_interval(n_positive, n_hits)[0]
    words = counter.get_feature_names_out()
    base = float(is_positive.mean())
    order = np.lexsort((words.astype(str), -n_hits, -lows))
    return [str(words[place]) for place in order if lows[place] > base][:MAX_SUGGESTED]


def choose_keywords(
    keywords: Sequence[str],
    texts: Sequence[str],
    is_positive: Flags,
    minimum_precision: float,
    *,
    is_whole: bool = False,
) -> list[str]:
    """Choose keywords that pay together, one after the other: the one that adds most positive rows not yet covered.

    Args:
        keywords: suggested ones, in small letters.
        texts: the rows that suggested them; the rows that measure must not choose, or they would flatter.
        is_positive: shape (n_rows,).
        minimum_precision: share of hits from which on acting pays, 0..1; the lower end of the interval must reach it.
        is_whole: whether a keyword must stand alone.

    Returns:
        at most 10, in the order of choosing; ends where none adds a row. Ties go to the earlier suggestion.
    """
    paying = {}
    for word in keywords:
        hit = contains(texts, word, is_whole=is_whole)
        n_hits = int(hit.sum())
        if n_hits and wilson_interval(int((hit & is_positive).sum()), n_hits)[0] >= minimum_precision:
            paying[word] = hit & is_positive
    covered = np.zeros(len(is_positive), dtype=np.bool_)
    chosen: list[str] = []
    while len(chosen) < MAX_RULES and paying:
        word = max(paying, key=lambda one: int((paying[one] & ~covered).sum()))
        if not (paying[word] & ~covered).any():
            break
        covered |= paying.pop(word)
        chosen.append(word)
    return chosen


def measure_keywords(
    keywords: Sequence[str], chosen: Sequence[str], texts: Sequence[str], is_positive: Flags, *, is_whole: bool = False
) -> list[KeywordRule]:
    """Measure each keyword, and the chosen ones as one rule, on rows that neither suggested nor chose them.

    Args:
        keywords: suggested ones.
        chosen: those of the proposed rule.
        texts: measured rows, chosen by chance.
        is_positive: shape (n_rows,).
        is_whole: whether a keyword must stand alone.

    Returns:
        one for each keyword that any measured row contains, in the order of `keywords`; before them, where anything was
        chosen and hits, the whole rule as `(any of the chosen)`.

    Raises:
        CannotExplain: there is no positive row to cover.
    """
    n_positive = int(is_positive.sum())
    if not n_positive:
        raise CannotExplain(
            f"0 of {len(texts):,} rows to measure keywords on are positive; label more items that chance chose."
        )
    hits = {word: contains(texts, word, is_whole=is_whole) for word in keywords}
    if chosen:
        hits = {ANY_CHOSEN: np.any([contains(texts, word, is_whole=is_whole) for word in chosen], axis=0)} | hits
    rules = []
    for word, hit in hits.items():
        n_hits, n_right = int(hit.sum()), int((hit & is_positive).sum())
        if n_hits:
            precision, coverage = wilson_interval(n_right, n_hits), wilson_interval(n_right, n_positive)
            shares = (n_right / n_hits, *precision, n_right / n_positive, *coverage)
            rules.append(KeywordRule(word, n_hits, len(texts), *shares, is_chosen=word in (ANY_CHOSEN, *chosen)))
    return rules


def broken_promises(measured: Sequence[KeywordRule], minimum_precision: float) -> list[str]:
    """Name the chosen keywords that other rows have shown to be right less often than acting on them needs.

    Args:
        measured: from `measure_keywords`; the whole rule is left out.
        minimum_precision: what each was chosen for, 0..1.
    """
    return [
        one.keyword
        for one in measured
        if one.is_chosen and one.keyword != ANY_CHOSEN and one.precision_high < minimum_precision
    ]


def contains(texts: Sequence[str], keyword: str, *, is_whole: bool = False) -> Flags:
    """Say which texts hold a keyword, whatever the case of their letters: shape (n_rows,).

    Args:
        is_whole: whether it must stand alone, with no letter, digit or underscore beside it.
    """
    if is_whole:
        alone = re.compile(rf"(?<!\w){re.escape(keyword)}(?!\w)")
        return np.array([alone.search(text.lower()) is not None for text in texts], dtype=np.bool_)
    return np.array([keyword in text.lower() for text in texts], dtype=np.bool_)


def write_predicate(keywords: Sequence[str], columns: Sequence[str], *, is_whole: bool = False) -> str:
    """Write the rule as the problem file would: a SQL predicate, true where a text column holds any keyword.

    Args:
        keywords: at least one.
        columns: the problem's text columns.
        is_whole: whether a keyword must stand alone.
    """
    # The characters that were measured, and no more.
    text = " || ' ' || ".join(f"substr(coalesce({column}, ''), 1, {TEXT_LIMIT})" for column in columns)
    quoted = [word.replace("'", "''") for word in keywords]
    if is_whole:  # as Python's \w: the engines' own \b knows no letters beyond a to z
        any_word = "|".join(map(re.escape, quoted))
        return rf"regexp_matches(lower({text}), '(^|[^\p{{L}}\p{{N}}_])({any_word})($|[^\p{{L}}\p{{N}}_])')"
    return " OR ".join(f"contains(lower({text}), '{word}')" for word in quoted)
