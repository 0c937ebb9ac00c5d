from datetime import timedelta

import pytest


def test_rows_stay_for_ever_and_snapshots_a_week_unless_the_file_says_otherwise(read):
    upkeep = read().upkeep
    assert (upkeep.events, upkeep.quarantine, upkeep.predictions) == (None, None, None)
    assert upkeep.snapshots == timedelta(days=7)


@pytest.mark.parametrize("field", ["events", "quarantine", "predictions", "snapshots"])
def test_each_period_changes_its_own_retention_and_no_other(read, field):
    upkeep = read(upkeep={field: "P90D"}).upkeep
    usual = read().upkeep
    changed = {name for name in type(usual).model_fields if getattr(upkeep, name) != getattr(usual, name)}
    assert changed == {field}
    assert getattr(upkeep, field) == timedelta(days=90)


@pytest.mark.parametrize("period", ["P0D", "-P1D", 90, "90 days"])
def test_a_period_in_which_everything_would_vanish_is_refused(refusal_of, period):
    assert "field upkeep.events" in refusal_of("", None, upkeep={"events": period})
