"""Which rows belong together: texts that are nearly the same, and rows of one entity.

What belongs here: rows in, the number of each row's group out. What does not: which side of a split a group is on
(`data/splits.py`).
"""

import re
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import HashingVectorizer

# Two texts are nearly the same when they share this much of their shingles; a resent mail with another greeting has .9.
SIMILAR = 0.8
# One, two and three words in a row: short texts have shingles too, and moving a word changes some.
SHINGLE_WORDS = (1, 3)
N_SHINGLES = 2**20
# 32 bands of 4 hashes find a pair that shares .8 with probability 1 - (1 - .8^4)^32 > 0.9999999.
N_BANDS, N_ROWS = 32, 4
_PRIME = np.uint64(2**31 - 1)
_WORD = r"(?u)\w+"
_NUMBER = re.compile(r"\d+")


def group_rows(rows: pd.DataFrame, text: list[str], entity: str | None, seed: int) -> NDArray[np.int64]:
    """Number the groups of rows that must stay on one side of a split.

    Args:
        rows: training rows.
        text: columns that are read as one text; none when empty.
        entity: column that names a person or a site; none when None. A row without one stands alone.
        seed: fixes the hashes that find similar texts.

    Returns:
        shape (n_rows,), group numbers from 0; a row like no other is a group of its own. Similar is not transitive,
        but a chain of similar texts is one group.
    """
    n_rows = len(rows)
    if not text and entity is None:
        return np.arange(n_rows)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    if text:
        joined = rows[text].astype("object").where(rows[text].notna(), "").astype(str).agg("\n".join, axis=1)
        pairs.append(similar_pairs(joined.tolist(), seed))
    if entity is not None:
        pairs.append(_pairs_of_equal(rows[entity]))
    found = np.vstack(pairs)
    links = sparse.coo_array((np.ones(len(found)), (found[:, 0], found[:, 1])), shape=(n_rows, n_rows))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def similar_pairs(texts: list[str], seed: int, similar: float = SIMILAR) -> NDArray[np.int64]:
    """Find texts that are nearly the same.

    Digits count as one and the same: a ticket or telephone number does not make a text another one. A text without
    a word is like no other.

    Args:
        texts: one for each row.
        similar: smallest share of common shingles (Jaccard), 0..1.

    Returns:
        shape (n_pairs, 2), places of two texts, the earlier first. Of many that are alike each is linked to one other.

    Source: Broder 1997, On the resemblance and containment of documents; bands from Leskovec, Rajaraman and Ullman
        2014, section 3.4. Candidates are compared exactly, so that no two different texts are ever linked by chance.
    """
    if len(texts) < 2:
        return np.empty((0, 2), dtype=np.int64)
    shingles = _shingles(texts)
    places = np.flatnonzero(np.diff(shingles.indptr))
    if len(places) < 2:
        return np.empty((0, 2), dtype=np.int64)
    pairs = np.vstack([_neighbours(band, places) for band in _bands(shingles[places], seed)])
    pairs = np.unique(pairs, axis=0)
    first, second = shingles[pairs[:, 0]], shingles[pairs[:, 1]]
    common = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    either = np.diff(first.indptr) + np.diff(second.indptr) - common
    return np.asarray(pairs[common >= similar * either], dtype=np.int64)


def _shingles(texts: list[str]) -> sparse.csr_matrix:
    """Mark which runs of words each text has: a sparse matrix of 0 and 1, shape (n_texts, N_SHINGLES)."""
    marker = HashingVectorizer(
        n_features=N_SHINGLES,
        ngram_range=SHINGLE_WORDS,
        token_pattern=_WORD,
        binary=True,
        norm=None,
        alternate_sign=False,
        preprocessor=_plain,
    )
    marked: sparse.csr_matrix = marker.transform(texts).tocsr()
    return marked


def _plain(text: str) -> str:
    """Write a text without what changes from one sending to the next."""
    return _NUMBER.sub("0", text.lower())


def _bands(shingles: sparse.csr_matrix, seed: int) -> list[NDArray[np.uint64]]:
    """Hash each text so that similar ones agree in at least one band; one array of numbers for each band."""
    rng = np.random.default_rng(seed)
    shingle = shingles.indices.astype(np.uint64)
    starts = shingles.indptr[:-1]
    bands = []
    for _ in range(N_BANDS):
        band = np.zeros(shingles.shape[0], dtype=np.uint64)
        for _ in range(N_ROWS):
            factor, offset = rng.integers(1, int(_PRIME), size=2, dtype=np.uint64)
            smallest = np.minimum.reduceat((shingle * factor + offset) % _PRIME, starts)
            band = band * np.uint64(1_000_003) + smallest  # wraps around: it is a hash
        bands.append(band)
    return bands


def _neighbours(band: NDArray[np.uint64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pair each text with the one before it, and with the first one, that fell into the same bucket."""
    order = np.argsort(band, kind="stable")
    is_first = np.diff(band[order], prepend=band[order][:1] + np.uint64(1)) != 0
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))
    here = np.flatnonzero(~is_first)
    pairs = np.vstack([np.column_stack([here - 1, here]), np.column_stack([first[here], here])])
    return np.sort(places[order[pairs]], axis=1)


def _pairs_of_equal(column: "pd.Series[Any]") -> NDArray[np.int64]:
    """Link each row to the one before it that has the same value; missing values are like no other."""
    codes = pd.factorize(column)[0]
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    is_same = np.diff(codes[order]) == 0
    return np.column_stack([order[:-1][is_same], order[1:][is_same]])
