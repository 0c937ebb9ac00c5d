"""Whatever ends the filling of an outbox in the middle, filling it again lists everybody, and nobody twice."""

import os
import shutil

import pytest
from sqlalchemy import delete, insert

from include.experiments.steps import fill_outbox
from include.names import OUTBOX_FOLDER
from include.warehouse.tables.experiments import ALLOCATION
from include.warehouse.tables.sending import SEND_BATCH, SEND_COUNT, SEND_LIST
from tests.include.experiments.outbox.factories import AUDIENCE, people
from tests.include.lake import dying

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("faults")]

DAYS = ("2026-06-01", "2026-06-02")
WINDOW = {"problem": "mailing", "experiment": "experiment", "partition_key": "2026-05-31", "phase": "rest"}
N_POINTS = [8, pytest.param(30, marks=pytest.mark.thorough)]


def arguments(day):
    return {"problem": AUDIENCE, "partition_key": day, "run_id": "r1"}


@pytest.fixture(params=["none", "identifier"])
def audiences(request, mailing):
    """Land two audiences that share people, whose ids are as they are, or masked."""
    mailing.write_problem(columns={"person": {"type": "string", "pii": request.param}})
    mailing.land("a.jsonl", *people(40))
    mailing.land("b.jsonl", *people(30), *people(20, "q"), day=DAYS[1])
    shares = [("old", 0.0, 0.3), ("new", 0.3, 1.0)]
    rows = [{"place": at, "variant": one, "low": low, "high": high} for at, (one, low, high) in enumerate(shares)]
    with mailing.house.engine.begin() as connection:
        connection.execute(insert(ALLOCATION), [WINDOW | row for row in rows])
    return mailing


def start_over(mailing):
    with mailing.house.engine.begin() as connection:
        for table in (SEND_LIST, SEND_BATCH, SEND_COUNT):
            connection.execute(delete(table))
    shutil.rmtree(mailing.house.home / "lake" / OUTBOX_FOLDER, ignore_errors=True)


def content(mailing):
    """Say which file lists whom, as a mailer reads it."""
    return {
        name: sorted((line["audience"], line["unit"], line["variant"]) for line in lines)
        for name, lines in read(mailing)
    }


def read(mailing):
    return mailing.files().items()


@pytest.mark.parametrize("n_points", N_POINTS)
def test_killed_anywhere_nobody_is_listed_twice_and_nobody_is_missing(audiences, n_points):
    for day in DAYS:
        fill_outbox(**arguments(day))
    expected = content(audiences)
    assert len({unit for listed in expected.values() for _, unit, _ in listed}) > 30
    start_over(audiences)
    n_things = dying.run("fill_outbox", arguments(DAYS[0]), os.environ)
    points = sorted({1 + round(i * (n_things - 1) / (n_points - 1)) for i in range(n_points)})
    assert len(points) == n_points
    for point in points:
        start_over(audiences)
        assert dying.run("fill_outbox", arguments(DAYS[0]), os.environ, die_at=point) is None, point
        there = dict(read(audiences))  # a mailer may send it at once
        for day in DAYS:
            fill_outbox(**arguments(day))
        assert content(audiences) == expected, f"killed at {point} of {points}"
        assert there.items() <= dict(read(audiences)).items(), f"a file changed, killed at {point}"
        assert sum(audiences.counts().values()) == 90
