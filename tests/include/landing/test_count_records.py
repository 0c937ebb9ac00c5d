import gzip
import hashlib

import pytest

from include.engine.object_store.objects import list_objects
from include.engine.session import open_engine
from include.errors import BadLanding
from include.landing import count_records
from include.landing.count_records import count_objects
from include.problems.reading import load_problem
from include.settings import read_settings

JANUARY, FEBRUARY = "2013-01-05T10:00:00Z", "2013-02-05T10:00:00Z"


def count(troubles=None, listed=None):
    settings, source = read_settings(), load_problem("flights").source
    listed = list_objects(settings, source.landing) if listed is None else listed
    found = count_objects(settings, open_engine(), source, listed, {} if troubles is None else troubles)
    return {item.seen.key: item for item in found}


def listed_objects():
    return list_objects(read_settings(), "flights")


@pytest.mark.usefixtures("each_engine")
def test_each_object_is_described_by_its_own_records_and_bytes(landing, flight):
    a = landing.drop("a.jsonl", flight("a", JANUARY), flight("b", FEBRUARY), flight("c", FEBRUARY), flight("d", "?"))
    b = landing.drop("b.jsonl.gz", flight("e", JANUARY), '{"broken": ')
    read = count()
    assert dict(read[a].n_rows) == {"2013-01": 1, "2013-02": 3}
    assert (read[a].home_partition, read[a].n_unplaced, read[a].flaw) == ("2013-02", 1, None)
    assert (dict(read[b].n_rows), read[b].n_unplaced) == ({"2013-01": 2}, 1)
    assert read[b].fingerprint == hashlib.sha256((landing.folder / b).read_bytes()).hexdigest()


@pytest.mark.usefixtures("each_engine")
def test_a_flaw_is_told_of_its_object_and_changes_no_neighbour(landing, flight):
    good, empty = landing.drop("a.jsonl", flight("a")), landing.drop("empty.jsonl")
    cut = landing.drop("cut.jsonl.gz", *(flight(str(number)) for number in range(2_000)))
    whole = (landing.folder / cut).read_bytes()
    (landing.folder / cut).write_bytes(whole[: len(whole) // 2])
    read = count()
    assert (read[empty].flaw, dict(read[empty].n_rows)) == ("object is empty", {})
    assert read[cut].flaw == "object cannot be read to its end"
    assert 1 < sum(read[cut].n_rows.values()) < 2_000
    assert (read[good].flaw, dict(read[good].n_rows)) == (None, {"2013-01": 1})


def test_of_a_bomb_one_row_counts_wherever_it_was_given_up(landing):
    path = landing.folder / landing.drop("bomb.jsonl.gz")
    path.write_bytes(gzip.compress(b'{"at": "2013-02-05T10:00:00Z"}\n' * 10 + bytes(300 << 20), 1))
    (read,) = count().values()
    assert read.flaw.startswith("object unpacks to more than 200 times")
    assert (dict(read.n_rows), read.n_unplaced) == ({"2013-01": 1}, 1)


def test_batches_by_size_give_what_one_batch_gives(landing, flight, monkeypatch):
    for name in "abc":
        landing.drop(f"{name}.jsonl", flight(name, JANUARY), flight(name, FEBRUARY))
    at_once = count()
    monkeypatch.setattr(count_records, "BATCH_BYTES", 1)
    assert count() == at_once
    assert len(at_once) == 3


class Replaces(dict):
    """Takes troubles, which is after the objects were found and before they are read; an object is replaced then."""

    def __init__(self, path):
        self.path = path

    def __ior__(self, found):
        self.path.write_text("{}\n")
        return super().__ior__(found)


def test_an_object_replaced_while_it_is_read_waits_for_the_next_run(landing, flight):
    replaced, kept = landing.drop("a.jsonl", flight("a")), landing.drop("b.jsonl", flight("b"))
    assert list(count(Replaces(landing.folder / replaced))) == [kept]
    assert sorted(count()) == [replaced, kept]


def test_an_object_that_is_gone_is_named_and_its_neighbour_lands(landing, flight):
    gone, kept = landing.drop("a.jsonl", flight("a")), landing.drop("b.jsonl", flight("b"))
    listed, troubles = listed_objects(), {}
    (landing.folder / gone).unlink()
    assert list(count(troubles, listed)) == [kept]
    assert list(troubles) == [gone]
    assert troubles[gone].startswith(f"The object {gone} cannot be read from")


def test_where_none_can_be_fetched_landing_is_away(landing, flight):
    paths = [landing.folder / landing.drop(f"{name}.jsonl", flight(name)) for name in "ab"]
    listed = listed_objects()
    for path in paths:
        path.unlink()
    with pytest.raises(BadLanding, match=r"flights/a\.jsonl cannot be read"):
        count(listed=listed)
