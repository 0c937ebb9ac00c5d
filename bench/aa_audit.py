"""The A/A audit: the checks that decide, on the built-in history with whatever they look for taken out of it.

    make audit

Flights and invitations are real: days with weather of their own, long tails, zeros, rare carriers. What a check looks
for is removed by drawing anew: gains change their sign day by day, losses go to other days, a month is split by chance,
outcomes happen as often as they were predicted, incentives are dealt anew. Each check must then fire as often as it
says; the audit fails where one fires more often, beyond what simulation brings in 999 of 1,000 runs.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import include.problems
from bench.coverage import Claim, passes_its_mark, report
from include.experiments.checks import check_sample_ratio
from include.experiments.comparison import BETTER, WORSE, Outcome, compare_with_control
from include.learning.evaluation.error_slices import find_weak_segments
from include.learning.evaluation.gate_checks import (
    check_earns_more,
    check_earns_more_than_champion,
    check_segments,
)
from include.monitoring.drift import ColumnCounts, compare, unseen_by_chance
from include.problems.decision_policy import earning_policy, profit_of_policy
from include.problems.reading import load_problem
from include.problems.sections.learning import Gate, Protected
from include.stats.bootstrap import draw_blocks
from include.stats.column_bins import cut_category
from include.stats.probabilities import row_log_loss
from include.stats.reliability import error_by_chance, expected_calibration_error, sum_equal_count

DATA = Path(include.problems.__file__).parent / "data"
SIGNS = np.array([-1.0, 1.0])
N_SAMPLED = 1_500  # held-out flights of one month: as many as a small problem has
Test = Callable[[np.random.Generator], bool]
Floats = NDArray[np.float64]


@cache
def december() -> pd.DataFrame:
    """Give flights of December with a probability of being late, as the first half of the year has it.

    Columns `p` (by carrier and hour), `p_rule` (by hour alone), `is_late` and `day` beside those of the log.
    """
    flights = pd.read_parquet(DATA / "flight_delay" / "flights.parquet").dropna(subset=["arr_delay_minutes"])
    flights["is_late"] = flights["arr_delay_minutes"] > 15
    flights["day"] = flights["scheduled_at"].str[:10]
    past, month = flights[flights["month_local"] <= 6], flights[flights["month_local"] == 12].copy()
    base = float(past["is_late"].mean())
    for name, keys in (("p", ["carrier", "scheduled_hour_local"]), ("p_rule", ["scheduled_hour_local"])):
        seen = past.groupby(keys)["is_late"].agg(["sum", "count"])
        rates = ((seen["sum"] + 20 * base) / (seen["count"] + 20)).rename(name)
        month = month.join(rates, on=keys)
    return month.fillna({"p": base, "p_rule": base}).reset_index(drop=True)


@cache
def gains() -> tuple[Floats, NDArray[np.intp], NDArray[np.str_]]:
    """Give what one model earns more than the other on sampled flights, their days from 0, and their carriers."""
    flights, problem = december(), load_problem("flight_delay")
    assert problem.value is not None  # noqa: S101  the built-in file has it
    policy = earning_policy(problem.value, has_reviewers=False)
    is_late = flights["is_late"].to_numpy()
    profit = [profit_of_policy(flights[name].to_numpy(), is_late, problem.value, policy) for name in ("p", "p_rule")]
    places = np.random.default_rng(1).choice(len(flights), N_SAMPLED, replace=False)
    days = np.unique(flights["day"].to_numpy()[places], return_inverse=True)[1]
    return (profit[0] - profit[1])[places], days, flights["carrier"].to_numpy(dtype=np.str_)[places]


def draw_gain(rng: np.random.Generator, n_days: int) -> tuple[Floats, NDArray[np.intp], NDArray[np.str_]]:
    """Give the gains of some days, the sign of each day drawn anew: neither model is the better one."""
    gain, days, carriers = gains()
    kept = np.isin(days, rng.choice(days.max() + 1, n_days, replace=False))
    signs = rng.choice(SIGNS, days.max() + 1)
    return (gain * signs[days])[kept], days[kept], carriers[kept]


def first_model(n_days: int) -> Test:
    """Put a model that is no better through the gate of the first one."""

    def is_false(rng: np.random.Generator) -> bool:
        gain, days, _ = draw_gain(rng, n_days)
        return check_earns_more("rule", gain, np.zeros(len(gain)), draw_blocks(days, rng), "dollars").is_pass

    return is_false


def challenger(n_days: int) -> Test:
    """Put a challenger that is no better through the champion's check."""

    def is_false(rng: np.random.Generator) -> bool:
        gain, days, _ = draw_gain(rng, n_days)
        nothing = np.zeros(len(gain))
        resamples = draw_blocks(days, rng)
        return check_earns_more_than_champion(gain, nothing, resamples, "dollars", "v", nothing, Gate()).is_pass

    return is_false


