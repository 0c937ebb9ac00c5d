import json
from datetime import UTC, datetime

from include.experiments.outbox.files import encode_list, open_outbox

ROW = {
    "problem": "mailing",
    "experiment": "june",
    "unit": "token",
    "variant": "new",
    "phase": "pilot",
    "plan_version": 2,
    "window_key": None,
    "partition_key": "2026-06-01",
    "batch": 3,
    "chosen_at_utc": datetime(2026, 6, 1, 12, tzinfo=UTC),
}


def test_a_line_names_the_raw_id_and_what_it_follows_from():
    (line,) = encode_list([ROW], {"token": "=ann,\n\u2028bob"}).decode("ascii").splitlines()
    assert json.loads(line) == {
        "experiment": "mailing.june",
        "unit": "=ann,\n\u2028bob",
        "variant": "new",
        "phase": "pilot",
        "plan": 2,
        "window": None,
        "audience": "2026-06-01",
        "batch": 3,
        "chosen_at": "2026-06-01T12:00:00+00:00",
    }


def test_who_has_no_raw_id_any_more_is_left_out():
    assert encode_list([ROW, ROW | {"unit": "erased"}], {"token": "ann"}).count(b"\n") == 1
    assert encode_list([], {}) == b""


def test_the_outbox_lies_beside_the_tables_of_the_lake(house):
    assert open_outbox(house.settings).url == f"{house.settings.lake_url}/_outbox"
