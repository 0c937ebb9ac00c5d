import re

FORM = {"problem": "campaign", "subject": "0a:1b", "reason": "asked by letter"}


def test_a_person_starts_it_for_any_problem_with_a_lake(dags, no_dags, dags_beside_a_broken_file):
    assert dags.by_id["erase"]["schedule"] is None
    assert no_dags.by_id.keys() & {"erase"} == set()
    assert dags.by_id["erase"]["schemas"]["problem"]["enum"] == ["ad_review", "campaign", "flight_delay"]
    assert dags_beside_a_broken_file.by_id["erase"]["schemas"]["problem"]["enum"] == ["ad_review", "flight_delay"]


def test_both_steps_are_told_the_form_and_who_filled_it_in(dags):
    for task in ("erase_subject", "prove_erased"):
        (call,) = dags.run("erase", task, params=FORM, user="ann")["called"]
        assert call == {"step": f"include.lake.steps.{task}", "arguments": FORM | {"actor": "ann", "run_id": "a-run"}}


def test_the_proof_comes_after_the_erasure_and_finding_somebody_is_red(dags):
    assert dags.tasks("erase")["prove_erased"]["after"] == ["erase_subject"]
    assert dags.run("erase", "prove_erased", params=FORM, error="NotErased")["error"] == "NotErased: as the test says"
    assert dags.red_when_fails("erase") == {"erase_subject", "prove_erased"}


def test_a_name_instead_of_a_token_is_not_taken_by_the_form(dags):
    pattern = dags.by_id["erase"]["schemas"]["subject"]["pattern"]
    assert not re.search(pattern, "jane@example.org")
    assert re.search(pattern, f"{'0a' * 4}:{'1b' * 16}")
