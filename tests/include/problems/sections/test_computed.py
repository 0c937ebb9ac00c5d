from include.problems.sections.computed import Lookup, columns_in


def test_a_column_in_quotes_is_a_value_and_names_no_column():
    assert columns_in("CASE WHEN origin = 'distance' THEN fare END", {"origin", "distance", "fare", "x"}) == {
        "origin",
        "fare",
    }


def test_a_lookup_takes_columns_by_their_own_names_or_by_new_ones():
    about = {"from": "customers", "on": {"customer": "id"}}
    assert Lookup(**about, columns=["tier"]).taken == {"tier": "tier"}
    assert Lookup(**about, columns={"tier_then": "tier"}).taken == {"tier_then": "tier"}
