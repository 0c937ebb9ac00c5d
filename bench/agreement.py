"""How often the intervals of agreement hold the truth, and what measuring many people costs.

    python -m bench.agreement

Tables of two people are drawn from a known kappa, 2,000 for each figure; whole groups, for Krippendorff's alpha and
Fleiss' kappa, 500 for each. 95 of 100 intervals should hold the truth.
"""

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from include.review.metrics.agreement import estimate_alpha, estimate_fleiss, estimate_kappas

N_TABLES = 2_000
N_GROUPS = 500
N_PEOPLE = 807
TRUTHS = (0.0, 0.4, 0.8, 0.95)
HABITS = (("two, even", [0.5, 0.5]), ("two, 1 in 10", [0.1, 0.9]), ("three, even", [1 / 3] * 3))
# What is measured, and how many people may answer an item.
GROUPS = (
    ("alpha, 2 people", estimate_alpha, [2]),
    ("alpha, 2 to 5", estimate_alpha, [2, 3, 4, 5]),
    ("Fleiss", estimate_fleiss, [2]),
)


def draw_tables(
    rng: np.random.Generator, n_tables: int, n_items: int, habits: NDArray[np.float64], kappa: float
) -> NDArray[np.int64]:
    """Draw tables of two people with the same habits who agree beyond chance by `kappa`."""
    cells = kappa * np.diag(habits) + (1 - kappa) * np.outer(habits, habits)
    return rng.multinomial(n_items, cells.ravel(), size=n_tables).reshape(n_tables, habits.size, habits.size)


def draw_group(
    rng: np.random.Generator, n_items: int, people: Sequence[int], habits: NDArray[np.float64], agreement: float
) -> NDArray[np.int64]:
    """Draw answers of people with the same habits: in `agreement` of the items all say one class, else each their own.

    Two of them then agree beyond chance by `agreement`, whatever the habits: alpha and kappa of the whole.
    """
    n_people = rng.choice(people, size=n_items)
    alone = rng.multinomial(n_people, habits)
    together = n_people[:, np.newaxis] * rng.multinomial(1, habits, size=n_items)
    return np.where(rng.random((n_items, 1)) < agreement, together, alone)


def main() -> None:
    """Print the share of intervals that hold the truth, and the time for many people."""
    rng = np.random.default_rng(2013)
    print("| what | classes | items | stated | measured at 0 | 0.4 | 0.8 | 0.95 |")
    print("|---|---|---|---|---|---|---|---|")
    for name, habits in HABITS:
        for n_items in (10, 20, 50, 200):
            covered = []
            for kappa in TRUTHS:
                estimates = estimate_kappas(draw_tables(rng, N_TABLES, n_items, np.array(habits), kappa), rng)
                known = [one for one in estimates if np.isfinite(one.value)]
                covered.append(np.mean([one.low <= kappa <= one.high for one in known]))
            print(f"| Cohen | {name} | {n_items} | .95 | {' | '.join(f'{share:.3f}' for share in covered)} |")
    for what, estimate, people in GROUPS:
        for name, habits in HABITS:
            for n_items in (10, 50):
                covered = []
                for truth in TRUTHS:
                    groups = (draw_group(rng, n_items, people, np.array(habits), truth) for _ in range(N_GROUPS))
                    known = [one for one in (estimate(counts, rng) for counts in groups) if np.isfinite(one.value)]
                    covered.append(np.mean([one.low <= truth <= one.high for one in known]))
                figures = " | ".join(f"{share:.3f}" for share in covered)
                print(f"| {what} | {name} | {n_items} | .95 | {figures} |", flush=True)
    tables = draw_tables(rng, N_PEOPLE, 40, np.array([1 / 3] * 3), 0.6)
    started = time.process_time()
    estimate_kappas(tables, rng)
    print(f"\n{N_PEOPLE} people: {time.process_time() - started:.2f} s of processor")


if __name__ == "__main__":
    main()
