from datetime import UTC, datetime

JULY, AUGUST = datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 8, 1, tzinfo=UTC)


def test_every_upkeep_says_what_it_did_or_why_it_failed(fill, read):
    did = {"n_compacted": 3, "n_outlived": 1, "n_snapshots": 7, "n_files": 19}
    fill("run_step", {"run_id": "a", "outcome": did}, step="keep_up", status="done")
    fill("run_step", {"run_id": "b", "outcome": {"error": "LakeConflict"}}, step="keep_up", status="failed")
    fill("run_step", {"run_id": "c", "outcome": {"n_files": 1}}, step="erase_subject", status="done")
    columns = ("run_id", "status", "n_compacted", "n_outlived", "n_snapshots", "n_files", "error")
    assert read("upkeep_history", *columns, by="run_id") == [
        ("a", "done", 3, 1, 7, 19, None),
        ("b", "failed", None, None, None, None, "LakeConflict"),
    ]


def test_what_was_withdrawn_says_by_whom_why_and_whether_it_has_left(fill, read):
    base = {"object_key": "a|\u2028.jsonl", "n_rows": 3, "actor": "kim", "reason": "another airport"}
    fill("withdrawal", base | {"partition_key": "2013-01", "left_at_utc": AUGUST}, {**base, "partition_key": "2013-02"})
    let_in = {"restored_at_utc": AUGUST, "restored_by": "lee", "restored_reason": "it was right"}
    fill("withdrawal", base | let_in | {"partition_key": "2013-01", "run_id": "before"})
    columns = ("partition_key", "n_rows", "reason", "left_at_utc", "restored_by", "is_withdrawn")
    assert read("withdrawal_history", *columns, by="run_id = 'before', partition_key") == [
        ("2013-01", 3, "another airport", AUGUST, None, True),
        ("2013-02", 3, "another airport", None, None, True),
        ("2013-01", 3, "another airport", None, "lee", False),
    ]


def test_every_erased_person_is_one_row_whatever_the_keys_and_the_first_reason_stays(fill, read):
    ours = {"subject_id": "s", "proven_at_utc": None}
    fill(
        "erased_subject", ours | {"key_id": "new", "n_rows": 4, "asked_at_utc": AUGUST, "actor": "lee", "reason": "2nd"}
    )
    fill("erased_subject", ours | {"key_id": "old", "n_rows": 4, "asked_at_utc": JULY, "actor": "kim", "reason": "1st"})
    fill("erased_subject", {"subject_id": "t", "n_rows": 0, "asked_at_utc": AUGUST, "proven_at_utc": AUGUST})
    assert read("erasure_history", "asked_at_utc", "actor", "reason", "n_rows", "proven_at_utc", by="1") == [
        (JULY, "kim", "1st", 4, None),
        (AUGUST, "x", "x", 0, AUGUST),
    ]
