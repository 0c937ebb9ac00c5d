from concurrent.futures import ThreadPoolExecutor

import pytest

from include.errors import BadPartition, BadProbabilities, MulgilError
from include.names import Coverage, Stage
from include.review.steps import answer_batch, choose_batch
from include.warehouse import coverage
from tests.include.review.conftest import MAILS, MONTHS, PROBLEM, Desk

# Doubt falls with the number of the mail: mail-00 is a dead heat, mail-19 all but certain.
FALLING_DOUBT = {mail: 0.5 + index * 0.025 for index, mail in enumerate(MAILS)}


def choose(key: str, run_id: str = "r1"):
    return choose_batch(problem=PROBLEM, partition_key=key, run_id=run_id)


def answer(batch_id: str, run_id: str = "r1"):
    return answer_batch(problem=PROBLEM, partition_key=batch_id, run_id=run_id)


def play_first_round(desk: Desk) -> None:
    desk.publish(*MONTHS)
    choose("2002-09")
    answer("round-001")


def test_the_first_batch_waits_until_every_landed_partition_is_settled(desk):
    desk.publish("2002-08")
    desk.mark(Stage.LAND, "2002-09", Coverage.DONE)
    outcome = choose("2002-08")
    assert outcome["batch_id"] is None
    assert "1 of 2 landed partitions are not settled yet (first: 2002-09)" in outcome["reason"]
    assert desk.batches == []


def test_a_refused_partition_holds_nothing_up_and_gives_no_items(desk):
    desk.publish("2002-08")
    desk.mark(Stage.LAND, "2002-09", Coverage.DONE)
    desk.mark(Stage.INGEST, "2002-09", Coverage.REFUSED)
    assert choose("2002-08")["batch_id"] == "round-001"
    assert {item["partition_key"] for item in desk.items} == {"2002-08"}


def test_where_nothing_is_published_nothing_is_asked(desk):
    desk.mark(Stage.LAND, "2002-08", Coverage.DONE)
    desk.mark(Stage.INGEST, "2002-08", Coverage.REFUSED)
    assert "nothing is published" in choose("2002-08")["reason"]


def test_the_first_batch_is_drawn_by_chance_alone(desk):
    desk.publish(*MONTHS)
    assert choose("2002-09")["n_items"] == 10
    batch = desk.batches[0]
    assert (batch["n_pool"], batch["model_version"], batch["status"], batch["opened_by"]) == (
        20,
        None,
        "open",
        "2002-09",
    )
    assert {(item["arm"], item["inclusion_probability"], item["entropy_nats"]) for item in desk.items} == {
        ("random", 0.5, None)
    }
    assert sorted(item["position"] for item in desk.items) == list(range(1, 11))
    assert all(MAILS[item["item_id"]] == item["partition_key"] for item in desk.items)


def test_a_repeated_wake_up_names_its_open_batch_again_and_opens_no_second(desk):
    desk.publish(*MONTHS)
    first = choose("2002-09")
    items = desk.items
    again = choose("2002-09", run_id="r2")
    assert (again["batch_id"], again["n_items"]) == (first["batch_id"], 10)
    assert desk.items == items
    assert len(desk.batches) == 1


def test_another_wake_up_finds_the_desk_taken(desk):
    desk.publish(*MONTHS)
    choose("2002-08")
    outcome = choose("2002-09")
    assert (outcome["batch_id"], outcome["reason"]) == (None, "round-001 is still open")


def test_two_wake_ups_at_the_same_time_open_one_batch(desk):
    desk.publish(*MONTHS)
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(choose, MONTHS))
    assert sorted(str(outcome["batch_id"]) for outcome in outcomes) == ["None", "round-001"]
    assert len(desk.batches) == 1
    assert len(desk.items) == 10


def test_a_published_partition_opens_no_second_round(desk):
    play_first_round(desk)
    assert "only the first batch" in choose("2002-08")["reason"]
    assert len(desk.batches) == 1


def test_a_repeated_wake_up_after_the_answers_opens_nothing(desk):
    play_first_round(desk)
    assert choose("2002-09", run_id="r2")["batch_id"] is None


def test_the_second_round_asks_about_doubt_and_about_nothing_that_has_a_label(desk):
    play_first_round(desk)
    labelled = {label["item_id"] for label in desk.labels}
    desk.write_problem(budget=5)
    desk.predict(FALLING_DOUBT)
    assert choose("round-001")["batch_id"] == "round-002"
    items = [item for item in desk.items if item["batch_id"] == "round-002"]
    assert not labelled & {item["item_id"] for item in items}
    drawn = {item["item_id"] for item in items if item["arm"] == "random"}
    left = [mail for mail in sorted(MAILS) if mail not in labelled | drawn]
    assert len(drawn) == 2
    assert {item["item_id"] for item in items if item["arm"] == "entropy"} == set(left[:3])
    assert {item["inclusion_probability"] for item in items} == {2 / 10, 1.0}
    assert all(item["p_positive"] == FALLING_DOUBT[item["item_id"]] for item in items)
    assert (desk.batches[1]["model_version"], desk.batches[1]["n_pool"], desk.batches[1]["round_number"]) == (
        "v1",
        10,
        2,
    )


def test_only_the_newest_models_opinion_counts(desk):
    play_first_round(desk)
    desk.predict(FALLING_DOUBT, "v1")
    desk.predict({mail: p for mail, p in FALLING_DOUBT.items() if MAILS[mail] == "2002-08"}, "v2")
    choose("round-001")
    second = [item for item in desk.items if item["batch_id"] == "round-002"]
    assert desk.batches[1]["model_version"] == "v2"
    assert {item["partition_key"] for item in second if item["arm"] == "entropy"} <= {"2002-08"}


