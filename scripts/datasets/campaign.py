"""A randomised field experiment as an event log: who was invited with which incentive, and who came.

People, incentives and outcomes are the study's. The times are ours: the data has none.
"""

import hashlib
import io
import tarfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa

from scripts.datasets.recipe import Column, DataFile, Package, Recipe, read_member

SEED = "campaign-2004"
LARGE_FROM_DOLLARS = 1.0
PILOT_SHARE = 0.4
PILOT_DAYS = tuple(datetime(2004, 11, day, 6, tzinfo=UTC) for day in (1, 2, 3, 4))
REST_DAYS = tuple(datetime(2004, 11, day, 6, tzinfo=UTC) for day in (7, 8, 9, 10))
WORKING_DAY = timedelta(hours=9)  # 06:00 to 15:00 UTC is 08:00 to 17:00 in Malawi
SOONEST_ARRIVAL = timedelta(hours=1)
LATEST_ARRIVAL = timedelta(hours=40)  # below the two days in which an arrival counts for its invitation

EVENTS = DataFile(
    name="events.parquet",
    holds="the log records, one per invitation and one per arrival, in order of time; replayed into landing",
    columns=(
        Column("event_id", pa.string(), "`<event>-<person_id>`; unique"),
        Column("event", pa.string(), "`invited` or `came`"),
        Column("person_id", pa.string(), "`p0001` is the first row of the study's file"),
        Column("event_at", pa.string(), "ISO 8601 in UTC; **ours**, see below"),
        Column("variant", pa.string(), "`none`, `small` or `large` incentive; on `invited` only"),
        Column("incentive_dollars", pa.float32(), "total incentive offered, US dollars of 2004; on `invited` only"),
        Column("distance_km", pa.float32(), "distance to the assigned results centre, kilometres; on `invited` only"),
        Column("age_years", pa.int32(), "age in years, null where unknown; on `invited` only"),
        Column("village", pa.int32(), "number of the village, null where unknown; on `invited` only"),
    ),
)


def incentive_variant(dollars: float) -> str:
    """Name the size of an incentive: nothing, less than a dollar, or a dollar and more.

    Raises:
        ValueError: the incentive is negative or not a number.
    """
    if not dollars >= 0:
        raise ValueError(f"An incentive of {dollars} dollars is none that was offered; allowed are 0 and more.")
    if dollars == 0:
        return "none"
    return "small" if dollars < LARGE_FROM_DOLLARS else "large"


def hash_number(*words: str) -> int:
    """Give a large number that depends on nothing but the words, the same on every machine and version."""
    return int.from_bytes(hashlib.sha256(":".join((SEED, *words)).encode()).digest(), "big")


def invitation_times(n_people: int) -> list[datetime]:
    """Say when each person is invited, in the order people are invited.

    Args:
        n_people: how many there are.

    Returns:
        one time per person: the first 40 % spread evenly over the four pilot days, the others over the last four.
    """
    n_pilot = round(n_people * PILOT_SHARE)
    return _spread(n_pilot, PILOT_DAYS) + _spread(n_people - n_pilot, REST_DAYS)


