FORM = {"problem": "ad_review", "to_version": "previous", "reason": "it is wrong"}


def test_a_person_starts_it_for_one_of_the_problems_that_train(dags, no_dags, dags_beside_a_broken_file):
    assert dags.by_id["rollback"]["schedule"] is None
    assert no_dags.by_id.keys() & {"rollback"} == set()
    assert dags.by_id["rollback"]["schemas"]["problem"]["enum"] == ["ad_review", "flight_delay"]
    assert dags_beside_a_broken_file.by_id["rollback"]["schemas"]["problem"]["enum"] == ["ad_review", "flight_delay"]


def test_the_step_is_told_the_form_and_who_filled_it_in(dags):
    (call,) = dags.run("rollback", "roll_back", params=FORM, user="ann")["called"]
    assert call == {
        "step": "include.learning.steps.roll_back",
        "arguments": FORM | {"actor": "ann", "run_id": "a-run"},
    }
    (call,) = dags.run("rollback", "roll_back", params=FORM)["called"]
    assert call["arguments"]["actor"] == "a-run"


def test_only_the_problem_on_the_form_is_scored_again(dags):
    outcome = {"keys": ["round-001"]}
    own = dags.run("rollback", "list_rescorable__ad_review", params=FORM, outcome=outcome)
    other = dags.run("rollback", "list_rescorable__flight_delay", params=FORM, outcome=outcome)
    assert own["announced"] == {"model/ad_review": ["round-001"]}
    assert (other["skipped"], other["announced"]) == ("AirflowSkipException: The form names ad_review.", {})


def test_a_field_that_is_not_on_the_form_is_refused_before_the_step(dags):
    answer = dags.run("rollback", "roll_back", params=FORM | {"version": "v1"})
    assert answer["error"].startswith("BadForm: 1 of the 4 fields")
    assert answer["called"] == []


def test_a_version_that_cannot_be_returned_to_is_red_and_announces_nothing(dags):
    assert dags.run("rollback", "roll_back", params=FORM, error="CannotRollBack")["error"]
    assert "roll_back" in dags.red_when_fails("rollback")
