def covered(stage, key, status="done", **changes):
    return {"stage": stage, "partition_key": key, "status": status, "n_failures": 0} | changes


COLUMNS = ("stage", "dag_id", "partition_key", "status", "n_waiting", "n_failed")


def test_the_oldest_that_is_not_settled_is_named_with_how_many(fill, read):
    fill("coverage", *(covered("land", key) for key in ("2026-01", "2026-02", "2026-03", "2026-04")))
    fill("coverage", covered("ingest", "2026-01"), covered("ingest", "2026-02", "failed"))
    fill("coverage", covered("ingest", "2026-03", "running"), covered("ingest", "2026-04", "refused"))
    assert read("oldest_waiting", *COLUMNS) == [("ingest", "p__ingest", "2026-02", "failed", 2, 1)]


def test_what_landed_and_was_lost_on_its_way_waits(fill, read):
    fill("coverage", covered("land", "2026-01"), covered("land", "2026-02"), covered("ingest", "2026-02"))
    assert read("oldest_waiting", *COLUMNS) == [("ingest", "p__ingest", "2026-01", "waiting", 1, 0)]


def test_what_is_published_and_never_measured_waits_where_others_are(fill, read):
    fill("coverage", *(covered("ingest", key) for key in ("2026-01", "2026-02")))
    assert read("oldest_waiting", *COLUMNS) == []
    fill("feature_drift", {"partition_key": "2026-02", "feature": "speed"})
    assert read("oldest_waiting", *COLUMNS) == [("monitor", "p__monitor", "2026-01", "waiting", 1, 0)]
    fill("coverage", covered("monitor", "2026-01"))
    assert read("oldest_waiting", *COLUMNS) == []


def test_rounds_stand_in_the_order_of_their_numbers(fill, read):
    fill("coverage", covered("review", "round-1000", "waiting"), covered("review", "round-999", "waiting"))
    assert read("oldest_waiting", *COLUMNS) == [("review", "p__review", "round-999", "waiting", 2, 0)]


def test_a_problem_without_anything_that_waits_has_no_row(fill, read):
    fill("coverage", covered("land", "2026-01"), covered("ingest", "2026-01"))
    assert read("oldest_waiting", *COLUMNS) == []
