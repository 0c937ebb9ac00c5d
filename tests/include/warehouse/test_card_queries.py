"""Every query of a model's card runs whatever stands in the tables."""

import pytest
from sqlalchemy import Connection

from include.warehouse import card_queries
from tests.include.warehouse.edge_rows import PROBLEM, VERSIONS


def test_both_versions_are_listed_the_newest_first(connection: Connection) -> None:
    listed = [row["model_version"] for row in card_queries.list_versions(connection, PROBLEM)]
    assert sorted(set(listed), reverse=True) == list(dict.fromkeys(listed)) == ["v002", "v001"]
    assert card_queries.list_versions(connection, "nobody") == []


def test_the_rules_of_a_problem_are_listed_and_of_an_unknown_one_none(connection: Connection) -> None:
    assert card_queries.list_rules(connection, PROBLEM)
    assert card_queries.list_rules(connection, "nobody") == []


@pytest.mark.parametrize("part", sorted(card_queries.CARD_PARTS))
def test_each_part_of_a_card_is_about_its_own_version(connection: Connection, part: str) -> None:
    for version in VERSIONS:
        rows = card_queries.read_part(connection, part, PROBLEM, version)
        assert {row["model_version"] for row in rows} == {version}
    assert card_queries.read_part(connection, part, PROBLEM, "v999") == []


def test_ranges_are_read_numbers_first_and_texts_last(connection: Connection) -> None:
    kinds = [row["kind"] for row in card_queries.read_ranges(connection, PROBLEM, "v001")]
    assert kinds == sorted(kinds, key=["number", "category", "text"].index)
    assert kinds


def test_a_version_that_was_never_fitted_has_no_facts(connection: Connection) -> None:
    assert card_queries.find_version(connection, PROBLEM, "v001") is not None
    assert card_queries.find_version(connection, PROBLEM, "v999") is None
