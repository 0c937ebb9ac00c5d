"""What a plan decides about an item is what is kept of it, and nothing changes it on the way."""

from dataclasses import FrozenInstanceError, asdict, fields

import pytest

from include.names import Arm
from include.review.batches.choice import Choice
from include.warehouse.tables.review import REVIEW_ITEM

NEW = Choice("mail-01", "2002-08", Arm.RANDOM, 0.5, entropy_nats=None, p_positive=None)


def test_every_decision_about_an_item_has_its_column() -> None:
    assert {field.name for field in fields(Choice)} <= set(REVIEW_ITEM.columns.keys())


def test_an_item_nobody_scored_is_asked_of_one_person_and_tests_nobody() -> None:
    assert (NEW.n_answers_wanted, NEW.gold_label, NEW.p_positive, NEW.is_for_others) == (1, None, None, False)


def test_what_was_planned_cannot_be_changed_afterwards() -> None:
    before = asdict(NEW)
    with pytest.raises(FrozenInstanceError):
        NEW.arm = Arm.GOLD  # type: ignore[misc]
    assert asdict(NEW) == before
