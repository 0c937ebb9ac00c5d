"""Asks gradient boosted trees about a few rows without the checks and copies that cost twenty times as much.

What belongs here: the same numbers as the model's own `predict_proba`, which `is_like` asks on probes each time a model
is loaded; where they differ, or scikit-learn has changed inside, the model's own way is taken.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from include.learning.calibration.calibrators import apply_map
from include.learning.data.features import LARGEST_NUMBER, FeatureSpec
from include.learning.explain.model_parts import Parts
from include.learning.protocols import ScoreMap

Rows = Sequence[Mapping[str, object]]
Ask = Callable[[Rows], NDArray[np.float64]]
TOLERANCE = 1e-12


def read_trees(parts: Parts, spec: FeatureSpec, score_map: ScoreMap | None) -> Ask | None:
    """Read from a model of trees what its answers need; None where it is not one, or reads text.

    Args:
        parts: the model.
        spec: what it reads.
        score_map: its calibration.

    Returns:
        what gives rows, whose features were read, their probability of the positive class: shape (n_rows,).
    """
    if not parts.is_trees or spec.text:
        return None
    trees = parts.classifier
    try:
        places = _places_of_words(trees, spec)
        known, positions = trees._bin_mapper.make_known_categories_bitsets()
        predictors = [tree for (tree,) in trees._predictors]
        base = float(np.asarray(trees._baseline_prediction).ravel()[0])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    order = [*spec.categories, *spec.numeric] if trees._preprocessor is not None else [*spec.numeric, *spec.categories]

    def ask(rows: Rows) -> NDArray[np.float64]:
        encoded = np.array(
            [[places[name].get(row[name], np.nan) if name in places else row[name] for name in order] for row in rows],
            dtype=np.float64,
        )
        encoded = np.clip(encoded, -LARGEST_NUMBER, LARGEST_NUMBER)
        log_odds = np.full(len(rows), base)
        for tree in predictors:
            log_odds += tree.predict(encoded, known_cat_bitsets=known, f_idx_map=positions, n_threads=1)
        return apply_map(score_map, expit(log_odds))

    return ask


def _places_of_words(trees: object, spec: FeatureSpec) -> dict[str, dict[object, float]]:
    """Say of each categorical column which number the trees know its words by.

    Raises:
        AttributeError, ValueError: scikit-learn is built otherwise.
    """
    if not spec.categories:
        return {}
    encoder = trees._preprocessor.named_transformers_["encoder"]  # type: ignore[attr-defined]
    columns = zip(spec.categories, encoder.categories_, strict=True)
    return {name: {word: float(place) for place, word in enumerate(words)} for name, words in columns}


def is_like(fast: Ask, slow: Ask, probes: Rows) -> bool:
    """Tell whether a quick way says what the model says, to twelve digits, on every probe."""
    try:
        return bool(np.allclose(fast(probes), slow(probes), rtol=TOLERANCE, atol=TOLERANCE))
    except (AttributeError, TypeError, ValueError):
        return False
