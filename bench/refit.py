"""What fitting the winner once more on all rows is worth on later data, and what its calibration is.

    python -m bench.refit [NAME ...]

Every set is walked through as the project would: at each point in time the candidates compete on the earliest
partitions, are calibrated on the next, and one is chosen; then all ways to serve it answer for the partitions that come
after the point, which none of them has seen. `as chosen` is what `refit: none` serves, `refit` what serves by default
(three folds of whole days, at most 20,000 scored rows wanted). Beside them: the same fit with the old calibrator and
with none, the model as chosen with none, and the refit with the base rate that the partition's own rows speak of.
Differences are paired; intervals draw whole days anew.

Sets: a quarter of the built-in flights by month, the mails of `ad_review` by month with their recorded truth as if the
log knew it, the invitations of `campaign` by day (does a person come?), and drifting streams that are made here:
weights that wander, and a base rate that swings between .2 and .7 with a period of nine months and from day to day, as
prices of electricity do in Elec2, which no ordinary package carries; and a stream that stands still.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

import include.problems
from include.errors import MulgilError
from include.learning.calibration.calibrators import ScoreMap, apply_map
from include.learning.data.columns import BLOCK, IS_POSITIVE, IS_RANDOM, IS_RULE
from include.learning.data.near_duplicates import group_rows
from include.learning.data.splits import settle_straddlers, split_by_time
from include.learning.training.candidates import Scorer
from include.learning.training.fit import _fit_team_by_time
from include.learning.training.refit import refit
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.decision_policy import earning_policy, profit_of_policy
from include.problems.reading import load_problem
from include.problems.sections.learning import Training, Value
from include.stats.bootstrap import draw_blocks
from include.stats.probabilities import row_log_loss

DATA = Path(include.problems.__file__).parent / "data"
AS_CHOSEN, REFIT = "as chosen", "refit"
WAYS = (AS_CHOSEN, REFIT, "refit, old calibrator", "refit, no calibrator", "as chosen, no calibrator")
SHIFTED = "refit, base rate of each partition by EM"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Stream:
    """Rows in their order of time, how they are learned from, and after how many partitions one begins."""

    rows: pd.DataFrame
    training: Training
    value: Value
    first: int


def _rows(frame: pd.DataFrame, at: "pd.Series[pd.Timestamp]", form: str, is_positive: object) -> pd.DataFrame:
    """Give rows as training reads them."""
    frame = frame.assign(
        **{
            ROW_KEY: [f"r{number:06d}" for number in range(len(frame))],
            PARTITION_KEY: at.dt.strftime(form),
            BLOCK: (at - pd.Timestamp("1970-01-01", tz="UTC")).dt.days,
            IS_POSITIVE: is_positive,
            IS_RULE: False,
            IS_RANDOM: True,
        }
    )
    return frame.sort_values([PARTITION_KEY, ROW_KEY], ignore_index=True)


def flights() -> Stream:
    """Give a quarter of the flights of 2013."""
    problem = load_problem("flight_delay")
    frame = pd.read_parquet(DATA / "flight_delay" / "flights.parquet").dropna(subset=["arr_delay_minutes"])
    frame = frame[frame["scheduled_at"] < "2014"].sample(frac=0.25, random_state=1)
    at = pd.to_datetime(frame["scheduled_at"], utc=True)
    rows = _rows(frame, at, "%Y-%m", frame["arr_delay_minutes"] > 15)
    return Stream(rows, problem.training, problem.value, 6)


def mails() -> Stream:
    """Give the mails of May to December 2002 with their recorded truth."""
    problem = load_problem("ad_review")
    frame = pd.read_parquet(DATA / "ad_review" / "mail.parquet")
    frame = frame.merge(pd.read_parquet(DATA / "ad_review" / "truth.parquet"))
    frame = frame[frame["sent_at"].str.fullmatch(r"2002-(0[5-9]|1\d)-\d\dT[0-9:]+Z").fillna(False)]
    at = pd.to_datetime(frame["sent_at"], utc=True)
    value = problem.value.model_copy(update={"review": 0.0})
    return Stream(_rows(frame, at, "%Y-%m", frame["label"] == "unsolicited"), problem.training, value, 3)


def campaign() -> Stream:
    """Give the invitations, and whether the person came."""
    frame = pd.read_parquet(DATA / "campaign" / "events.parquet")
    came = set(frame.loc[frame["event"] == "came", "person_id"])
    frame = frame[frame["event"] == "invited"]
    features = {"numeric": ["incentive_dollars", "distance_km", "age_years"]}
    training = Training(models=["scorecard", "gradient_boosting"], features=features)
    value = Value(unit="dollars", true_positive=5, false_positive=-10)
    at = pd.to_datetime(frame["event_at"], utc=True)
    return Stream(_rows(frame, at, "%Y-%m-%d", frame["person_id"].isin(came)), training, value, 4)


def stream(swing: float, wander: float, seed: int) -> Stream:
    """Make 24 months of 600 rows.

    Args:
        swing: how far the log-odds of a month go up and down.
        wander: how far each weight goes from month to month.
        seed: of the draws.
    """
    rng, parts, n_rows = np.random.default_rng(seed), [], 30
    weights = rng.normal(size=6)
    for month in range(24):
        weights = weights + wander * rng.normal(size=6)
        for day in range(20):
            x = rng.normal(size=(n_rows, 6))
            base = swing * (np.sin(2 * np.pi * month / 9) + 0.5 * rng.normal())
            is_positive = rng.random(n_rows) < expit(0.8 * x @ weights + 0.7 * x[:, 0] * x[:, 1] - 0.3 + base)
            at = pd.Timestamp("2020-01-01", tz="UTC") + pd.DateOffset(months=month, days=day)
            part = pd.DataFrame(x, columns=[f"x{number}" for number in range(6)])
            parts.append(part.assign(at=at, is_positive=is_positive))
    frame = pd.concat(parts, ignore_index=True)
    features = {"numeric": [f"x{number}" for number in range(6)]}
    training = Training(models=["scorecard", "gradient_boosting"], features=features)
    value = Value(unit="points", true_positive=5, false_positive=-3, false_negative=-2)
    return Stream(_rows(frame, frame["at"], "%Y-%m", frame["is_positive"]), training, value, 6)


SETS: dict[str, Callable[[], Stream]] = {
    "flights": flights,
    "mails": mails,
    "campaign": campaign,
    "drifting": lambda: stream(1.0, 0.15, 0),
    "drifting, another seed": lambda: stream(1.0, 0.15, 1),
    "standing still": lambda: stream(0.0, 0.0, 0),
}


def fit_ways(rows: pd.DataFrame, training: Training) -> dict[str, tuple[Scorer, ScoreMap | None]]:
    """Choose on some rows, and give every way to serve what was chosen."""
    split = split_by_time(sorted(rows[PARTITION_KEY].unique()), training.every)
    part = np.select([rows[PARTITION_KEY].isin(own) for own in (split.fit, split.calibrate)], [0, 1], 2)
    groups = group_rows(rows, training.features.text, training.group, training.seed)
    stays = settle_straddlers(part, groups, training.seed)
    is_fit = stays & (part == 0)
    team = _fit_team_by_time(rows[is_fit], groups[is_fit], rows[stays & (part == 1)], training)
    chosen, model = team.scorers[team.first], team.calibrated[team.first]
    again = refit(chosen, model.method, rows, groups, training)
    ways = [(chosen, model.score_map), (again.scorer, again.model.score_map), (again.scorer, model.score_map)]
    return dict(zip(WAYS, [*ways, (again.scorer, None), (chosen, None)], strict=True))


def shift_prior(p: Floats, rate: float, n_rounds: int = 100) -> Floats:
    """Move probabilities to the base rate that the rows themselves speak of; no label is looked at.

    Args:
        p: shape (n_rows,), of all rows of a partition, calibrated where the base rate is `rate`.
        rate: how often it happened in the rows that were learned from, 0..1.
        n_rounds: of expectation and maximisation.

    Returns:
        shape (n_rows,), 0..1.

    Source: Saerens, Latinne and Decaestecker 2002, Adjusting the outputs of a classifier to new a priori probabilities,
        section 2.2.
    """
    odds, now, moved = p / np.maximum(1 - p, 1e-9), rate, p
    for _ in range(n_rounds):
        ratio = odds * (now / (1 - now)) / (rate / (1 - rate))
        moved = ratio / (1 + ratio)
        now = float(np.clip(moved.mean(), 1e-6, 1 - 1e-6))
    return moved


def walk(found: Stream) -> Iterator[tuple[Floats, dict[str, Floats], dict[str, Floats]]]:
    """Go from point to point; give days, and each way's surprise and profit, of the rows that came after."""
    keys = sorted(found.rows[PARTITION_KEY].unique())
    policy = earning_policy(found.value, has_reviewers=False)
    for place in range(found.first, len(keys)):
        known = found.rows[found.rows[PARTITION_KEY] < keys[place]].reset_index(drop=True)
        later = found.rows[found.rows[PARTITION_KEY] == keys[place]]
        is_positive = later[IS_POSITIVE].to_numpy(dtype=np.bool_)
        try:
            ways = fit_ways(known, found.training)
        except MulgilError as error:
            print(f"{keys[place]} is left out: {error}", file=sys.stderr)
            continue
        p = {name: apply_map(score_map, scorer.score(later)) for name, (scorer, score_map) in ways.items()}
        p[SHIFTED] = shift_prior(p[REFIT], float(known[IS_POSITIVE].mean()))
        loss = {name: row_log_loss(is_positive, own) for name, own in p.items()}
        profit = {name: profit_of_policy(own, is_positive, found.value, policy) for name, own in p.items()}
        yield later[BLOCK].to_numpy(), loss, profit


