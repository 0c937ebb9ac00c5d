import json

import pytest

from include.errors import BadHandover
from include.lake.contracts import (
    Basis,
    NothingToReplay,
    Published,
    Replayed,
    Settled,
    StagedPartition,
    StagedReplay,
    StagedRows,
    Standing,
)

ROWS = StagedRows(("flights/data/2013-01/a b.parquet",), ("q.parquet",), 9, 5, 3, 1, {"field \u2028|": 4})
STANDING = Standing("a" * 64, ("replay-1", "replay|2 \u2028"), "b" * 64)
BASIS = Basis(("a.parquet",), (), "c" * 64, is_refused=True)
READ_AGAIN = [
    ROWS,
    STANDING,
    BASIS,
    StagedPartition(ROWS, {"n_objects": 1, "objects": [{"key": "x"}]}, "d" * 64, STANDING),
    StagedReplay(ROWS, {"n_objects": 0, "objects": []}, BASIS, 4, 5),
    Published("published", 5, 3, 1, 0, "8125837498317497341"),
    Published("outdated", reason="a later run has published more"),
    Settled(("2013-01", "2013-02")),
    Settled((), "nothing was published"),
]


@pytest.mark.parametrize("contract", READ_AGAIN, ids=lambda one: type(one).__name__)
def test_a_contract_is_the_same_after_its_way_through_json(contract):
    assert type(contract).from_xcom(json.loads(json.dumps(contract.to_xcom()))) == contract


@pytest.mark.parametrize("contract", READ_AGAIN, ids=lambda one: type(one).__name__)
def test_a_contract_is_not_made_up_where_a_field_is_missing(contract):
    whole = contract.to_xcom()
    for name in whole.keys() - {"n_rows", "snapshot_id"}:
        with pytest.raises(BadHandover, match=f"'{name}' is None"):
            type(contract).from_xcom({key: value for key, value in whole.items() if key != name})


def test_every_count_has_its_own_place():
    handed = StagedRows(n_in=10, n_staged=1, n_quarantined=2, n_duplicate=7).to_xcom()
    assert [handed[name] for name in ("n_in", "n_staged", "n_quarantined", "n_duplicate")] == [10, 1, 2, 7]


def test_the_rows_that_a_step_is_recorded_with_are_those_it_is_about():
    assert StagedPartition(ROWS, {}, "", STANDING).to_xcom()["n_rows"] == 9
    assert StagedReplay(ROWS, {}, BASIS, 4, 5).to_xcom()["n_rows"] == 5
    assert Published("refused", 0, 3, 1, 5).to_xcom()["n_rows"] == 0
    assert Replayed("published", 2, 3, 4).to_xcom()["n_rows"] == 2


def test_what_the_warehouse_keeps_of_a_partition_has_no_reason_of_the_run():
    assert Published("published", 1).counts().keys() == Published("published", 1).to_xcom().keys() - {
        "reason",
        "n_rows",
    }


def test_a_replay_that_is_over_says_why():
    assert NothingToReplay("no row is in quarantine").to_xcom() == {
        "is_over": True,
        "reason": "no row is in quarantine",
        "n_rows": 0,
    }
