"""How often the measures of drift speak where nothing has moved, and how large they are then by chance alone.

    python -m bench.drift_measures

Worlds are drawn in which partition and reference come from the same shares: 20 columns (12 numbers, of which 4 are 0 in
nine of ten rows; 4 categories of 5 values and 4 of 60, the commonest far ahead), a reference of 5,000 rows. Stated: of
days, at most 5 of 100 have a corrected p-value below 0.05; of columns, 1 of 1,000 has a stability index beyond chance.
The bar allows for the simulation's own error.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from include.monitoring.drift import ColumnCounts, Drift, compare
from include.stats.column_bins import cut_category, cut_numbers, place_numbers
from include.stats.shift import adjust_p_values

N_WORLDS, N_REFERENCE, SIZES, SEED = 200, 5_000, (100, 1_000, 10_000), 2_022
ALERT = 0.25
EFFECTS = ("hellinger_ratio", "linf_ratio", "ks_ratio", "cramers_v_ratio", "js_ratio", "psi_ratio")
Floats = NDArray[np.float64]


def compare_number(here: Floats, there: Floats) -> Drift:
    """Compare a number as monitoring does."""
    bins = cut_numbers("x", there)
    sides = []
    for side in (here, there):
        counts = np.bincount(place_numbers(bins, side), minlength=len(bins.names))
        n_unseen = int(((side < there.min()) | (side > there.max())).sum())
        sides.append(ColumnCounts(counts, n_unseen, float(side.min()), float(side.max())))
    return compare(bins, *sides)


def compare_category(here: NDArray[np.int64], there: NDArray[np.int64]) -> Drift:
    """Compare a category as monitoring does, given the rows of each of its values on both sides."""
    n_by_value = {str(value): int(n_rows) for value, n_rows in enumerate(there) if n_rows}
    bins = cut_category("x", n_by_value, sum(n_rows == 1 for n_rows in n_by_value.values()))
    own = [int(value) for value in bins.values]
    sides = []
    for side in (here, there):
        n_unseen = int(side[there == 0].sum())
        rest = int(side.sum()) - int(side[own].sum()) - n_unseen
        sides.append(ColumnCounts(np.array([*side[own], rest, n_unseen, 0], dtype=np.int64), n_unseen))
    return compare(bins, *sides)


def draw_day(world: int, n_rows: int) -> list[Drift]:
    """Draw one world, and compare its 20 columns with their references."""
    rng = np.random.default_rng([SEED, world, n_rows])
    found = []
    for zeros in (0.0,) * 8 + (0.9,) * 4:
        here, there = (
            np.where(rng.random(size) < zeros, 0.0, rng.lognormal(0, 1, size)) for size in (n_rows, N_REFERENCE)
        )
        found.append(compare_number(here, there))
    for n_values in (5,) * 4 + (60,) * 4:
        shares = 1 / np.arange(1, n_values + 1) ** 1.2
        here, there = (rng.multinomial(size, shares / shares.sum()) for size in (n_rows, N_REFERENCE))
        found.append(compare_category(here, there))
    return found


def main() -> int:
    """Measure; fails where alarms are surely more frequent than stated."""
    print("| rows | columns, p < 0.05 | days, any p < 0.05 | days, any corrected p < 0.05 | index beyond chance |")
    print("|---|---|---|---|---|")
    is_broken, effects = False, []
    for n_rows in SIZES:
        days = [draw_day(world, n_rows) for world in range(N_WORLDS)]
        p = np.array([[one.chi_square_p_value for one in day] for day in days])
        q = np.array([adjust_p_values(row) for row in p.tolist()])
        n_days = int((q < 0.05).any(axis=1).sum())
        n_beyond = sum(one.psi_ratio > one.psi_chance_ratio for day in days for one in day)
        shares = ((p < 0.05).mean(), (p < 0.05).any(axis=1).mean(), n_days / N_WORLDS)
        told = " | ".join(f"{100 * share:.1f} of 100" for share in shares)
        print(f"| {n_rows:,} | {told} | {1_000 * n_beyond / p.size:.1f} of 1,000 |", flush=True)
        is_broken |= bool(binom.sf(n_days - 1, N_WORLDS, 0.05) < 0.001)
        known = [[getattr(one, name) for day in days for one in day] for name in EFFECTS]
        tops = [np.quantile([one for one in values if one is not None], 0.999) for values in known]
        n_moved = sum(one.psi_ratio > max(ALERT, one.psi_chance_ratio) for day in days for one in day)
        effects.append(f"| {n_rows:,} | {' | '.join(f'{top:.3f}' for top in tops)} | {n_moved} of {p.size:,} |")
    names = " | ".join(name.removesuffix("_ratio").replace("_", " ") for name in EFFECTS)
    print(f"\n| rows | {names} | moved |\n|---|---|---|---|---|---|---|---|")
    print("\n".join(effects))
    return int(is_broken)


if __name__ == "__main__":
    raise SystemExit(main())
