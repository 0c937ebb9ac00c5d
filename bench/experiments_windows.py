"""What an experiment's windows cost in seconds of one core: counted from the whole log, and from the window before.

    python -m bench.experiments_windows [UNITS] [WINDOWS]

One exposure for each unit, on a day by chance; three of ten are rewarded within days. Both ways read the same lake, and
must count the same in every window; fails where they do not.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from bench.house import open_house
from include.experiments.design import Design
from include.experiments.reward_log import read_sums
from include.experiments.running_sums import Base
from include.lake.writing import replace_partitions
from include.names import PARTITION_KEY, events_table

PROBLEM, START = "campaign", datetime(2004, 11, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def make_design(n_windows: int) -> Design:
    """Plan a pilot of two thirds of the days, answered within three days."""
    end = START + n_windows * 2 // 3 * DAY
    shares = {"none": 0.5, "large": 0.5}
    columns = {"unit": "person_id", "event": "event", "variant": "variant", "event_time": "event_at"}
    return Design(
        **columns,
        exposure="invited",
        reward="came",
        variants=list(shares),
        pilot_end=end,
        trial_end=end,
        attribution_window=3 * DAY,
        salt="s",
        holdback_share=0.3,
        propensity=None,
        shares=shares,
    )


def write_log(n_units: int, n_windows: int) -> list[str]:
    """Publish the log; give its partitions."""
    rng = np.random.default_rng(4)
    unit, day = np.arange(n_units), rng.random(n_units) * n_windows
    answered = rng.random(n_units) < 0.3
    day = np.concatenate([day, day[answered] + rng.exponential(1.0, answered.sum())])
    ids = np.char.add("person-", np.concatenate([unit, unit[answered]]).astype(str))
    is_exposure = np.arange(len(day)) < n_units
    variant = np.where(rng.random(len(day)) < 0.5, "none", "large")
    keys = [f"{START + place * DAY:%Y-%m-%d}" for place in range(n_windows)]
    inside = day < n_windows
    rows = pa.table(
        {
            "person_id": pa.array(ids[inside]),
            "event": pa.array(np.where(is_exposure, "invited", "came")[inside]),
            "variant": pa.array(variant[inside], mask=~is_exposure[inside]),
            "event_at": pa.array([START + float(one) * DAY for one in day[inside]], pa.timestamp("us", tz="UTC")),
            PARTITION_KEY: pa.array(np.array(keys)[day[inside].astype(int)]),
        }
    )
    replace_partitions(events_table(PROBLEM), keys, rows)
    return keys


def main(n_units: int = 306_000, n_windows: int = 17) -> int:
    """Count every window both ways, print what each cost, and say by the exit code whether they agree."""
    with open_house():
        keys, design = write_log(n_units, n_windows), make_design(n_windows)
        seconds: dict[str, list[float]] = {"the whole log": [], "the window before": []}
        base = None
        for place in range(n_windows):
            as_of = START + (place + 1) * DAY
            decided_at = design.pilot_end + 4 * DAY if as_of > design.pilot_end + 4 * DAY else None
            asked = (PROBLEM, keys[: place + 1], design)
            began = time.process_time()
            whole = read_sums(*asked, as_of=as_of, decided_at=decided_at)
            between = time.process_time()
            carried = read_sums(*asked, as_of=as_of, decided_at=decided_at, base=base)
            seconds["the whole log"].append(between - began)
            seconds["the window before"].append(time.process_time() - between)
            if carried != whole:
                print(f"{keys[place]}: the two ways count differently")
                return 1
            base = Base(carried, keys[: place + 1], as_of)
        print(f"{n_units:,} units, {n_windows} windows\n\n| from | all windows, s | 2nd window, s | last window, s |")
        print("| --- | ---: | ---: | ---: |")
        for name, each in seconds.items():
            print(f"| {name} | {sum(each):.1f} | {each[1]:.2f} | {each[-1]:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main(*(int(one) for one in sys.argv[1:])))
