"""How much less units say that were drawn together: households, schools, shops.

What belongs here: sums over clusters in, design effects out. What does not: making the sums, and what is compared.
"""

from include.errors import BadCounts


def ratio_design_effect(
    n_clusters: float, units: float, hits: float, units_squared: float, products: float, hits_squared: float
) -> float:
    """Say how many times the variance of a share is that of as many units drawn one by one.

    With m units and y hits in each of C clusters and R = sum y / sum m, the share of a ratio of two sums has
    Var(R) = C / (C - 1) (sum y² - 2 R sum m y + R² sum m²) / (sum m)² by the delta method; single units would have
    R (1 - R) / sum m.

    Args:
        n_clusters: that have units, at least 1.
        units, hits: sum m and sum y.
        units_squared, products, hits_squared: sum m², sum m y, sum y².

    Returns:
        at least 1: a band is never narrower than that of units drawn one by one. Where the variance is unknown (one
        cluster, or a share of 0 or 1) the mean cluster of a unit, sum m² / sum m, as if a cluster's units were alike.

    Raises:
        BadCounts: there are no units, or more clusters or hits than units.

    Source: Cochran 1977, "Sampling Techniques", sections 6.3 and 11.8; Deng, Knoblich and Lu 2018, "Applying the Delta
        Method in Metric Analytics".
    """
    if not (units > 0 and 1 <= n_clusters <= units and 0 <= hits <= units):
        raise BadCounts(
            f"{n_clusters:,.10g} clusters of {units:,.10g} units with {hits:,.10g} hits are no sums over clusters; "
            "each cluster has at least one unit, and each unit at most one hit."
        )
    ratio = hits / units
    if n_clusters < 2 or ratio in (0.0, 1.0):
        return max(1.0, units_squared / units)
    spread = hits_squared - 2 * ratio * products + ratio**2 * units_squared
    variance = n_clusters / (n_clusters - 1) * spread / units**2
    return max(1.0, variance / (ratio * (1 - ratio) / units))
