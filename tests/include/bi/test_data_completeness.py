COUNTS = ("partition_key", "n_landed", "n_in", "n_published", "n_quarantined", "n_duplicate", "verdict", "first_reason")


def landed(fill, *keys, n_rows=10):
    fill("landing_partition", *({"partition_key": key, "object_key": f"{key}.jsonl", "n_rows": n_rows} for key in keys))


def test_an_audited_partition_shows_its_counts_and_the_first_reason(fill, read):
    landed(fill, "2002-01")
    audit = {
        "n_in": 10,
        "n_published": 7,
        "n_quarantined": 2,
        "n_duplicate": 1,
        "n_refused": 0,
        "n_withdrawn": 0,
        "verdict": "published_with_warnings",
    }
    fill("partition_audit", audit | {"first_reason": "year 102"}, partition_key="2002-01")
    fill("coverage", partition_key="2002-01", stage="ingest", status="done")
    expected = ("2002-01", 10, 10, 7, 2, 1, "published_with_warnings", "year 102")
    assert read("data_completeness", *COUNTS) == [expected]


def test_landed_partitions_that_were_not_ingested_say_how_far_they_came(fill, read):
    landed(fill, "2002-01", "2002-02", "2002-03")
    fill("coverage", {"partition_key": "2002-02", "status": "running"}, stage="ingest")
    fill("coverage", {"partition_key": "2002-03", "status": "failed", "detail": "no disk"}, stage="ingest")
    assert read("data_completeness", "partition_key", "n_in", "n_published", "verdict", "first_reason") == [
        ("2002-01", 10, 0, "waiting", None),
        ("2002-02", 10, 0, "running", None),
        ("2002-03", 10, 0, "failed", "no disk"),
    ]


def test_late_records_put_a_published_partition_back_to_waiting_with_its_old_counts(fill, read):
    landed(fill, "2002-01", n_rows=12)
    counts = {"n_in": 10, "n_published": 10, "n_quarantined": 0, "n_duplicate": 0, "n_refused": 0, "n_withdrawn": 0}
    fill("partition_audit", counts, partition_key="2002-01")
    fill("coverage", partition_key="2002-01", stage="ingest", status="waiting", detail="2 late records")
    expected = ("2002-01", 12, 10, 10, "waiting", "2 late records")
    columns = ("partition_key", "n_landed", "n_in", "n_published", "verdict", "first_reason")
    assert read("data_completeness", *columns) == [expected]


def test_objects_of_one_partition_add_up_and_a_refused_one_is_refused(fill, read):
    fill("landing_partition", {"object_key": "a", "n_rows": 3}, {"object_key": "b", "n_rows": 4}, partition_key="k")
    counts = {"n_in": 7, "n_published": 0, "n_quarantined": 1, "n_duplicate": 1, "n_refused": 5, "n_withdrawn": 0}
    fill("partition_audit", counts, partition_key="k", verdict="refused", first_reason="key not unique")
    fill("coverage", {"stage": "ingest", "status": "refused"}, {"stage": "land", "status": "done"}, partition_key="k")
    assert read("data_completeness", "n_landed", "n_in", "n_refused", "verdict", "first_reason") == [
        (7, 7, 5, "refused", "key not unique")
    ]


def test_other_stages_and_other_problems_do_not_mix_in(fill, read):
    landed(fill, "2002-01")
    fill("coverage", partition_key="2013-09", stage="train", status="done")
    fill("coverage", problem="q", partition_key="2002-01", stage="ingest", status="failed")
    assert read("data_completeness", "problem", "verdict", by="problem") == [("p", "waiting"), ("q", "failed")]


def test_a_refused_partition_says_what_a_bare_read_of_the_lake_still_sees(fill, read):
    counts = {"n_in": 7, "n_published": 0, "n_quarantined": 1, "n_duplicate": 0, "n_refused": 6, "n_withdrawn": 0}
    counts |= {"n_in_lake": 5}
    fill("partition_audit", counts, partition_key="k", verdict="refused")
    assert read("data_completeness", "n_published", "n_in_lake", "verdict") == [(0, 5, "refused")]


def test_withdrawn_records_are_counted_and_stay_part_of_what_came_in(fill, read):
    landed(fill, "k", n_rows=7)
    counts = {"n_in": 7, "n_published": 0, "n_quarantined": 0, "n_duplicate": 0, "n_refused": 0, "n_withdrawn": 7}
    fill("partition_audit", counts, partition_key="k", verdict="withdrawn", first_reason="all 7 records are of ...")
    fill("coverage", partition_key="k", stage="ingest", status="refused")
    assert read("data_completeness", "n_landed", "n_in", "n_withdrawn", "verdict") == [(7, 7, 7, "withdrawn")]
