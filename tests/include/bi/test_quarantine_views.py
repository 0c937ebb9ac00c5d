from datetime import UTC, datetime


def test_quarantined_rows_are_counted_by_reason_with_the_first_as_example(fill, read):
    fill(
        "rejected_record",
        {"partition_key": "2002-09", "reason": "sent_at is missing", "n_rows": 2, "example": "a:4"},
        {"partition_key": "2002-08", "reason": "sent_at is missing", "n_rows": 3, "example": "b:1"},
        {"partition_key": "2002-08", "reason": "record is not JSON", "n_rows": 1, "example": "b:9"},
        {"partition_key": "2002-10", "reason": "sent_at is missing", "n_rows": 8, "example": "c:1", "problem": "q"},
    )
    columns = ("problem", "reason", "n_rows", "n_partitions", "first_partition_key", "last_partition_key", "example")
    assert read("quarantine_by_reason", *columns, by="problem, reason") == [
        ("p", "record is not JSON", 1, 1, "2002-08", "2002-08", "b:9"),
        ("p", "sent_at is missing", 5, 2, "2002-08", "2002-09", "b:1"),
        ("q", "sent_at is missing", 8, 1, "2002-10", "2002-10", "c:1"),
    ]


def test_every_replay_says_who_ran_what_again_why_and_what_came_of_it(fill, read):
    counts = {"n_tried": 6, "n_published": 3, "n_quarantined": 2, "n_duplicate": 1}
    fill("replay", counts, run_id="r1", actor="kim", reason="dates mended", verdict="published")
    fill("replay", counts | {"n_published": 0, "n_quarantined": 6, "n_duplicate": 0}, run_id="r2", verdict="refused")
    columns = ("run_id", "actor", "reason", "verdict", "n_tried", "n_published", "n_quarantined", "n_duplicate")
    assert read("replay_history", *columns, by="run_id") == [
        ("r1", "kim", "dates mended", "published", 6, 3, 2, 1),
        ("r2", "x", "x", "refused", 6, 0, 6, 0),
    ]
    assert read("replay_history", "replayed_at_utc") == [datetime(2013, 7, 1, tzinfo=UTC)] * 2


def test_each_audited_partition_has_its_page(fill, read):
    fill("data_docs", {"partition_key": "a", "html": "<p>1</p>"}, {"partition_key": "b", "html": "<p>é2</p>"})
    assert read("data_docs_page", "partition_key", "html", by="partition_key") == [
        ("a", "<p>1</p>"),
        ("b", "<p>é2</p>"),
    ]
    assert read("data_docs", "n_html_bytes", by="partition_key") == [8, 10]
