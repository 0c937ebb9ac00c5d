"""Describes items by vectors whose distance means "a different question": by what the model reads of them.

What belongs here: a frame of the problem's own feature columns in, vectors out; no labels. What does not: reading the
frame.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from include.problems.sections.learning import Features, ModelName

# What a model reads of a text, as its own vectoriser is set: parts of words where it is of characters.
_WORDS: dict[str, Any] = {"strip_accents": "unicode"}
_PIECES: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (1, 3)}
_CHARACTERS: dict[str, Any] = {"analyzer": "char_wb", "ngram_range": (2, 4)}
_READS: dict[str, tuple[dict[str, Any], ...]] = {
    "text_logistic": (_WORDS,),
    "text_pieces": (_PIECES,),
    "text_characters": (_WORDS, _CHARACTERS),
}
N_TOPICS = 64
MAX_WORDS = 20_000
LARGEST_DEVIATION = 3.0  # robust standard deviations; beyond it a number is far away, and further says nothing more
# Texts whose descriptions have a cosine above 0.99 share nearly all their words. Numbers that are close are not the
# same question, so that without text only exact copies count.
NEAR_TEXTS = float(np.sqrt(2 * (1 - 0.99)))
NEAR_NUMBERS = 1e-6


def describe_items(
    frame: pd.DataFrame, features: Features, seed: int, models: Collection[ModelName] = ()
) -> NDArray[np.float64]:
    """Describe each item by topics of its text, its numbers on one scale, and its categories.

    Args:
        frame: one row for each item, with the columns that `features` names; missing values are allowed.
        features: which columns are text, numeric and categorical.
        seed: of the decomposition.
        models: who reads the items; a text is told from another by what they read of it: words, where none is named.

    Returns:
        shape (n_items, n_dimensions), finite. Each kind of feature adds about the same to a squared distance.

    Source: latent semantic analysis, Deerwester et al. 1990; ours in how the kinds are put together.
    """
    if frame.empty:
        return np.empty((0, 1))
    parts = []
    if features.text:
        parts.append(_describe_text(frame, features.text, seed, models))
    if features.numeric:
        parts.append(_describe_numbers(frame[features.numeric]))
    if features.categorical:
        parts.append(_describe_categories(frame[features.categorical]))
    return np.column_stack(parts)


def near_distance_of(features: Features) -> float:
    """Say how near two descriptions must be for the items to be one question."""
    return NEAR_TEXTS if features.text and not (features.numeric or features.categorical) else NEAR_NUMBERS


def _describe_text(
    frame: pd.DataFrame, columns: Sequence[str], seed: int, models: Collection[ModelName]
) -> NDArray[np.float64]:
    """Place texts by topic, around the middle of the pool and all equally far from it.

    Without the centring every text is first of all a text in its language, and regions part long ones from short ones.
    """
    texts = frame[list(columns)].fillna("").astype(str).agg("\n".join, axis=1).tolist()
    counts = [count for reader in readers_of(models) if (count := _count_terms(texts, reader)) is not None]
    if not counts:  # no term that two texts share: nothing tells them apart
        return np.zeros((len(texts), 1))
    terms = hstack(counts, format="csr")
    n_topics = min(N_TOPICS, min(terms.shape) - 1)
    topics = TruncatedSVD(n_topics, random_state=seed).fit_transform(terms) if n_topics > 0 else terms.toarray()
    dense: NDArray[np.float64] = np.asarray(topics, dtype=np.float64)
    return _to_unit_length(dense - dense.mean(axis=0))


def readers_of(models: Collection[ModelName]) -> list[TfidfVectorizer]:
    """Make what reads a text as some models do, unfitted, each once; it reads words where none of them reads a text."""
    settings = [reads for name in sorted(models) for reads in _READS.get(name, ())] or [_WORDS]
    different = [reads for place, reads in enumerate(settings) if reads not in settings[:place]]
    return [TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=MAX_WORDS, **reads) for reads in different]


def _count_terms(texts: Sequence[str], reader: TfidfVectorizer) -> csr_matrix | None:
    """Weigh the terms of texts by how rare they are; None where no two texts share one."""
    try:
        return csr_matrix(reader.fit_transform(texts))
    except ValueError:
        return None


def _describe_numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Put numbers on one scale, by the middle half of their values; missing is the middle."""
    values = frame.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.where(np.isfinite(values), values, np.nan)
    is_known = ~np.isnan(values)
    values = np.where(is_known.any(axis=0), values, 0.0)  # a column without any value says nothing
    low, middle, high = np.nanquantile(values, [0.25, 0.5, 0.75], axis=0)
    spread = np.where(high > low, (high - low) / 1.349, np.nanstd(values, axis=0))  # 1.349: a normal's middle half
    scaled = (np.where(is_known, values, middle) - middle) / np.where(spread > 0, spread, 1.0)
    clipped: NDArray[np.float64] = np.clip(scaled, -LARGEST_DEVIATION, LARGEST_DEVIATION)
    clipped /= np.sqrt(values.shape[1])
    return clipped


def _describe_categories(frame: pd.DataFrame) -> NDArray[np.float64]:
    """Give each category a direction of its own; two items differ by the share of columns in which they do."""
    flags: NDArray[np.float64] = pd.get_dummies(frame.astype("str"), dummy_na=True, dtype="float64").to_numpy(copy=True)
    flags /= np.sqrt(frame.shape[1])
    return flags


def _to_unit_length(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scale vectors to length 1; what has no length stays in the middle."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float64] = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-12)
    return unit
