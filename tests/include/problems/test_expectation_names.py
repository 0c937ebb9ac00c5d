"""The table against the library that is installed: what a file may ask is what can be asked."""

import pytest

from include.problems.expectation_names import EXPECTATIONS, IMPOSSIBLE


@pytest.mark.slow
def test_the_table_is_what_the_installed_library_offers():
    from scripts.list_expectations import read_library

    possible, impossible = read_library()
    table = {name: (takes[0], sorted(takes.required), sorted(takes.optional)) for name, takes in EXPECTATIONS.items()}
    assert table == possible
    assert impossible == IMPOSSIBLE


def test_no_expectation_is_both_offered_and_impossible():
    assert EXPECTATIONS.keys() & IMPOSSIBLE.keys() == set()
    assert all(takes.required & takes.optional == frozenset() for takes in EXPECTATIONS.values())


def test_what_is_about_a_column_is_told_by_its_name():
    """Great Expectations names them so; one in the wrong group would ask for a column, or refuse it, wrongly."""
    about_one = ("ExpectColumnValue", "ExpectColumnM", "ExpectColumnD", "ExpectColumnS", "ExpectColumnT")
    for name, takes in EXPECTATIONS.items():
        if name.startswith(("ExpectTable", "ExpectMulticolumn", "ExpectColumnPair", "ExpectCompound")):
            assert not takes.is_about_a_column, name
        if name.startswith(about_one):
            assert takes.is_about_a_column, name
