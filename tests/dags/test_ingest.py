from include.lake.contracts import Published, PublishedGroup, Settled

DAG = "campaign__ingest"
PUBLISHED = PublishedGroup({"2005-02": Published("published", n_published=3), "2005-01": Published("published")})
ABOUT = {"problem": "campaign", "partition_key": "2005-01", "run_id": "a-run"}


def test_every_problem_has_one_and_a_landed_partition_starts_it(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("ingest") == {"ad_review", "campaign", "flight_delay"}
    assert dags.woken_by(DAG) == ["landing/campaign"]
    assert no_dags.of("ingest") == set()
    assert dags_beside_a_broken_file.of("ingest") == {"ad_review", "flight_delay"}


def test_publishing_gets_what_was_staged_and_what_was_audited(dags):
    arguments = {"staged": {"done": {}}, "audit": {"done": {}}}
    answer = dags.run(
        DAG, "publish_partition", partition_key="2005-01", arguments=arguments, outcome=PUBLISHED.to_xcom()
    )
    (call,) = answer["called"]
    assert call == {"step": "include.lake.steps.publish_group", "arguments": ABOUT | arguments}
    assert answer["announced"] == {"lake/campaign": ["2005-01", "2005-02"]}
    assert dags.outlets(DAG, "publish_partition") == ["lake/campaign"]
    assert {"stage_partition", "audit_partition"} <= set(dags.tasks(DAG)["publish_partition"]["after"])


def test_what_is_outdated_is_skipped_and_not_announced(dags):
    outdated = Published("outdated", reason="a later run has published more of this partition")
    beside = PublishedGroup({"2005-01": outdated, "2005-02": Published("published")}).to_xcom()
    answer = dags.run(DAG, "publish_partition", partition_key="2005-01", outcome=beside)
    assert answer["announced"] == {"lake/campaign": ["2005-02"]}
    outcome = PublishedGroup({"2005-01": outdated}).to_xcom()
    answer = dags.run(DAG, "publish_partition", partition_key="2005-01", outcome=outcome)
    assert answer["skipped"] == "AirflowSkipException: a later run has published more of this partition"


def test_what_a_broken_run_has_settled_alone_is_announced(dags):
    settled, failed = Settled(("2005-01", "2005-02")).to_xcom(), Settled((), "ingest of 2005-01 is failed").to_xcom()
    answer = dags.run(DAG, "announce_settled", partition_key="2005-01", outcome=settled)
    assert answer["announced"] == {"lake/campaign": ["2005-01", "2005-02"]}
    answer = dags.run(DAG, "announce_settled", partition_key="2005-01", outcome=failed)
    assert (answer["outcome"]["reason"], answer["outlets"]) == ("ingest of 2005-01 is failed", [])


def test_a_run_without_a_partition_says_how_to_name_one_and_calls_no_step(dags):
    answer = dags.run(DAG, "stage_partition")
    assert answer["error"].startswith("UnknownPartitionKey: Run a-run of campaign__ingest names no partition.")
    assert "--partition-key KEY" in answer["error"]
    assert answer["called"] == []


def test_a_refused_partition_is_announced_as_settled_and_the_run_stays_red(dags):
    task = dags.tasks(DAG)["announce_settled"]
    assert (task["after"], task["trigger_rule"]) == (["publish_partition"], "one_failed")
    assert dags.outlets(DAG, "announce_settled") == ["lake/campaign"]
    assert dags.red_when_fails(DAG) == set(dags.tasks(DAG))
