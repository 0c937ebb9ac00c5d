from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from include.errors import BadProblem
from include.experiments.outbox.audience import Rows, read_audience, reasons_not_to_take_part
from include.problems.reading import load_problem
from tests.include.experiments.factories import START, make_design
from tests.include.experiments.outbox.factories import people

DAY = "2026-06-01"


def test_rows_are_read_in_the_order_in_which_they_landed(mailing):
    mailing.land("b.jsonl", *people(3, "late"))
    mailing.land("a.jsonl", {"person": "p2", "country": "KR"}, {"country": "KR"}, {"person": "p1"})
    rows = read_audience(load_problem("mailing").log("audience"), DAY, "person", "country = 'KR'")
    assert rows.raw.tolist() == ["p2", None, "p1", "late0", "late1", "late2"]
    assert rows.stored.tolist() == rows.raw.tolist()
    assert rows.is_eligible.tolist() == [True, True, False, False, False, False]
    assert len(set(rows.item_ids)) == 6
    with pytest.raises(BadProblem, match="county"):
        read_audience(load_problem("mailing").log("audience"), DAY, "person", "county = 'KR'")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"eligible": "TRUE"}, "unit_not_eligible"),
        ({"start": START + timedelta(hours=2)}, "exposure_before_start"),
        ({"end": START + timedelta(hours=1)}, "exposure_after_end"),
        ({"pauses": [(START, None)]}, "exposure_while_paused"),
        ({"pauses": [(START, START + timedelta(hours=1))]}, None),
    ],
)
def test_a_row_is_asked_as_an_exposure_of_this_moment_would_be(changes, reason):
    texts = np.array(["p1", None], dtype=object)
    rows = Rows(texts, texts, texts, np.array([False, False]))
    now = pa.scalar(datetime(2004, 11, 1, 1), pa.timestamp("us"))  # noqa: DTZ001 - as exposures are compared
    assert reasons_not_to_take_part(rows, make_design(**changes), now).tolist() == [reason, reason]
