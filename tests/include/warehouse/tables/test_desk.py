"""Who holds which item is kept so that no person has two seats, and no request is done twice."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Table

from include.warehouse.tables.desk import REVIEW_AUDIT, REVIEW_CONTENT, REVIEW_PASS, REVIEW_SEAT

GRAINS = [
    (REVIEW_SEAT, {"problem", "batch_id", "item_id", "seat"}),
    (REVIEW_PASS, {"problem", "batch_id", "item_id", "person"}),
    (REVIEW_CONTENT, {"problem", "batch_id", "item_id"}),
    (REVIEW_AUDIT, {"audit_id"}),
]


@pytest.mark.parametrize(("table", "grain"), GRAINS, ids=lambda value: getattr(value, "name", ""))
def test_a_row_is_told_from_others_by_its_grain(
    grain_of: Callable[[Table], set[str]], table: Table, grain: set[str]
) -> None:
    assert grain_of(table) == grain


def test_nobody_has_two_seats_of_one_item(put: Any) -> None:
    assert put(REVIEW_SEAT, seat=1, person="ada")
    assert not put(REVIEW_SEAT, seat=2, person="ada")
    assert put(REVIEW_SEAT, seat=2, person="ben")
    assert put(REVIEW_SEAT, seat=3, person=None)
    assert put(REVIEW_SEAT, seat=4, person=None)


def test_a_request_is_done_once_and_refused_as_often_as_it_is_tried(put: Any) -> None:
    asked = {"person": "ada", "request_id": "request-1"}
    assert put(REVIEW_AUDIT, audit_id="1", result="done", **asked)
    assert not put(REVIEW_AUDIT, audit_id="2", result="done", **asked)
    assert put(REVIEW_AUDIT, audit_id="3", result="refused", **asked)
    assert put(REVIEW_AUDIT, audit_id="4", result="done", person="ben", request_id="request-1")
    assert put(REVIEW_AUDIT, audit_id="5", result="done", person="ada", request_id=None)