def groups(margin: float) -> Test:
    """Ask of each carrier: without a margin, whether one is said to lose that does not; with one, the other way."""
    rule = Protected(column="carrier", tolerance=margin)

    def is_false(rng: np.random.Generator) -> bool:
        gain, days, carriers = draw_gain(rng, 31)
        resamples = draw_blocks(days, rng)
        named = pd.Series(carriers, dtype="object")
        checks = check_segments(named, gain - margin, np.zeros(len(gain)), resamples, rule, "dollars", "champion", rng)
        if margin == 0:
            return not all(check.is_pass for check in checks)
        return any(check.is_pass and "decides nothing" not in check.detail for check in checks)

    return is_false


def weak_segments(rng: np.random.Generator) -> bool:
    """Give each day the losses of another day, drawn anew, and look whether any segment is said to be weak."""
    flights = december().iloc[np.sort(rng.choice(len(december()), N_SAMPLED, replace=False))]
    loss = row_log_loss(flights["is_late"].to_numpy(), flights["p"].to_numpy())
    days = np.unique(flights["day"].to_numpy(), return_inverse=True)[1]
    taken = rng.permutation(days.max() + 1)
    drawn = np.empty(len(loss))
    for day in range(days.max() + 1):
        drawn[days == day] = rng.choice(loss[days == taken[day]], int((days == day).sum()))
    problem = load_problem("flight_delay")
    assert problem.training is not None  # noqa: S101  the built-in file has it
    features = problem.training.features
    frame = flights[[*features.numeric, *features.categorical]].reset_index(drop=True)
    return any(segment.is_weak for segment in find_weak_segments(frame, drawn, days))


def split_column(name: str, figure: str) -> Test:
    """Split a month's flights by chance into reference and partition, and compare a column of numbers."""

    def is_false(rng: np.random.Generator) -> bool:
        numbers = rng.permutation(december()[name].to_numpy(dtype=np.float64))[:6_000]
        return passes_its_mark(numbers[:1_000], numbers[1_000:], figure)

    return is_false


def split_category(name: str) -> Test:
    """Split a month's flights by chance, and compare a column of names."""

    def is_false(rng: np.random.Generator) -> bool:
        names, codes = np.unique(december()[name].to_numpy(dtype=np.str_), return_inverse=True)
        drawn = rng.permutation(codes)[:6_000]
        there, here = (np.bincount(part, minlength=len(names)) for part in (drawn[1_000:], drawn[:1_000]))
        n_by_value = {str(one): int(n) for one, n in zip(names, there, strict=True) if n}
        bins = cut_category(name, n_by_value, int((there == 1).sum()))
        own = np.isin(names, bins.values)
        order = [int(np.flatnonzero(names == value)[0]) for value in bins.values]
        sides = []
        for side in (here, there):
            n_unseen = int(side[there == 0].sum())
            rest = int(side[~own].sum()) - n_unseen
            sides.append(ColumnCounts(np.array([*side[order], rest, n_unseen, 0], dtype=np.int64), n_unseen))
        found = compare(bins, *sides)
        is_new = found.unseen_ratio > unseen_by_chance(1_000, 5_000, bins.n_single)
        return bool(found.psi_ratio > found.psi_chance_ratio or is_new)

    return is_false


