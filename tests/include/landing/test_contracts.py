import json

import pytest

from include.errors import BadHandover
from include.landing.contracts import FoundPartitions, LostPartitions

FOUND = FoundPartitions(("2013-01", "2013-02"), ("2013-01",), 3, 70, 1, {"flights/a.jsonl": "object is empty"})


@pytest.mark.parametrize(
    "record",
    [FOUND, FoundPartitions((), (), 0, 0, 0, {}), LostPartitions(("round-999", "round-1000")), LostPartitions(())],
)
def test_what_is_handed_over_as_json_comes_back_as_it_was(record):
    assert type(record).from_xcom(json.loads(json.dumps(record.to_xcom()))) == record


def test_nothing_to_announce_says_why_and_something_does_not():
    assert FoundPartitions((), (), 2, 0, 0, {}).to_xcom()["reason"] == "nothing to ingest; objects read: 2"
    assert LostPartitions(()).to_xcom()["reason"] == "everything announced was heard"
    assert (FOUND.to_xcom()["reason"], LostPartitions(("2013-01",)).to_xcom()["reason"]) == ("", "")


@pytest.mark.parametrize("name", ["partitions", "announced", "n_objects", "n_rows", "n_replaced", "flaws"])
def test_what_an_older_version_left_is_refused_and_the_field_named(name):
    handed = {key: value for key, value in FOUND.to_xcom().items() if key != name}
    with pytest.raises(BadHandover, match=f"'{name}' is None"):
        FoundPartitions.from_xcom(handed)
