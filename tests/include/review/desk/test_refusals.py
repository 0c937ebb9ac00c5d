"""A reason to refuse is a name that can stand in an address, a table and a text."""

import re

from include.errors import DeskRefused
from include.review.desk.refusals import Refusal


def test_every_reason_is_a_plain_name_and_none_is_there_twice() -> None:
    values = [str(reason) for reason in Refusal]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch(r"[a-z_]+", value) for value in values)


def test_an_error_names_its_reason_and_what_it_is_about() -> None:
    error = DeskRefused(Refusal.UNKNOWN_BATCH, batch="round-009")
    assert (error.code, error.values) == (Refusal.UNKNOWN_BATCH, {"batch": "round-009"})
    assert str(error) == "The desk refused it: unknown batch (batch 'round-009')."