def honest_model(n_rows: int) -> Test:
    """Let flights be late as often as was predicted, and look whether the model is said to be off beyond chance."""
    p = np.random.default_rng(2).choice(december()["p"].to_numpy(), n_rows, replace=False)
    mark = error_by_chance(sum_equal_count(np.zeros(n_rows, dtype=np.bool_), p))

    def is_false(rng: np.random.Generator) -> bool:
        return expected_calibration_error(sum_equal_count(rng.random(n_rows) < p, p)) > mark

    return is_false


@cache
def invited() -> tuple[NDArray[np.bool_], dict[str, float]]:
    """Give who came of the people invited, and the shares that the file expects of the incentives."""
    events, problem = pd.read_parquet(DATA / "campaign" / "events.parquet"), load_problem("campaign")
    assert problem.experiment is not None  # noqa: S101  the built-in file has it
    people = events.loc[events["event"] == "invited", "person_id"]
    came = people.isin(events.loc[events["event"] == "came", "person_id"]).to_numpy()
    return came, dict(problem.experiment.expected_shares or {})


def deal(rng: np.random.Generator) -> dict[str, tuple[int, int]]:
    """Deal the incentives anew to 1,200 people: each variant's units and how many of them came."""
    came, expected = invited()
    people = rng.choice(len(came), 1_200, replace=False)
    variant = rng.choice(len(expected), 1_200, p=np.array(list(expected.values())))
    return {
        name: (int((variant == place).sum()), int(came[people][variant == place].sum()))
        for place, name in enumerate(expected)
    }


def mismatch(rng: np.random.Generator) -> bool:
    """Look whether a right split is called a mismatch at 0.05."""
    n_units = {name: n for name, (n, _) in deal(rng).items()}
    return not check_sample_ratio(n_units, invited()[1], 0.05).is_pass


def any_claim(rng: np.random.Generator) -> bool:
    """Look whether any of three incentives that do nothing is claimed to be better or worse than the control."""
    outcomes = {name: Outcome(*sums) for name, sums in deal(rng).items()}
    compared = compare_with_control(outcomes, "none", 0.95)
    return any(one.verdict in (BETTER, WORSE) for one in compared.values())


CLAIMS = (
    Claim("gate: the first model earns more, 31 days", 0.025, 4_000, first_model(31)),
    Claim("gate: the first model earns more, 12 days", 0.025, 4_000, first_model(12)),
    Claim("gate: the challenger is better, sure from 0.9, 31 days", 0.1, 4_000, challenger(31)),
    Claim("gate: the challenger is better, sure from 0.9, 12 days", 0.1, 4_000, challenger(12)),
    Claim("gate: any carrier is shown to lose, at 0.05", 0.05, 500, groups(0.0)),
    Claim("gate: any carrier that loses the margin passes, at 0.05", 0.05, 500, groups(0.5)),
    Claim("weak segments: any, false discovery rate 0.05", 0.05, 300, weak_segments),
    *(
        Claim(f"drift: {column}, {figure}, beyond chance", 0.001, 4_000, split_column(column, figure))
        for column, figure in (
            ("temperature_f", "psi"),
            ("precipitation_inches", "psi"),
            ("precipitation_inches", "psi_rest"),
            ("distance_miles", "psi"),
            ("temperature_f", "unseen"),
        )
    ),
    Claim("drift: carrier, index or new values, beyond chance", 0.002, 4_000, split_category("carrier")),
    Claim("drift: tail_number, index or new values, beyond chance", 0.002, 2_000, split_category("tail_number")),
    Claim("calibration: an honest model is off beyond chance, 1,000 rows", 0.001, 10_000, honest_model(1_000)),
    Claim("experiment: a right split is a mismatch, at 0.05", 0.05, 4_000, mismatch),
    Claim("experiment: any claim about 3 equal variants, at 0.95", 0.05, 4_000, any_claim),
)


def main() -> int:
    """Put every check to the test, print the table, and say by the exit code whether each fires as often as it says."""
    return report(CLAIMS)


if __name__ == "__main__":
    sys.exit(main())
