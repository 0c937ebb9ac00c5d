from include.landing.contracts import LostPartitions, Withdrawn

FORM = {"problem": "campaign", "objects": ["campaign/a.parquet"], "action": "withdraw", "reason": "another airport"}


def test_a_person_starts_it_for_any_problem_that_lands(dags, no_dags, dags_beside_a_broken_file):
    assert dags.by_id["withdraw"]["schedule"] is None
    assert no_dags.by_id.keys() & {"withdraw"} == set()
    assert dags.by_id["withdraw"]["schemas"]["problem"]["enum"] == ["ad_review", "campaign", "flight_delay"]
    assert dags_beside_a_broken_file.by_id["withdraw"]["schemas"]["problem"]["enum"] == ["ad_review", "flight_delay"]
    assert dags.by_id["withdraw"]["schemas"]["objects"]["minItems"] == 1


def test_the_step_is_told_the_form_and_who_filled_it_in(dags):
    outcome = Withdrawn(("a",), 1, 4, ("2005-01",)).to_xcom()
    for task in ("withdraw_objects", "mark_trained_models"):
        (call,) = dags.run("withdraw", task, params=FORM, user="ann", outcome=outcome)["called"]
        assert call["step"] == f"include.landing.steps.{task}"
        assert call["arguments"] == FORM | {"actor": "ann", "run_id": "a-run"}


def test_only_the_partitions_of_the_problem_on_the_form_are_ingested_anew(dags):
    outcome = LostPartitions(("2005-01",)).to_xcom()
    own = dags.run("withdraw", "list_withdrawn__campaign", params=FORM, outcome=outcome)
    other = dags.run("withdraw", "list_withdrawn__ad_review", params=FORM, outcome=outcome)
    assert own["announced"] == {"landing/campaign": ["2005-01"]}
    assert (other["skipped"], other["announced"]) == ("AirflowSkipException: The form names campaign.", {})


def test_a_second_withdrawal_announces_nothing(dags):
    answer = dags.run("withdraw", "list_withdrawn__campaign", params=FORM, outcome=LostPartitions(()).to_xcom())
    assert answer["announced"] == {}
    assert answer["skipped"].startswith("AirflowSkipException")


def test_a_wrong_form_is_red_and_nothing_follows(dags):
    assert dags.run("withdraw", "withdraw_objects", params=FORM, error="BadForm")["error"]
    assert {"withdraw_objects", "mark_trained_models"} <= dags.red_when_fails("withdraw")
    answer = dags.run("withdraw", "withdraw_objects", params=FORM | {"object": "x"})
    assert answer["error"].startswith("BadForm: 1 of the 5 fields")
