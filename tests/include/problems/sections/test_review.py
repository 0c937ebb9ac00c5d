import pytest

from include.errors import BadProblem

BROKEN = [
    (
        "review",
        {"budget": 1, "max_rounds": 1, "random_share": 0.05},
        "field review.random_share: 0.05 is too small; 0.1 and more keeps the estimates honest",
    ),
    (
        "review",
        {"budget": 1, "max_rounds": 1, "gold_share": 0.5, "relabel_share": 0.4},
        "field review.gold_share: gold_share, relabel_share and random_share together are 1.1; at most",
    ),
    (
        "review",
        {"budget": 1, "max_rounds": 1, "routes": [{"when": "TRUE"}]},
        "a route changes nothing without a skill or is_sensitive: true",
    ),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


REVIEW = {"budget": 20, "max_rounds": 3}


@pytest.fixture
def read_review(read):
    """Read the good file as one that people label, with a section review."""

    def read_with(**review):
        label = {"classes": ["early", "late"], "positive": "late", "source": "desk"}
        return read(label=label, review=REVIEW | review).review

    return read_with


def test_a_control_arm_is_drawn_unless_the_file_says_otherwise(read_review):
    review = read_review()
    assert (review.random_share, review.gold_share, review.overlap_share) == (0.2, 0.05, 0.1)
    assert review.demo_rounds is None


def test_shares_that_fill_a_batch_exactly_are_taken(read_review):
    assert read_review(random_share=0.5, gold_share=0.25, relabel_share=0.25).gold_share == 0.25


@pytest.mark.parametrize("value", [0, -3, 2.5, True])
def test_a_budget_that_shows_nobody_anything_is_refused(read_review, value):
    with pytest.raises(BadProblem, match=r"field review\.budget"):
        read_review(budget=value)


def test_a_route_needs_a_skill_or_a_cover(read_review):
    routes = [{"when": "distance_miles > 9", "skill": "maps"}, {"when": "TRUE", "is_sensitive": True}]
    assert len(read_review(routes=routes).routes) == 2
    with pytest.raises(BadProblem, match="a route changes nothing without a skill"):
        read_review(routes=[*routes, {"when": "TRUE"}])


def test_a_column_that_people_should_see_must_be_declared(read_review):
    assert read_review(show=["origin"]).show == ["origin"]
    with pytest.raises(BadProblem, match=r"review\.show\.1: 'dest' is not declared"):
        read_review(show=["origin", "dest"])
