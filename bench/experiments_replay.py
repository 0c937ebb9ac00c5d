"""What sharing and peeking would have done in real experiments: headlines of Upworthy, checkpoints of ASOS.

    python -m bench.experiments_replay UPWORTHY.parquet ASOS.parquet

Both are public (CC BY 4.0; Matias et al. 2021, Liu et al. 2021) and not part of this repository; without their paths
nothing is measured. Upworthy: each test is replayed with as many readers as its least shown headline had, drawn without
replacement from what each headline's readers really did, in ten batches; clicks of top-two against those of uniform
shares. Tests from 2013-06-25 to 2014-01-10, whose randomisation the archive warns of, are left out. ASOS: each series
is looked at as often as it was, with its counts, means and variances; how often there is an alarm where nothing
differs, and how often one is taken back by the last look.
"""

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.experiments.allocation.draws import best_probabilities, draw_rates, mean_rates
from include.experiments.allocation.thompson import keep_uniform, top_two
from include.stats.always_valid import always_valid_interval
from include.stats.bootstrap import draw_blocks

N_REPLAYS, N_BATCHES, N_LAST, N_DRAWS, UNIFORM = 4, 10, 3, 200, 0.05
N_NULLS, TUNING = 20, 20_000.0
Floats = NDArray[np.float64]


def replay(shown: Floats, clicks: Floats, rng: np.random.Generator) -> tuple[float, float]:
    """Replay one test: mean clicks of top-two in batches, and those to expect of uniform shares."""
    n_readers = int(shown.min())
    units, hits = np.zeros((N_REPLAYS, len(shown))), np.zeros((N_REPLAYS, len(shown)))
    for batch, n in enumerate(np.diff(np.linspace(0, n_readers, N_BATCHES + 1).astype(int))):
        if batch == 0:
            shares = np.full(units.shape, 1 / len(shown))
        elif batch < N_BATCHES - N_LAST:
            chances = best_probabilities(draw_rates(hits, units, rng, N_DRAWS))
            shares = keep_uniform(top_two(chances), UNIFORM)
        else:
            shares = np.eye(len(shown))[mean_rates(hits, units).argmax(axis=1)]
        sent = rng.multinomial(n, shares)
        hits += rng.hypergeometric((clicks - hits).astype(int), (shown - units - clicks + hits).astype(int), sent)
        units += sent
    return float(hits.sum(axis=1).mean()), float(n_readers * (clicks / shown).mean())


def replay_upworthy(path: Path) -> None:
    """Replay every headline test and print what top-two gains."""
    packages = pd.read_parquet(path, columns=["clickability_test_id", "impressions", "clicks"])
    created = pd.to_datetime(packages["clickability_test_id"].str[:8].map(lambda digits: int(digits, 16)), unit="s")
    packages = packages[(created < "2013-06-25") | (created > "2014-01-10")]
    rng = np.random.default_rng(2_013)
    found = []
    for _, arms in packages.groupby("clickability_test_id"):
        shown, clicks = (arms[name].to_numpy(dtype=np.float64) for name in ("impressions", "clicks"))
        if len(shown) > 1 and shown.min() >= 500 and clicks.sum() > 0:
            found.append((*replay(shown, clicks, rng), shown.min() * (clicks / shown).max()))
    ours, uniform, best = np.array(found).T
    resamples = draw_blocks(np.arange(len(ours)), rng)
    drawn = resamples.total(np.column_stack([ours, uniform]))
    gain = ours.sum() / uniform.sum() - 1
    low, high = resamples.interval(gain, drawn[:, 0] / drawn[:, 1] - 1)
    each = ours / uniform - 1
    quartiles = ", ".join(f"{100 * value:+.1f}" for value in np.quantile(each, [0.05, 0.25, 0.5, 0.75, 0.95]))
    print("| Upworthy | |\n|---|---|")
    print(f"| tests, readers | {len(ours):,}, {packages['impressions'].sum():,} |")
    print(
        f"| clicks by uniform shares, top-two, an oracle | {uniform.sum():,.0f}, {ours.sum():,.0f}, {best.sum():,.0f} |"
    )
    print(f"| top-two over uniform, in all | {100 * gain:+.1f} % ({100 * low:+.1f} to {100 * high:+.1f}) |")
    print(f"| per test, 5, 25, 50, 75, 95 of 100 | {quartiles} % |")
    print(f"| tests with more clicks than uniform | {100 * np.mean(each > 0):.0f} of 100 |\n")


