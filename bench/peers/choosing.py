"""scikit-activeml's query by entropy over probabilities that are in memory: `python choosing.py N_ITEMS N_CHOSEN`.

Its query asks a classifier; this one looks its answers up, so that only the query is timed.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import UncertaintySampling

n_items, n_chosen = int(sys.argv[1]), int(sys.argv[2])
PROBA = np.concatenate([np.random.default_rng(part).dirichlet([1, 1, 1], n_items // 10) for part in range(10)])


class _Recorded(SkactivemlClassifier):  # type: ignore[misc]
    """A classifier whose rows are numbers of rows, and whose answers are known."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "_Recorded":  # noqa: ARG002, N803
        """Fit nothing."""
        self.classes_ = np.arange(3)
        return self

    def predict_proba(self, X: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: N803
        """Look the answers up."""
        return PROBA[X[:, 0].astype(np.int64)]


numbers = np.arange(n_items, dtype=np.float64)[:, None]
unknown = np.full(n_items, np.nan)


def peak_mb() -> float:
    """Read this program's own peak: what getrusage says is inherited from whoever started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) / 1024


before_mb = peak_mb()
started = time.perf_counter()
classifier = _Recorded(classes=[0, 1, 2]).fit(numbers, unknown)
UncertaintySampling(method="entropy", random_state=0).query(
    numbers, unknown, classifier, fit_clf=False, batch_size=n_chosen
)
seconds = time.perf_counter() - started
grown_mb = peak_mb() - before_mb
print(json.dumps({"seconds": seconds, "grown_mb": grown_mb}))
