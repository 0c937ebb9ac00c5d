"""Which problems a run carries, and which DAGs are theirs."""

import pytest

from scripts.stack.errors import StackError
from scripts.stack.selection import Selection

KNOWN = ["ad_review", "campaign", "flight_delay", "penguins", "signups"]
BUILT_IN = ["flight_delay", "ad_review", "campaign", "penguins"]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ("", ("ad_review", "campaign", "flight_delay")),
        ("all", ("ad_review", "campaign", "flight_delay", "penguins")),
        ("signups, campaign", ("signups", "campaign")),
        ("campaign campaign", ("campaign",)),
    ],
)
def test_three_are_carried_by_default_and_others_where_they_are_named(wanted: str, names: tuple[str, ...]):
    assert Selection.of(wanted, KNOWN, BUILT_IN).names == names


@pytest.mark.parametrize(("known", "names"), [(["a", "penguins"], ("penguins",)), (["b", "a"], ("a", "b"))])
def test_where_the_default_was_removed_what_is_left_is_carried(known: list[str], names: tuple[str, ...]):
    assert Selection.of("", known, BUILT_IN).names == names


def test_an_unknown_name_is_told_with_those_that_are_known():
    with pytest.raises(StackError, match=r"1 of 2 problems are unknown, the first is 'singups'. Known are ad_review"):
        Selection.of("campaign,singups", KNOWN, BUILT_IN)


def test_a_strangers_dag_and_a_form_belong_to_no_selected_problem():
    selection = Selection(("campaign", "a_b"))
    held = ["campaign__land", "a_b__train", "campaign.returns__ingest"]
    others = ["signups__land", "campaign_two__land", "rollback", "a__land"]
    assert [name for name in held + others if selection.holds(name)] == held
    assert all(Selection().holds(name) for name in held + others)
