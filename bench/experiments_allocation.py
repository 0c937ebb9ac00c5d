"""How many conversions each rule of sending brings: 1,000 of 10,000 people tried first, three mails, 5 / 5 / 6 %.

    python -m bench.experiments_allocation

Every rule meets the same people: the nth person who gets a mail answers the same under each rule. An oracle that knows
the best mail earns 600. MABWiser runs in an environment of its own on the first of the runs. The peer like Vowpal's
keeps 5 % for all mails alike and sends the front runner to the others; once it learns after every batch, once after
every person. Fails where a rule misses its bar.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.peer_environment import PEERS, peer_python
from include.experiments.allocation.draws import best_probabilities, draw_rates, mean_rates
from include.experiments.allocation.thompson import keep_uniform, thompson, top_two
from include.experiments.allocation.upper_bound import epsilon_greedy
from include.experiments.comparison import Outcome
from include.experiments.sending import Price, choose_variant

SEED, N_RUNS, N_PEER_RUNS, N_DRAWS = 2_013, 4_000, 500, 400
RATES = np.array([0.05, 0.05, 0.06])
N_PEOPLE, FIRST, BATCH = 10_000, 1_000, 500
UNIFORM = 0.01
PILOT, WAVE, REST = "pilot", "wave", "rest"
BARS = {"waves, then the rest": 563.0, "top-two in batches, then the rest": 565.0}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wave:
    """People who are sent something under the same shares; the first ones alike."""

    phase: str
    n_units: int


TWO_STEPS = [Wave(PILOT, FIRST), Wave(REST, N_PEOPLE - FIRST)]
WAVES = [Wave(PILOT, FIRST), Wave(WAVE, 1_500), Wave(WAVE, 2_250), Wave(WAVE, 2_250), Wave(REST, 3_000)]
BATCHES = [Wave(PILOT, FIRST), *[Wave(WAVE, BATCH)] * 12, Wave(REST, 3_000)]
ALL_BATCHES = [Wave(PILOT, FIRST), *[Wave(WAVE, BATCH)] * 18]

Rule = Callable[[Wave, Floats, Floats, np.random.Generator], Floats]


def draw_answers(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw what every person would answer to every mail, as bits: shape (n_runs, n_arms, n_people / 8)."""
    return np.stack([np.packbits(rng.random((3, N_PEOPLE)) < RATES[:, None], axis=1) for _ in range(N_RUNS)])