def report(name: str, found: Stream) -> bool:
    """Print a set's lines; give whether the refit is not surely worse than what was chosen, nor than no calibrator."""
    steps = list(walk(found))
    resamples = draw_blocks(np.concatenate([days for days, _, _ in steps]), np.random.default_rng(0))

    def compare(place: int, way: str, other: str) -> tuple[float, float, float]:
        """Give the mean difference of two ways and its interval; place 1 is surprise, 2 profit."""
        gap = np.concatenate([step[place][way] - step[place][other] for step in steps])
        low, high = resamples.interval(float(gap.mean()), resamples.mean(gap))
        return float(gap.mean()), float("nan") if low is None else low, float("nan") if high is None else high

    for way in (*WAYS, SHIFTED):
        loss, profit = (float(np.concatenate([step[place][way] for step in steps]).mean()) for place in (1, 2))
        cells = [
            f"{mean:+.4f} ({low:+.4f} to {high:+.4f})"
            for mean, low, high in (compare(1, way, AS_CHOSEN), compare(2, way, AS_CHOSEN))
        ]
        own = cells if way != AS_CHOSEN else ["", ""]
        print(f"| {name} | {way} | {loss:.4f} | {own[0]} | {profit:.3f} | {own[1]} |", flush=True)
    mean, low, high = compare(1, REFIT, "refit, no calibrator")
    print(
        f"{name}: refit less its own scores without a calibrator {mean:+.4f} ({low:+.4f} to {high:+.4f})",
        file=sys.stderr,
    )
    return compare(1, REFIT, AS_CHOSEN)[1] <= 0 and low <= 0


def main(names: Sequence[str] = ()) -> int:
    """Measure the sets that are named, or all, and print the table of docs/benchmarks.md."""
    warnings.simplefilter("ignore")
    print("| set | what serves | log loss | less `as chosen` (95 % interval) | profit a row | less `as chosen` |")
    print("|---|---|---|---|---|---|")
    with threadpool_limits(1):
        verdicts = [report(name, make()) for name, make in SETS.items() if name in (names or SETS)]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
