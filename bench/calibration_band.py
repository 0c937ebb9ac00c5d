"""How often the curve of a faultless model leaves its consistency band, and how often that of one that is off does.

    python -m bench.calibration_band

Worlds are drawn: probabilities from beta distributions, whole percents or all different, and what happens drawn from
them. Stated is that at each point 90 of 100 curves of a faultless model are inside the band; the bar is 85 of 100.
Power: the same worlds, where it happens a fifth less often than it is said.
"""

import numpy as np
from numpy.typing import NDArray

from include.stats.corp import BAND_LEVEL, ScoredCells, draw_curve
from include.stats.reliability import sum_equal_count

BAR, N_WORLDS, SEED = 0.85, 200, 2_021
MAX_CELLS = 2_000
SHAPES = {"balanced": (2.0, 2.0), "one in four": (1.0, 3.0), "one in fifty": (0.5, 24.5)}
Floats = NDArray[np.float64]


def count_cells(p: Floats, is_positive: NDArray[np.bool_]) -> ScoredCells:
    """Count rows of one prediction together, or of neighbours where there are too many, as monitoring does."""
    values, place = np.unique(p, return_inverse=True)
    if len(values) <= MAX_CELLS:
        n_positive = np.bincount(place, weights=is_positive)
        return ScoredCells(values, np.bincount(place).astype(np.float64), n_positive)
    sums = sum_equal_count(is_positive, p, MAX_CELLS).filled
    return ScoredCells(sums.predicted / sums.n_rows, sums.n_rows, sums.n_positive)


def share_inside(shape: tuple[float, float], n_rows: int, decimals: int, factor: float) -> Floats:
    """Say which share of curves is inside the band in each world: at the tenths of the rows, and at all points kept."""
    inside = np.zeros((N_WORLDS, 2))
    for world in range(N_WORLDS):
        rng = np.random.default_rng([SEED, n_rows, decimals, world])
        p = rng.beta(*shape, n_rows).round(decimals)
        curve = draw_curve(count_cells(p, rng.random(n_rows) < factor * p), world)
        is_inside = (curve.low <= curve.recalibrated) & (curve.recalibrated <= curve.high)
        tenths = np.searchsorted(np.cumsum(curve.n_rows), n_rows * np.arange(1, 10) / 10)
        inside[world] = is_inside[tenths].mean(), is_inside.mean()
    return inside


def main() -> int:
    """Measure; fails where the band holds fewer faultless curves than the bar asks for."""
    print("| probabilities | rows | scores | faultless, at the tenths | faultless, at all points | a fifth too high |")
    print("|---|---|---|---|---|---|")
    worst = 1.0
    for name, shape in SHAPES.items():
        for n_rows in (200, 2_000, 10_000):
            for decimals in (2, 16):
                faultless = share_inside(shape, n_rows, decimals, 1.0)
                held, kept = faultless.mean(axis=0)
                error = faultless[:, 0].std() / np.sqrt(N_WORLDS)
                off = share_inside(shape, n_rows, decimals, 0.8)[:, 1].mean()
                kind = "whole percents" if decimals == 2 else "all different"
                shares = f"{100 * held:.1f} ± {196 * error:.1f} | {100 * kept:.1f} | {100 * off:.1f}"
                print(f"| {name} | {n_rows:,} | {kind} | {shares} |", flush=True)
                worst = min(worst, float(held))
    print(f"\nStated {100 * BAND_LEVEL:.0f}, the least seen at the tenths {100 * worst:.1f}.")
    return int(worst < BAR)


if __name__ == "__main__":
    raise SystemExit(main())