def count_answers(answers: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Count each mail's conversions after each person: shape (n_runs, n_arms, n_people + 1)."""
    counts = np.zeros((N_RUNS, 3, N_PEOPLE + 1), dtype=np.int16)
    for start in range(0, N_RUNS, 250):
        bits = np.unpackbits(answers[start : start + 250], axis=2, count=N_PEOPLE)
        counts[start : start + 250, :, 1:] = bits.cumsum(axis=2, dtype=np.int16)
    return counts


def round_shares(shares: Floats, n_units: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Turn shares into whole units that sum to the wave, each within one of its share."""
    edges = np.floor(shares.cumsum(axis=1) * n_units + rng.random((len(shares), 1)))
    edges[:, -1] = n_units
    return np.diff(np.minimum(edges, n_units), axis=1, prepend=0).astype(np.intp)


def earn(counts: NDArray[np.int16], plan: list[Wave], rule: Rule) -> Floats:
    """Send everybody by a rule: conversions of each run."""
    rng = np.random.default_rng(0)
    units, hits = np.zeros((N_RUNS, 3)), np.zeros((N_RUNS, 3))
    for wave in plan:
        shares = rule(wave, hits, units, rng) if units.any() else np.full((N_RUNS, 3), 1 / 3)
        units = units + round_shares(shares, wave.n_units, rng)
        hits = np.take_along_axis(counts, units[:, :, None].astype(np.intp), axis=2)[:, :, 0].astype(np.float64)
    return np.asarray(hits.sum(axis=1))


def chances(hits: Floats, units: Floats, rng: np.random.Generator, n_draws: int = N_DRAWS) -> Floats:
    """Give the chance of being best of every mail in every run, a part of the runs at a time."""
    parts = np.array_split(np.arange(len(hits)), 10)
    return np.concatenate([best_probabilities(draw_rates(hits[part], units[part], rng, n_draws)) for part in parts])


def old_rule(_: Wave, hits: Floats, units: Floats, rng: np.random.Generator) -> Floats:
    """Send the best where it is so with 0.95; else the first, which is the control."""
    chance = chances(hits, units, rng, 2_000)
    return np.eye(3)[np.where(chance.max(axis=1) >= 0.95, chance.argmax(axis=1), 0)]


def top_rate(_: Wave, hits: Floats, units: Floats, __: np.random.Generator) -> Floats:
    """Send whatever had the highest rate; the first of equal ones."""
    return np.eye(3)[(hits / units).argmax(axis=1)]


def send(_: Wave, hits: Floats, units: Floats, __: np.random.Generator) -> Floats:
    """Send what the product sends: the variant that loses least, here the one of the highest posterior mean."""
    shares = np.eye(3)[np.where(hits > 0, mean_rates(hits, units), -1.0).argmax(axis=1)]
    for run in range(0, N_RUNS, 400):
        outcomes = {str(arm): Outcome(int(units[run, arm]), int(hits[run, arm])) for arm in range(3)}
        if choose_variant(outcomes, "0", Price()).variant != str(shares[run].argmax()):
            raise SystemExit(f"The product sends something else in run {run}: {hits[run]} of {units[run]}.")
    return shares


def waves(wave: Wave, hits: Floats, units: Floats, rng: np.random.Generator) -> Floats:
    """Fade out what does badly, then send the best to the rest."""
    if wave.phase == REST:
        return send(wave, hits, units, rng)
    return keep_uniform(thompson(chances(hits, units, rng)), UNIFORM)


def top_two_batches(wave: Wave, hits: Floats, units: Floats, rng: np.random.Generator) -> Floats:
    """Look hardest at the leader and its runner-up, then send the best to the rest."""
    if wave.phase == REST:
        return send(wave, hits, units, rng)
    return keep_uniform(top_two(chances(hits, units, rng)), UNIFORM)


def few_for_all(_: Wave, hits: Floats, units: Floats, __: np.random.Generator) -> Floats:
    """Send the front runner to all but 5 %."""
    return epsilon_greedy(mean_rates(hits, units), units, 0.05)


def earn_one_by_one(counts: NDArray[np.int16]) -> Floats:
    """Send person after person to the front runner, or in 5 % to any mail, learning at once."""
    rng, runs = np.random.default_rng(0), np.arange(N_RUNS)
    units, hits = np.zeros((N_RUNS, 3), dtype=np.intp), np.zeros((N_RUNS, 3))
    for _ in range(N_PEOPLE):
        best = np.divide(hits, units, out=np.zeros_like(hits), where=units > 0).argmax(axis=1)
        sent = np.where(rng.random(N_RUNS) < 0.05, rng.integers(0, 3, N_RUNS), best)
        units[runs, sent] += 1
        hits[runs, sent] = counts[runs, sent, units[runs, sent]]
    return np.asarray(hits.sum(axis=1))


def earn_by_mabwiser(answers: NDArray[np.uint8], sizes: list[int]) -> dict[str, Floats]:
    """Let MABWiser send the first of the runs in the same batches."""
    with tempfile.TemporaryDirectory() as folder:
        given, got = Path(folder) / "streams.npz", Path(folder) / "earned.npz"
        np.savez(given, answers=answers[:N_PEER_RUNS], n_people=N_PEOPLE, sizes=sizes)
        script = str(PEERS / "mabwiser_batches.py")
        command = [str(peer_python("allocation")), script, str(given), str(got), str(N_PEER_RUNS)]
        subprocess.run(command, check=True)
        return {f"MABWiser, {name}": earned.astype(np.float64) for name, earned in np.load(got).items()}


def main() -> int:
    """Measure every rule, print the table, and say by the exit code whether each one reached its bar."""
    started = time.perf_counter()
    answers = draw_answers(np.random.default_rng(SEED))
    counts = count_answers(answers)
    earned = {
        "old rule: the best with P >= 0.95, else the control": earn(counts, TWO_STEPS, old_rule),
        "pick the top rate": earn(counts, TWO_STEPS, top_rate),
        "pilot, then the rest": earn(counts, TWO_STEPS, send),
        "waves, then the rest": earn(counts, WAVES, waves),
        "top-two in batches, then the rest": earn(counts, BATCHES, top_two_batches),
        "like Vowpal, epsilon 0.05, batches of 500": earn(counts, ALL_BATCHES, few_for_all),
        "like Vowpal, epsilon 0.05, person by person": earn_one_by_one(counts),
        **earn_by_mabwiser(answers, [wave.n_units for wave in ALL_BATCHES]),
    }
    ours = earned["top-two in batches, then the rest"]
    print("| rule | conversions | standard error | runs | top-two brings more, same runs | bar |")
    print("|---|---|---|---|---|---|")
    is_missed = False
    bars = {"pilot, then the rest": float(earned["pick the top rate"].mean()), **BARS}
    for name, values in earned.items():
        more = ours[: len(values)] - values
        bar = bars.get(name)
        is_missed |= bar is not None and values.mean() < bar
        is_missed |= name.startswith(("MABWiser", "like")) and more.mean() <= 0
        root = np.sqrt(len(values))
        print(
            f"| {name} | {values.mean():.1f} | {values.std() / root:.1f} | {len(values):,} | "
            f"{more.mean():+.1f} ± {1.96 * more.std() / root:.1f} | {'' if bar is None else f'{bar:.1f}'} |"
        )
    print(f"\n{time.perf_counter() - started:.0f} s", file=sys.stderr)
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
