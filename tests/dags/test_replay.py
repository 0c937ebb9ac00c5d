from include.lake.contracts import Settled

FORM = {"problem": "campaign", "partitions": ["2005-01"], "reason": "mended"}


def test_a_person_starts_it_for_any_problem_with_a_lake(dags, no_dags, dags_beside_a_broken_file):
    assert dags.by_id["replay"]["schedule"] is None
    assert no_dags.by_id.keys() & {"replay"} == set()
    assert dags.by_id["replay"]["schemas"]["problem"]["enum"] == ["ad_review", "campaign", "flight_delay"]
    assert dags_beside_a_broken_file.by_id["replay"]["schemas"]["problem"]["enum"] == ["ad_review", "flight_delay"]


def test_each_partition_is_staged_audited_and_published_in_turn(dags):
    answer = dags.run("replay", "publish_replay", params=FORM, chosen_key="2005-01", outcome={"n_published": 2})
    steps = [
        "include.lake.steps.stage_replay",
        "include.quality.steps.audit_replay",
        "include.lake.steps.publish_replay",
    ]
    assert [call["step"] for call in answer["called"]] == steps
    assert {call["arguments"]["partition_key"] for call in answer["called"]} == {"2005-01"}
    assert set(answer["called"][2]["arguments"]) >= {"staged", "audit"}


def test_a_partition_with_nothing_to_replay_is_skipped_before_the_audit(dags):
    outcome = {"is_over": True, "reason": "no row is in quarantine"}
    answer = dags.run("replay", "publish_replay", params=FORM, chosen_key="2005-01", outcome=outcome)
    assert answer["skipped"] == "AirflowSkipException: no row is in quarantine"
    assert len(answer["called"]) == 1


def test_the_partitions_that_were_replayed_are_announced_though_another_is_red(dags):
    answer = dags.run("replay", "list_replayed__campaign", params=FORM, outcome=Settled(("2005-01",)).to_xcom())
    assert answer["announced"] == {"lake/campaign": ["2005-01"]}
    assert dags.tasks("replay")["list_replayed__campaign"]["trigger_rule"] == "all_done"


def test_a_partition_that_fails_makes_the_run_red_though_others_are_announced(dags):
    answer = dags.run("replay", "publish_replay", params=FORM, chosen_key="2005-01", error="PartitionRefused")
    assert answer["error"] == "PartitionRefused: as the test says"
    assert {"choose_quarantined", "publish_replay"} <= dags.red_when_fails("replay")
