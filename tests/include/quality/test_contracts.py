import json

import pytest

from include.errors import BadHandover
from include.quality.contracts import Audited, AuditedReplay, LeftRows

LEFT = LeftRows(("a.parquet",), ("bad.parquet", "worse.parquet"), 9, 3)
WHOLE = Audited("pass", None, 0, {"a b.parquet": "0" * 64}, "1" * 64, 12)
MOVED = Audited("warn", "delay is odd \u2028", 2, {}, "1" * 64, 9, LEFT)
PAGE = AuditedReplay(MOVED, [{"expectation": "ExpectColumnValuesToNotBeNull", "n_rows": 9}], "<p>audit</p>")


@pytest.mark.parametrize("contract", [LEFT, WHOLE, MOVED, PAGE])
def test_an_audit_is_the_same_after_its_way_through_json(contract):
    assert type(contract).from_xcom(json.loads(json.dumps(contract.to_xcom()))) == contract


@pytest.mark.parametrize("contract", [LEFT, WHOLE, MOVED, PAGE])
def test_an_audit_is_not_made_up_where_a_field_is_missing(contract):
    whole = contract.to_xcom()
    for name in whole.keys() - {"first_reason", "left"}:
        with pytest.raises(BadHandover, match=f"'{name}' is None"):
            type(contract).from_xcom({key: value for key, value in whole.items() if key != name})


def test_an_audit_that_moved_no_row_says_nothing_of_what_is_left():
    assert "left" not in WHOLE.to_xcom()
    assert MOVED.to_xcom()["left"] == LEFT.to_xcom()
