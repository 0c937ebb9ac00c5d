"""What the sums say about each variant's true reward rate, and which is best.

What belongs here: sums in, probabilities out. What does not: whether that is enough to decide (`decision.py`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betainccinv, betaincinv
from scipy.stats import beta

from include.errors import BadExperiment

Floats = NDArray[np.float64]

N_NODES = 20  # Gauss-Legendre nodes per piece

# Where the pieces of the integral begin: deep tails of every variant, and its body in twentieths. Between two
# neighbours no density changes by more than a few powers of ten, which 20 nodes follow to machine precision.
_TAILS = np.logspace(-16, -2, 15)
_BODY = np.arange(0.05, 0.951, 0.05)


@dataclass(frozen=True)
class Posterior:
    """What is known about one variant.

    Attributes:
        n_mature, n_rewarded: the sums it rests on.
        mean_ratio: posterior mean of the reward rate, 0..1.
        low, high: 95 % credible interval, equal tails.
        best_probability: probability that no other variant has a higher rate, 0..1; these sum to 1.
        expected_loss_ratio: reward rate expected to be lost by sending this one instead of the best, 0..1.
    """

    n_mature: int
    n_rewarded: int
    mean_ratio: float
    low: float
    high: float
    best_probability: float
    expected_loss_ratio: float


def summarise_variants(n_mature: NDArray[np.int64], n_rewarded: NDArray[np.int64]) -> list[Posterior]:
    """Say how good each variant is, and how likely it is the best.

    The reward rate of each variant has a uniform prior, so its posterior is Beta(1 + rewarded, 1 + not rewarded).
    With F_i its distribution function and f_i its density,
    P(i is best) = integral of f_i * prod_{j != i} F_j, and
    loss(i) = E[max_j] - E[i] = integral of F_i * (1 - prod_{j != i} F_j).
    Both are computed by Gauss-Legendre quadrature between quantiles of all variants; the probabilities sum to 1 within
    1e-9, which is checked and is the stated error.

    Args:
        n_mature: shape (n_variants,), at least 2 variants.
        n_rewarded: shape (n_variants,), each 0..n_mature.

    Returns:
        one per variant, in order.

    Raises:
        BadExperiment: fewer than two variants, or more rewards than units.

    Source: Beta-Binomial model; expected loss as in Stucchio 2015, "Bayesian A/B Testing at VWO", section 5.
    """
    _require_sums(n_mature, n_rewarded)
    a = (n_rewarded.astype(np.float64) + 1.0)[:, None]
    b = (n_mature.astype(np.float64) + 2.0)[:, None] - a
    nodes, weights = _quadrature(a, b)
    # SciPy's density; written as exp of a sum of logarithms, 100,000 units would cost six digits.
    below, density = betainc(a, b, nodes), np.asarray(beta.pdf(nodes, a, b))
    others = np.array([np.delete(below, index, axis=0).prod(axis=0) for index in range(len(a))])
    is_best, loss = (density * others) @ weights, (below * (1.0 - others)) @ weights
    if abs(is_best.sum() - 1.0) > 1e-9:
        raise BadExperiment(
            f"The probabilities of being best sum to {is_best.sum()} instead of 1 for {n_rewarded.tolist()} rewards of "
            f"{n_mature.tolist()} units; the integral did not converge. Please report these numbers."
        )
    columns = [a / (a + b), betaincinv(a, b, 0.025), betaincinv(a, b, 0.975), is_best[:, None], loss[:, None]]
    # Rounding may leave a probability, or its sum, above 1 by one part in 1e12.
    columns[3] = np.clip(columns[3] / columns[3].sum(), 0.0, 1.0)
    figures = np.hstack(columns).tolist()
    return [Posterior(int(n), int(k), *row) for n, k, row in zip(n_mature, n_rewarded, figures, strict=True)]


def _quadrature(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Place nodes where any variant's density lives, for a and b of shape (n_variants, 1); the weights sum to 1."""
    low, high = betaincinv(a, b, np.concatenate([_TAILS, _BODY])), betainccinv(a, b, _TAILS)
    edges = np.unique(np.clip(np.concatenate([[0.0, 1.0], low.ravel(), high.ravel()]), 0.0, 1.0))
    x, w = np.polynomial.legendre.leggauss(N_NODES)
    half = np.diff(edges)[:, None] / 2.0
    middle = (edges[:-1] + edges[1:])[:, None] / 2.0
    return (middle + half * x).ravel(), (half * w).ravel()


def _require_sums(n_mature: NDArray[np.int64], n_rewarded: NDArray[np.int64]) -> None:
    """Refuse sums that no experiment gives.

    Raises:
        BadExperiment: shapes differ, or a variant was rewarded more often than it had mature units.
    """
    if n_mature.shape != n_rewarded.shape or n_mature.size < 2:
        raise BadExperiment(
            f"Sums of shapes {n_mature.shape} and {n_rewarded.shape} cannot be compared; "
            "at least 2 variants are needed."
        )
    is_bad = (n_rewarded < 0) | (n_rewarded > n_mature)
    if is_bad.any():
        worst = int((n_rewarded - n_mature).argmax()) if (n_rewarded > n_mature).any() else int(n_rewarded.argmin())
        raise BadExperiment(
            f"{int(is_bad.sum())} of {is_bad.size} variants have rewards outside 0..units (worst: variant {worst}, "
            f"{n_rewarded[worst]} of {n_mature[worst]}). Was a unit rewarded twice?"
        )
