def test_every_problem_has_one_once_a_night(dags, no_dags, dags_beside_a_broken_file):
    assert dags.of("upkeep") == {"ad_review", "campaign", "flight_delay"}
    assert {dags.by_id[f"{problem}__upkeep"]["schedule"] for problem in dags.of("upkeep")} == {"30 3 * * *"}
    assert no_dags.of("upkeep") == set()
    assert dags_beside_a_broken_file.of("upkeep") == {"ad_review", "flight_delay"}


def test_it_keeps_up_its_own_problem_and_wakes_nobody(dags):
    answer = dags.run("campaign__upkeep", "keep_up", outcome={"n_removed": 3})
    (call,) = answer["called"]
    assert call == {"step": "include.lake.steps.keep_up", "arguments": {"problem": "campaign", "run_id": "a-run"}}
    assert dags.outlets("campaign__upkeep", "keep_up") == []


def test_a_writer_that_came_between_is_red(dags):
    assert dags.run("campaign__upkeep", "keep_up", error="LakeConflict")["error"] == "LakeConflict: as the test says"
    assert dags.red_when_fails("campaign__upkeep") == {"keep_up"}