def replay_asos(path: Path) -> None:
    """Look at every series as often as it was, and print how often there are alarms."""
    looks = pd.read_parquet(path).dropna()
    rng = np.random.default_rng(2_021)
    counts = {"z": 0, "always": 0, "z_back": 0, "always_back": 0, "null_z": 0, "null_always": 0, "series": 0}
    for _, series in looks.groupby(["experiment_id", "variant_id", "metric_id"]):
        series = series.sort_values("time_since_start")
        n_c, n_t = (np.maximum.accumulate(series[name].to_numpy()) for name in ("count_c", "count_t"))
        v_c, v_t = (series[name].to_numpy() for name in ("variance_c", "variance_t"))
        if n_c[0] < 30 or n_t[0] < 30 or min(v_c.min(), v_t.min()) <= 0:
            continue
        error = np.sqrt(v_c / n_c + v_t / n_t)
        z, always = _alarms((series["mean_t"] - series["mean_c"]).to_numpy(), error, n_c + n_t)
        counts["series"] += 1
        for name, alarms in (("z", z), ("always", always)):
            counts[name] += bool(alarms.any())
            counts[f"{name}_back"] += bool(alarms.any() and not alarms[-1])
        # Nothing differs: both sides grow by units of the control's last variance, at the moments of the series.
        sides = [_grow(n, v_c[-1], rng) for n in (n_c, n_t)]
        null_error = np.sqrt(v_c[-1] / n_c + v_c[-1] / n_t)
        for difference in sides[1] - sides[0]:
            z, always = _alarms(difference, null_error, n_c + n_t)
            counts["null_z"] += bool(z.any())
            counts["null_always"] += bool(always.any())
    n = counts["series"]
    print("| ASOS, of 100 series, level 5 % | 1.96 errors at every look | always-valid band |\n|---|---|---|")
    nulls = [100 * counts[name] / n / N_NULLS for name in ("null_z", "null_always")]
    print(f"| false alarms where nothing differs ({n * N_NULLS:,}) | {nulls[0]:.1f} | {nulls[1]:.1f} |")
    print(f"| alarms in what was seen ({n:,}) | {100 * counts['z'] / n:.1f} | {100 * counts['always'] / n:.1f} |")
    back = [100 * counts[f"{name}_back"] / max(counts[name], 1) for name in ("z", "always")]
    print(f"| of these, gone at the last look | {back[0]:.1f} | {back[1]:.1f} |")


def _alarms(difference: Floats, error: Floats, n: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Say at which looks each rule sees a difference."""
    low, high = always_valid_interval(difference, error, n, tuning=TUNING)
    return np.abs(difference) > 1.96 * error, (low > 0) | (high < 0)


def _grow(n: Floats, variance: float, rng: np.random.Generator) -> Floats:
    """Draw means of one side at every look, several times: shape (N_NULLS, n_looks)."""
    new = np.diff(n, prepend=0)
    return np.asarray((rng.normal(size=(N_NULLS, len(n))) * np.sqrt(new * variance)).cumsum(axis=1) / n)


def main(paths: list[str] | None = None) -> int:
    """Replay what is there; without paths say what is missing."""
    if not paths or len(paths) != 2:
        print("Nothing is replayed: give the paths of the Upworthy and the ASOS file.", file=sys.stderr)
        return 0
    started = time.perf_counter()
    replay_upworthy(Path(paths[0]))
    replay_asos(Path(paths[1]))
    print(f"\n{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
