import json

import pytest

from include.errors import BadHandover
from include.experiments.contracts import ExperimentState, UpdatedExperiments

STATES = {"mail": ExperimentState("send", "large"), "price": ExperimentState("wait", None)}
DECIDED = UpdatedExperiments(("2004-11-05", "2004-11-06"), STATES, 2000)


@pytest.mark.parametrize("record", [DECIDED, UpdatedExperiments((), {}, 0)])
def test_experiments_come_back_from_json_as_they_were(record):
    assert UpdatedExperiments.from_xcom(json.loads(json.dumps(record.to_xcom()))) == record


def test_the_units_of_the_newest_windows_are_the_rows_of_the_step():
    assert DECIDED.to_xcom()["n_rows"] == DECIDED.n_units == 2000


@pytest.mark.parametrize("name", ["windows", "experiments", "n_rows"])
def test_what_an_older_version_left_is_refused_and_the_field_named(name):
    handed = {key: value for key, value in DECIDED.to_xcom().items() if key != name}
    with pytest.raises(BadHandover, match=f"'{name}' is None"):
        UpdatedExperiments.from_xcom(handed)


def test_a_variant_that_is_no_name_is_refused():
    handed = {**DECIDED.to_xcom(), "experiments": {"mail": {"outcome": "send", "variant": 3}}}
    with pytest.raises(BadHandover, match="'variant' is 3 where str was expected"):
        UpdatedExperiments.from_xcom(handed)
