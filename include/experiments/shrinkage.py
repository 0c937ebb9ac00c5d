"""What to expect of variants once the luck of the best is taken off.

What belongs here: means with their errors in, shrunk means out. What does not: what the means are of.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_POINTS = 200


def shrink_means(means: Floats, errors: Floats, *, scale: float) -> Floats:
    """Draw means towards each other, as far as chance alone would have driven them apart.

    theta_i ~ N(mu, tau²), mean_i ~ N(theta_i, error_i²), mu flat, tau half-Cauchy with the given scale. Given tau,
    theta_i has the mean (tau² mean_i + error_i² mu) / (tau² + error_i²) with mu the weighted mean, weights
    1 / (tau² + error_i²); tau is summed over a grid by its posterior. The largest of several means is too large on
    average; the largest of these is not, where variants differ as the prior says.

    Args:
        means: shape (n_variants,), at least 2, any unit.
        errors: shape (n_variants,), standard errors, above 0, same unit.
        scale: how far apart true means commonly are, same unit, above 0.

    Returns:
        shape (n_variants,), between the least and the largest mean.

    Source: Efron and Morris 1975; Gelman 2006 for the half-Cauchy, section 4.3.
    """
    tau = np.concatenate([[0.0], scale * np.logspace(-3, 3, N_POINTS)])[:, None]
    variance = tau**2 + errors**2
    weights = 1.0 / variance
    centre = (weights * means).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
    log_chance = -0.5 * (np.log(variance) + (means - centre) ** 2 / variance).sum(axis=1)
    log_chance -= 0.5 * np.log(weights.sum(axis=1)) + np.log1p((tau[:, 0] / scale) ** 2)
    width = np.gradient(tau[:, 0])  # the grid is denser where tau is small
    chance = np.exp(log_chance - log_chance.max()) * width
    shrunk = (tau**2 * means + errors**2 * centre) / variance
    return np.asarray((chance[:, None] * shrunk).sum(axis=0) / chance.sum())
