"""How often an experiment claims what is not so, what its sending earns, and how often a right split is held.

    nice .venv/bin/python -m bench.experiments_deciding

Prints the tables of docs/benchmarks.md, "Deciding on experiments". Two minutes on one core.
"""

import numpy as np
from numpy.typing import NDArray

from include.experiments.checks import check_sample_ratio
from include.experiments.comparison import BETTER, WORSE, Outcome, compare_with_control
from include.experiments.sending import Price, choose_variant

Counts = NDArray[np.int64]
NAMES = "abcd"


def outcomes_of(hits: Counts, units: Counts) -> dict[str, Outcome]:
    """Name the variants of one simulated experiment."""
    return {name: Outcome(int(n), int(k)) for name, n, k in zip(NAMES, units, hits, strict=False)}


def false_claims(rates: list[float], units: list[int], n_runs: int = 4_000) -> tuple[float, float]:
    """Count experiments in which a false claim is made, and those in which a band misses its lift."""
    rng, true, n = np.random.default_rng(13), np.array(rates), np.array(units)
    n_false = n_missed = 0
    for hits in rng.binomial(n, true, size=(n_runs, len(n))):
        compared = list(compare_with_control(outcomes_of(hits, n), "a", 0.95).values())[1:]
        lifts = true[1:] - true[0]
        n_missed += any(
            not one.low <= lift <= one.high  # type: ignore[operator]
            for one, lift in zip(compared, lifts, strict=True)
        )
        n_false += any(
            (one.verdict == BETTER and lift <= 0) or (one.verdict == WORSE and lift >= 0)
            for one, lift in zip(compared, lifts, strict=True)
        )
    return n_false / n_runs, n_missed / n_runs


def sent_rates(rates: list[float], n_units: int, n_runs: int = 2_000) -> tuple[float, float, float, float]:
    """Compare the true rate of what is sent with that of the best, of the best that clearly beats the control, and of
    the older rule, which sent the best of all with probability 0.95, else the control."""
    rng, true, n = np.random.default_rng(14), np.array(rates), np.full(len(rates), n_units)
    sent, clear, older = [], [], []
    for hits in rng.binomial(n, true, size=(n_runs, len(n))):
        outcomes = outcomes_of(hits, n)
        compared = compare_with_control(outcomes, "a", 0.95)
        sent.append(true[NAMES.index(choose_variant(outcomes, "a", Price()).variant)])
        better = [name for name, one in compared.items() if one.verdict == BETTER]
        best_clear = max(better, key=lambda name: outcomes[name].rate) if better else "a"
        clear.append(true[NAMES.index(best_clear)])
        draws = rng.beta(hits + 1, n - hits + 1, size=(2_000, len(n)))
        shares = np.bincount(draws.argmax(axis=1), minlength=len(n)) / len(draws)
        older.append(true[shares.argmax()] if shares.max() >= 0.95 else true[0])
    return float(np.mean(sent)), float(np.mean(clear)), float(np.mean(older)), float(true.max())


def false_holds(shares: list[float], n_in_all: int, n_runs: int = 20_000) -> float:
    """Count right splits that are held."""
    rng, named = np.random.default_rng(15), dict(zip(NAMES, shares, strict=False))
    splits, n_times = np.unique(rng.multinomial(n_in_all, shares, n_runs), axis=0, return_counts=True)
    counted = [dict(zip(named, map(int, one), strict=True)) for one in splits]
    held = [not check_sample_ratio(n_units, named, 0.001).is_pass for n_units in counted]
    return float(n_times[np.array(held)].sum() / n_runs)


def luck(n_variants: int, n_units: int, n_runs: int = 4_000) -> tuple[float, float]:
    """Say how much too large the lift of the best is on average, as seen and shrunk; rates spread by a tenth."""
    rng, n = np.random.default_rng(16), np.full(n_variants, n_units)
    raw, shrunk = [], []
    for _ in range(n_runs):
        true = np.clip(rng.normal(0.05, 0.005, n_variants), 0.001, None)
        outcomes = outcomes_of(rng.binomial(n, true), n)
        compared = compare_with_control(outcomes, "a", 0.95)
        best = max(list(outcomes)[1:], key=lambda name: outcomes[name].rate)
        lift = true[NAMES.index(best)] - true[0]
        raw.append(compared[best].lift_ratio - lift)  # type: ignore[operator]
        shrunk.append(compared[best].shrunk_lift_ratio - lift)  # type: ignore[operator]
    return float(np.mean(raw)), float(np.mean(shrunk))


def main() -> None:
    """Print the tables."""
    print("| rates | units | false claims (stated at most 5 of 100) | some band misses its lift (at most 5 of 100) |")
    print("| --- | --- | --- | --- |")
    for rates, units in (
        ([0.05] * 2, [1_000] * 2),
        ([0.05] * 3, [1_000] * 3),
        ([0.05] * 4, [1_000] * 4),
        ([0.006] * 2, [4_000] * 2),
        ([0.05] * 2, [9_000, 1_000]),
        ([0.006] * 4, [4_000] * 4),
        ([0.05, 0.05, 0.07], [1_000] * 3),
    ):
        false, missed = false_claims(rates, units)
        shown = " / ".join(f"{100 * rate:g}" for rate in rates)
        print(f"| {shown} of 100 | {' / '.join(f'{n:,}' for n in units)} | {100 * false:.2f} | {100 * missed:.2f} |")
    print("\n| true rates | units each | sent now | best that clearly beats the control | older rule | the best |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rates, n in (([0.111, 0.184, 0.192], 1_000), ([0.0057, 0.0115, 0.0125], 4_000)):
        sent, clear, older, best = sent_rates(rates, n)
        print(f"| {' / '.join(map(str, rates))} | {n:,} | {sent:.5f} | {clear:.5f} | {older:.5f} | {best:.5f} |")
    print("\n| shares | units | right splits that are held, of 100 (stated at most 0.1) |\n| --- | --- | --- |")
    for shares, n in (([0.5] * 2, 4_000), ([1 / 3] * 3, 1_200), ([0.9, 0.1], 4_000), ([0.97, 0.03], 400)):
        held = false_holds(shares, n)
        print(f"| {' / '.join(f'{share:.2f}' for share in shares)} | {n:,} | {100 * held:.3f} |")
    print("\n| variants | units each | lift of the best less its true one | the same, shrunk |")
    print("| --- | --- | --- | --- |")
    for n_variants, n in ((2, 2_000), (3, 2_000), (4, 2_000)):
        raw, shrunk = luck(n_variants, n)
        print(f"| {n_variants} | {n:,} | {raw:+.5f} | {shrunk:+.5f} |")


if __name__ == "__main__":
    main()
