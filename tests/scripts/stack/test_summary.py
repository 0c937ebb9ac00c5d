"""The end of `make run`."""

import pytest

from scripts.stack import summary
from scripts.stack.errors import StackError


def test_a_table_is_aligned_words_left_and_numbers_right():
    table = summary.format_table(["problem", "n_rows"], [("ad_review", 6046), ("campaign", None)])
    assert table.splitlines() == [
        "  problem    n rows",
        "  ---------  ------",
        "  ad_review   6,046",
        "  campaign        –",
    ]


def test_a_missing_view_is_a_sentence(warehouse_url: str):
    question = summary.Question("Is it complete?", "SELECT * FROM bi.nothing")
    with pytest.raises(StackError, match=r"Is it complete\?.*bi\.nothing"):
        summary.summarise(warehouse_url, [question])


def test_every_question_of_the_summary_is_answered_by_an_empty_warehouse(migrated_warehouse_url: str):
    text = summary.summarise(migrated_warehouse_url)
    assert all(question.title in text for question in summary.QUESTIONS)


def test_a_warehouse_that_is_away_is_a_sentence():
    with pytest.raises(StackError, match="The summary could not be read: the warehouse does not answer"):
        summary.summarise("postgresql+psycopg://mulgil:secret@127.0.0.1:1/mulgil")