def test_without_a_promoted_model_the_next_round_is_drawn_by_chance_too(desk):
    play_first_round(desk)
    outcome = choose("round-001")
    assert outcome["batch_id"] == "round-002"
    assert "no model has scored the pool" in outcome["reason"]


def test_a_prediction_that_is_no_probability_opens_no_batch(desk):
    play_first_round(desk)
    desk.predict(dict.fromkeys(MAILS, float("nan")))
    with pytest.raises(BadProbabilities, match="10 of 10"):
        choose("round-001")
    assert len(desk.batches) == 1


def test_a_round_that_is_not_the_latest_answered_one_opens_nothing(desk):
    play_first_round(desk)
    desk.predict(FALLING_DOUBT)
    choose("round-001")
    desk.write_truth(dict.fromkeys(MAILS, "unsolicited"))
    answer("round-002")
    assert "not the latest answered batch (that is round-002)" in choose("round-001", "r3")["reason"]
    assert "that is round-002" in choose("round-007")["reason"]


def test_a_round_before_any_batch_opens_nothing(desk):
    desk.publish(*MONTHS)
    assert "that is none" in choose("round-001")["reason"]


def test_after_the_last_round_nobody_is_asked_any_more(desk):
    desk.write_problem(max_rounds=1)
    play_first_round(desk)
    assert choose("round-001")["reason"] == "all 1 rounds are answered"


def test_when_everything_has_a_label_there_is_nothing_to_ask(desk):
    desk.write_problem(budget=50)
    play_first_round(desk)
    assert choose("round-001")["reason"] == "every published item has a label"


def test_a_problem_that_asks_nobody_is_refused(desk, monkeypatch):
    monkeypatch.delenv("MULGIL_PROBLEMS_DIR")
    with pytest.raises(MulgilError, match="no section `review`"):
        choose_batch(problem="flight_delay", partition_key="2013-01")


def test_the_demo_reviewer_answers_everything_in_its_own_name(desk):
    desk.write_truth({mail: "unsolicited" if index % 2 else "wanted" for index, mail in enumerate(MAILS)})
    desk.publish(*MONTHS)
    choose("2002-09")
    assert answer("round-001")["n_answered"] == 10
    assert {(label["labelled_by"], label["is_demo"], label["arm"]) for label in desk.labels} == {
        ("demo-reviewer", True, "random")
    }
    assert all((label["label"] == "unsolicited") == bool(int(label["item_id"][-1]) % 2) for label in desk.labels)
    assert (desk.batches[0]["status"], desk.batches[0]["answered_at_utc"]) == (
        "answered",
        desk.labels[0]["labelled_at_utc"],
    )


def test_answering_twice_changes_nothing(desk):
    play_first_round(desk)
    before = desk.labels, desk.batches
    assert answer("round-001", "r2")["n_answered"] == 0
    assert (desk.labels, desk.batches) == before


def test_the_coverage_says_that_a_batch_waits_and_that_it_is_done(desk):
    desk.publish(*MONTHS)
    choose("2002-09")
    with desk.engine.connect() as connection:
        assert coverage.read_statuses(connection, PROBLEM, Stage.REVIEW) == {"round-001": Coverage.WAITING}
    answer("round-001")
    with desk.engine.connect() as connection:
        assert coverage.read_statuses(connection, PROBLEM, Stage.REVIEW) == {"round-001": Coverage.DONE}


def test_where_nobody_asked_for_it_recorded_truth_answers_nothing(desk, monkeypatch):
    desk.publish(*MONTHS)
    choose("2002-09")
    monkeypatch.delenv("MULGIL_DEMO_REVIEWER")
    with pytest.raises(MulgilError, match=r"demo reviewer is off.*MULGIL_DEMO_REVIEWER=1"):
        answer("round-001")
    assert (desk.labels, desk.batches[0]["status"]) == ([], "open")


@pytest.mark.parametrize("recorded", [None, "spam"])
def test_items_without_usable_truth_stay_on_the_desk_and_the_others_are_answered(desk, recorded):
    desk.publish(*MONTHS)
    choose("2002-09")
    missing = next(item["item_id"] for item in desk.items if item["position"] == 4)
    desk.write_truth(dict.fromkeys(MAILS, "wanted") | {missing: recorded})
    with pytest.raises(MulgilError, match=rf"1 of 10 items of round-001 .*first: '{missing}'.*stays open"):
        answer("round-001")
    assert len(desk.labels) == 9
    assert desk.batches[0]["status"] == "open"
    desk.write_truth(dict.fromkeys(MAILS, "wanted"))
    assert answer("round-001")["n_answered"] == 1
    assert desk.batches[0]["status"] == "answered"


def test_without_a_truth_file_the_batch_stays_open_and_the_error_counts(desk):
    desk.publish(*MONTHS)
    choose("2002-09")
    desk.truth_path.unlink()
    with pytest.raises(MulgilError, match=r"0 of 10 items can be answered.*truth\.parquet"):
        answer("round-001")
    assert desk.batches[0]["status"] == "open"


def test_a_batch_that_does_not_exist_is_named_with_those_that_do(desk):
    desk.publish(*MONTHS)
    choose("2002-09")
    with pytest.raises(BadPartition, match=r"no batch 'round-009'.*round-001"):
        answer("round-009")
