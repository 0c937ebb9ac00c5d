import json

import pytest

from include.errors import BadHandover
from include.monitoring.contracts import MeasuredPartitions, RaisedAlerts

MEASURED = MeasuredPartitions(("2013-01", "2013-03"), 300, 2)
RAISED = RaisedAlerts(2, 1, ("speed has moved", "distance has moved"), ("2013-03",))


@pytest.mark.parametrize("record", [MEASURED, MeasuredPartitions((), 0, 0), RAISED, RaisedAlerts(0, 0, ())])
def test_what_is_handed_over_as_json_comes_back_as_it_was(record):
    assert type(record).from_xcom(json.loads(json.dumps(record.to_xcom()))) == record


def test_the_rows_of_raising_are_its_alerts_and_those_of_measuring_its_rows():
    assert (RAISED.to_xcom()["n_rows"], MEASURED.to_xcom()["n_rows"]) == (2, 300)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        (MEASURED, "partitions"),
        (MEASURED, "n_rows"),
        (MEASURED, "n_alerts"),
        (RAISED, "n_new"),
        (RAISED, "messages"),
        (RAISED, "asked"),
    ],
)
def test_what_an_older_version_left_is_refused_and_the_field_named(record, name):
    handed = {key: value for key, value in record.to_xcom().items() if key != name}
    with pytest.raises(BadHandover, match=f"'{name}' is None"):
        type(record).from_xcom(handed)
