"""The peers' own strategies in the shared loop: `python active_learning.py FILE NAME FIRST_SEED N_SEEDS`.

scikit-activeml validates dense arrays only, so that its classifiers are shown numbers of rows and look the words up.
Those that look at vectors alone start without labels by themselves; all others start from the draw of random.
"""

import warnings
from functools import partial
from typing import Any

import numpy as np
from learning_loop import State, Strategy, fit, main, start_by_chance, widen
from modAL.batch import uncertainty_batch_sampling
from modAL.models import ActiveLearner
from numpy.typing import NDArray
from skactiveml.classifier import SklearnClassifier
from skactiveml.pool import Badge, CoreSet, MaxHerding, ProbCover, TypiClust, UncertaintySampling
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from small_text import lightweight_coreset

warnings.filterwarnings("ignore")


class _ByNumber(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier whose rows are numbers of rows of the pool."""

    def __init__(self, words: Any = None, n_classes: int = 2) -> None:
        self.words, self.n_classes = words, n_classes

    def fit(self, X: NDArray[np.float64], y: Any, sample_weight: Any = None) -> "_ByNumber":  # noqa: ARG002, N803
        """Fit the shared model on the words of the rows."""
        self.classes_ = np.arange(self.n_classes)
        self.model_ = fit(self.words[X[:, 0].astype(int)], np.asarray(y, dtype=np.int64))
        return self

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803
        """Ask the shared model."""
        rows = self.words[X[:, 0].astype(int)]
        if self.model_ is None:
            return np.full((rows.shape[0], self.n_classes), 1 / self.n_classes)
        return widen(self.model_, rows, self.n_classes)

    def predict(self, X: NDArray[np.float64]) -> NDArray[np.int64]:  # noqa: N803
        """Give the likeliest class."""
        return self.predict_proba(X).argmax(axis=1)


def _known(state: State) -> NDArray[np.float64]:
    """Give the labels as scikit-activeml wants them: missing where nobody answered."""
    y = np.full(len(state.y), np.nan)
    y[state.labelled] = state.y[state.labelled]
    return y


def _of_model(make: Any) -> Strategy:
    def ask(state: State, n_chosen: int) -> Any:
        n_classes = int(state.y.max()) + 1
        classifier = SklearnClassifier(_ByNumber(state.words, n_classes), classes=np.arange(n_classes))
        numbers = np.arange(len(state.y), dtype=float)[:, None]
        return make(random_state=state.seed).query(numbers, _known(state), classifier, batch_size=n_chosen)

    return ask


def _on_vectors(make: Any) -> Strategy:
    def ask(state: State, n_chosen: int) -> Any:
        return make(random_state=state.seed).query(state.vectors, _known(state), batch_size=n_chosen)

    return ask


def _badge(state: State, n_chosen: int) -> Any:
    """Ask BADGE, whose gradients are those of a logistic regression on the vectors."""
    classes = np.arange(int(state.y.max()) + 1)
    classifier = SklearnClassifier(LogisticRegression(C=100.0, max_iter=1000), classes=classes)
    return Badge(random_state=state.seed).query(state.vectors, _known(state), classifier, batch_size=n_chosen)


def _lightweight_coreset(state: State, n_chosen: int) -> Any:
    rest = state.rest
    open_vectors = state.vectors[rest]
    return rest[lightweight_coreset(open_vectors, open_vectors.mean(axis=0), n_chosen)]


def _ranked_batch(state: State, n_chosen: int) -> Any:
    if state.model is None:
        return start_by_chance(state, n_chosen)
    learner = ActiveLearner(estimator=state.model, query_strategy=uncertainty_batch_sampling)
    learner.X_training = state.words[state.labelled]
    chosen = uncertainty_batch_sampling(learner, state.words[state.rest], n_instances=n_chosen)
    return state.rest[np.asarray(chosen[0] if isinstance(chosen, tuple) else chosen)]


STRATEGIES: dict[str, tuple[Strategy, Strategy]] = {
    "scikit-activeml margin": (start_by_chance, _of_model(partial(UncertaintySampling, method="margin_sampling"))),
    "scikit-activeml BADGE": (start_by_chance, _badge),
    "scikit-activeml CoreSet": (_on_vectors(CoreSet), _on_vectors(CoreSet)),
    "scikit-activeml TypiClust": (_on_vectors(TypiClust), _on_vectors(TypiClust)),
    "scikit-activeml ProbCover": (_on_vectors(ProbCover), _on_vectors(ProbCover)),
    "scikit-activeml MaxHerding": (_on_vectors(MaxHerding), _on_vectors(MaxHerding)),
    "small-text lightweight coreset": (_lightweight_coreset, _lightweight_coreset),
    "modAL ranked batch": (start_by_chance, _ranked_batch),
}

if __name__ == "__main__":
    main(STRATEGIES)
