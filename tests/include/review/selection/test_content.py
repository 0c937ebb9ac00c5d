"""What an item looks like is masked as in the lake, named by its hash, and written so that PostgreSQL takes it."""

from typing import Any

import pytest
from sqlalchemy import Engine

from include.problems.reading import load_problem
from include.review.batches.choice import Choice
from include.review.selection import content
from include.warehouse.tables.desk import REVIEW_CONTENT
from tests.laid_desk import BATCH, PROBLEM, make_choice, make_fields, make_problem, rows


def test_people_see_what_the_file_says_or_else_what_the_model_reads() -> None:
    assert content.shown_columns(make_problem(show=["sender"])) == ["sender"]
    shown = content.shown_columns(make_problem(show=[]))
    features = load_problem(PROBLEM).training.features  # type: ignore[union-attr]
    assert shown[: len(features.text)] == features.text
    assert len(set(shown)) == len(shown)


def test_a_problem_without_model_and_list_shows_every_column() -> None:
    bare = make_problem(show=[]).model_copy(update={"training": None})
    assert content.shown_columns(bare) == list(bare.source.columns)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("a\x00b", "a\ufffdb"),
        ("\ud83c\udf89", "🎉"),
        ("\ud800", "\ufffd"),
        ("two\nlines\u2028three", "two\nlines\u2028three"),
    ],
)
def test_what_postgresql_does_not_store_is_replaced_and_the_rest_stays(written: str, stored: str) -> None:
    assert content.clean_text(written) == stored


def test_the_same_fields_have_the_same_name_and_others_another() -> None:
    first, again, other = make_fields("a", "b"), make_fields("a", "b"), make_fields("a", "c")
    assert content.hash_fields(first) == content.hash_fields(again)
    assert len({content.hash_fields(fields) for fields in (first, other, [], first[::-1])}) == 4


def test_contents_are_replaced_whole_and_found_by_item(engine: Engine) -> None:
    def row(item_id: str, text: str) -> dict[str, Any]:
        names = {"problem": PROBLEM, "batch_id": BATCH, "item_id": item_id}
        return names | {"fields": make_fields(text, text), "content_hash": "x", "p_positive": None}

    with engine.begin() as connection:
        content.write_contents(connection, PROBLEM, BATCH, [row("a", "old"), row("b", "old")])
        content.write_contents(connection, PROBLEM, BATCH, [row("a", "new\u2028line")])
        found = content.find_content(connection, PROBLEM, BATCH, "a")
        assert found is not None
        assert found["fields"][0]["value"] == "new\u2028line"
        assert content.find_content(connection, PROBLEM, BATCH, "b") is None
    assert len(rows(engine, REVIEW_CONTENT)) == 1
    assert isinstance(make_choice(1), Choice)
