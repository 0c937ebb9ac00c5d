import pytest

from include.errors import BadLanding
from include.lake.sources import chosen_records, fetch_feeds, find_feeds, given_up
from include.problems.reading import load_problem
from tests.include.lake.test_steps import JANUARY, land


def feeds_of(landing):
    with landing.house.engine.begin() as connection:
        return find_feeds(connection, "flights", JANUARY)


def test_just_the_records_that_are_asked_for_are_read_again(landing, flight):
    landing.drop("a.jsonl", flight("a"), "", flight("c"), flight("d"))
    landing.drop("b.jsonl", flight("e"))
    landing.drop("c.jsonl", flight("f"))
    land()
    wanted = {"flights/a.jsonl": [1, 4, 99], "flights/c.jsonl": [1]}
    feeds = feeds_of(landing)
    with fetch_feeds(landing.house.settings, feeds) as objects:
        records = chosen_records(objects, load_problem("flights").source, wanted, given_up(feeds))
        rows = [row for batch in records.batches() for row in batch.to_pylist()]
    assert [(row["_object_key"][-7], row["_line_number"]) for row in rows] == [("a", 1), ("a", 4), ("c", 1)]
    assert '"d"' in rows[1]["_record"]


def test_an_object_that_is_replaced_while_it_is_read_is_noticed_at_the_end(landing, flight):
    key = landing.drop("a.jsonl", flight("a"))
    land()
    fetched = fetch_feeds(landing.house.settings, feeds_of(landing))
    assert [item.key for item in fetched.__enter__()] == [key]
    landing.drop("a.jsonl", flight("another"))
    with pytest.raises(BadLanding, match=r"1 of 1 objects .* replaced"):
        fetched.__exit__(None, None, None)


def test_an_object_that_was_only_touched_is_still_the_one_that_was_counted(landing, flight):
    key = landing.drop("a.jsonl", flight("a"))
    land()
    (landing.folder / key).touch()
    with fetch_feeds(landing.house.settings, feeds_of(landing)) as objects:
        assert len(objects) == 1
