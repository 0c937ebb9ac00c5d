import json

import pytest
from sqlalchemy import literal, select, text

from include.names import Stage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import step
from include.warehouse.storable import storable_json, storable_text
from include.warehouse.tables.runs import COVERAGE, RUN_STEP

ODD = "a\0b\ud83dc\U0001f600"


@pytest.mark.parametrize("plain", ["", "caf\u00e9", "\U0001f600", "\\u0000", "\ufffd"])
def test_a_sound_text_is_left_as_it_is(plain):
    assert storable_text(plain) == plain
    assert json.loads(storable_json({plain: [plain]})) == {plain: [plain]}


def test_what_no_database_takes_is_replaced_in_names_and_values():
    assert storable_text(ODD) == "a\ufffdb\ufffdc\U0001f600"
    assert json.loads(storable_json({ODD: (ODD, 1, None)})) == {storable_text(ODD): [storable_text(ODD), 1, None]}


def test_an_odd_text_is_sent_beside_others_and_comes_back_clean(house):
    with open_warehouse().connect() as connection:
        sent = connection.execute(select(literal(ODD), literal("plain"), literal(3))).one()
        assert tuple(sent) == (storable_text(ODD), "plain", 3)
        assert connection.scalar(text("SELECT :odd"), {"odd": ODD}) == storable_text(ODD)


@step(Stage.INGEST)
def find(*, problem, partition_key, found):
    return {"found": found, "n_rows": 1}


def test_an_outcome_with_a_zero_in_a_name_is_recorded(house):
    find(problem="p", partition_key="2013-01", found={"x\0y": 1})
    with open_warehouse().connect() as connection:
        assert connection.scalar(select(RUN_STEP.c.outcome))["found"] == {"x\ufffdy": 1}


def test_an_outcome_that_cannot_be_stored_is_a_failed_step_with_its_reason(house):
    with pytest.raises(Exception, match="not JSON serializable"):
        find(problem="p", partition_key="2013-01", found={1, 2})
    with open_warehouse().connect() as connection:
        status, outcome = connection.execute(select(RUN_STEP.c.status, RUN_STEP.c.outcome)).one()
        assert (status, connection.scalar(select(COVERAGE.c.status))) == ("failed", "failed")
    assert outcome["error"].startswith("what it found cannot be stored: ")