def _spread(n_people: int, days: tuple[datetime, ...]) -> list[datetime]:
    day_of = [place * len(days) // n_people for place in range(n_people)]
    n_on = Counter(day_of)
    seen: Counter[int] = Counter()
    times = []
    for day in day_of:
        # Whole seconds, because logs of 2004 have no finer ones.
        times.append(days[day] + timedelta(seconds=WORKING_DAY.seconds * seen[day] // n_on[day]))
        seen[day] += 1
    return times


def arrival_delay(person_id: str) -> timedelta:
    """Say how long after the invitation a person comes: 1 to 40 hours, evenly likely to the second."""
    span_seconds = int((LATEST_ARRIVAL - SOONEST_ARRIVAL).total_seconds())
    return SOONEST_ARRIVAL + timedelta(seconds=hash_number("came", person_id) % (span_seconds + 1))


def keep_known(people: pd.DataFrame) -> pd.DataFrame:
    """Keep the people whose incentive and outcome are both known, and name every one by the row in the study's file.

    Args:
        people: columns `got` (1 came, 0 did not), `tinc` (dollars), `distvct` (km), `age` (years), `villnum`.
    """
    named = people.assign(person_id=[f"p{row:04d}" for row in range(1, len(people) + 1)])
    return named[named["got"].notna() & named["tinc"].notna()]


def make_events(people: pd.DataFrame) -> list[dict[str, object]]:
    """Turn people into the log of their invitations and arrivals, in order of time.

    Args:
        people: as `keep_known` gives them.
    """
    rows = sorted(people.to_dict("records"), key=lambda row: hash_number("order", row["person_id"]))
    events = []
    for row, invited_at in zip(rows, invitation_times(len(rows)), strict=True):
        person_id = row["person_id"]
        events.append(
            _event("invited", person_id, invited_at)
            | {
                "variant": incentive_variant(row["tinc"]),
                "incentive_dollars": row["tinc"],
                "distance_km": row["distvct"],
                "age_years": None if pd.isna(row["age"]) else int(row["age"]),
                "village": None if pd.isna(row["villnum"]) else int(row["villnum"]),
            }
        )
        if row["got"] == 1:
            events.append(_event("came", person_id, invited_at + arrival_delay(person_id)))
    return sorted(events, key=lambda event: (event["event_at"], event["event_id"]))


def _event(event: str, person_id: str, moment: datetime) -> dict[str, object]:
    return {
        "event_id": f"{event}-{person_id}",
        "event": event,
        "person_id": person_id,
        "event_at": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the event log from the package's archive."""
    with tarfile.open(archive) as tar:
        stata = read_member(tar, "causaldata-0.1.5/causaldata/thornton_hiv/thornton_hiv.dta")
    people = keep_known(pd.read_stata(io.BytesIO(stata)))
    return {EVENTS.name: pa.Table.from_pylist(make_events(people), schema=EVENTS.schema)}


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the study, which times are ours, and how the variants did."""
    events = tables[EVENTS.name].to_pandas()
    invited = events[events["event"] == "invited"]
    came = set(events.loc[events["event"] == "came", "person_id"])
    invited = invited.assign(
        came=invited["person_id"].isin(came),
        phase=["pilot" if at < "2004-11-05" else "rest" for at in invited["event_at"]],
    )
    lines = ["| phase | variant | people | came | share that came |", "|---|---|---|---|---|"]
    for phase, of_phase in (("both", invited), *invited.groupby("phase")):
        for variant in ("none", "small", "large"):
            of_variant = of_phase[of_phase["variant"] == variant]
            n_people, n_came = len(of_variant), int(of_variant["came"].sum())
            lines.append(f"| {phase} | {variant} | {n_people:,} | {n_came:,} | {n_came / n_people:.3f} |")
    sizes = "\n".join(lines)
    return f"""\
* The study's file has 4,820 people. 2,894 of them have an outcome; 60 of these have no recorded incentive and are left
  out, as are the 1,926 without an outcome. {len(invited):,} people remain, {len(came):,} of them came.
* Left out too: `hiv2004` (a test result is nobody's business here) and `any` (it says only that `tinc` is above 0).
* Incentives were drawn at random by the study: 0 to 300 kwacha in vouchers, 2.8368 dollars at most. `none` is 0,
  `small` is above 0 and below 1 dollar (up to 100 kwacha), `large` is 1 dollar or more.
* **The times are ours; the study's file has none.** People are put in an order by SHA-256 of a fixed seed and their id.
  The first 40 % in that order are invited on 2004-11-01 to 04, nobody on 05 and 06, the others on 07 to 10, evenly
  over 06:00 to 15:00 UTC (08:00 to 17:00 in Malawi). Who came has a `came` record 1 to 40 hours after the invitation,
  to the second and evenly likely, nights included. So nothing about speed can be learned from it.
* Size and outcome of the variants:

{sizes}
"""


RECIPE = Recipe(
    problem="campaign",
    title="Invitations with incentives of different size, and who came",
    origin=(
        "Rebecca L. Thornton, The Demand for, and Impact of, Learning HIV Status, American Economic Review 98 (5), "
        "2008: a field experiment in rural Malawi, 2004; as packaged by Nick Huntington-Klein"
    ),
    licence="MIT (the package's)",
    package=Package(
        client="pip",
        name="causaldata",
        version="0.1.5",
        archive="causaldata-0.1.5.tar.gz",
        sha256="5604fb84000c6a8ae3e93630b3624e9f2af4f8700e4465ec3586998b3522fd1c",
    ),
    files=(EVENTS,),
    make_tables=make_tables,
    write_notes=write_notes,
)
