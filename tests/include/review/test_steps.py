from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, insert

from include.errors import BadProbabilities, MulgilError, UnknownBatch
from include.names import Coverage, Stage
from include.review.steps import answer_batch, choose_batch
from include.warehouse import coverage
from include.warehouse.tables.desk import REVIEW_PASS
from include.warehouse.tables.learning import MODEL_METRIC
from include.warehouse.tables.review import LABEL
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


def measure_losses(desk, version: str, *, model: float, base_rate: float) -> None:
    """Write down the held-out log loss of a version (named x) and of the base rate, as training would."""
    keys = {"problem": PROBLEM, "model_version": version, "metric": "log_loss", "n_rows": 50}
    with desk.engine.begin() as connection:
        for candidate, loss in (("x", model), ("dummy", base_rate)):
            connection.execute(insert(MODEL_METRIC), keys | {"candidate": candidate, "value": loss})


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


def test_the_first_batch_is_mostly_chance_and_else_what_the_pool_is_like(desk):
    desk.publish(*MONTHS)
    assert choose("2002-09")["n_items"] == 10
    batch = desk.batches[0]
    assert (batch["n_pool"], batch["model_version"], batch["status"], batch["opened_by"]) == (
        20,
        None,
        "open",
        "2002-09",
    )
    assert Counter((item["arm"], item["inclusion_probability"], item["entropy_nats"]) for item in desk.items) == {
        ("random", 7 / 20, None): 7,
        ("spread", 1.0, None): 3,
    }
    assert batch["strategy"] == "spread"
    assert Counter(item["n_answers_wanted"] for item in desk.items) == {1: 9, 2: 1}
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


def test_the_second_round_asks_about_doubt_and_about_nothing_that_has_a_label(desk, make_version):
    play_first_round(desk)
    make_version("v1", threshold_ratio=0.5)
    measure_losses(desk, "v1", model=0.3, base_rate=0.6)
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


def test_a_model_that_was_never_measured_is_not_believed_and_the_pool_is_covered(desk):
    play_first_round(desk)
    desk.predict(FALLING_DOUBT)
    choose("round-001")
    second = [item["arm"] for item in desk.items if item["batch_id"] == "round-002"]
    assert set(second) == {"random", "spread"}


def test_only_the_newest_models_opinion_counts(desk):
    play_first_round(desk)
    desk.predict(FALLING_DOUBT, "v1")
    desk.predict({mail: p for mail, p in FALLING_DOUBT.items() if MAILS[mail] == "2002-08"}, "v2")
    choose("round-001")
    second = [item for item in desk.items if item["batch_id"] == "round-002"]
    assert desk.batches[1]["model_version"] == "v2"
    assert {item["p_positive"] is None for item in second if item["partition_key"] != "2002-08"} <= {True}


def test_without_a_promoted_model_the_next_round_is_drawn_by_chance_too(desk):
    play_first_round(desk)
    outcome = choose("round-001")
    assert outcome["batch_id"] == "round-002"
    assert "no model has scored the pool" in outcome["reason"]


def test_a_prediction_that_is_no_probability_opens_no_batch(desk):
    play_first_round(desk)
    desk.predict(dict.fromkeys(MAILS, float("nan")))
    with pytest.raises(BadProbabilities, match="20 of the first 20"):
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
    assert {(label["labelled_by"], label["is_demo"]) for label in desk.labels} == {("demo-reviewer", True)}
    assert {label["item_id"]: label["arm"] for label in desk.labels} == {
        item["item_id"]: item["arm"] for item in desk.items
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
    with pytest.raises(UnknownBatch, match=r"no batch 'round-009'.*round-001"):
        answer("round-009")


def test_gold_from_the_file_is_mixed_in_and_carries_its_answer(desk):
    desk.write_problem(gold_share=0.2)
    lines = [f'{{"mail_id": "mail-{row:02d}", "partition_key": "2002-08", "label": "wanted"}}' for row in range(8)]
    (desk.truth_path.parent / "gold.jsonl").write_text("\n".join(lines), encoding="utf-8")
    desk.publish(*MONTHS)
    assert choose("2002-09")["n_items"] == 10
    gold = [item for item in desk.items if item["arm"] == "gold"]
    assert {(item["gold_label"], item["inclusion_probability"]) for item in gold} == {("wanted", 2 / 8)}
    assert len(gold) == 2


def test_items_that_need_care_are_routed_and_covered(desk):
    desk.write_problem(
        routes=[
            {"when": "_row_key < 'mail-05'", "skill": "trained", "is_sensitive": True},
            {"when": "_row_key < 'mail-12'", "is_sensitive": True},
        ],
        budget=20,
    )
    desk.publish(*MONTHS)
    choose("2002-09")
    care = {item["item_id"]: (item["skill"], item["is_sensitive"]) for item in desk.items}
    assert care["mail-03"] == ("trained", True)
    assert care["mail-11"] == (None, True)
    assert care["mail-12"] == (None, False)


def test_when_the_labels_change_no_decision_any_more_nobody_is_asked(desk, make_version):
    desk.write_problem(budget=3, max_rounds=9, stop={"change_below": 0.1, "rounds": 1})
    play_first_round(desk)
    for version, key in (("v1", "round-001"), ("v2", "round-002")):
        make_version(version, threshold_ratio=0.6)
        desk.predict(FALLING_DOUBT, version)
        outcome = choose(key)
        if outcome["batch_id"]:
            answer(outcome["batch_id"])
    assert "changed at most 0.00% of the decisions" in outcome["reason"]
    assert [batch["batch_id"] for batch in desk.batches] == ["round-001", "round-002"]


def test_a_decision_that_changed_is_counted_by_each_models_own_threshold(desk, make_version):
    desk.write_problem(budget=3, max_rounds=9)
    play_first_round(desk)
    for version, key, threshold in (("v1", "round-001", 0.6), ("v2", "round-002", 0.7)):
        make_version(version, threshold_ratio=threshold)
        desk.predict(FALLING_DOUBT, version)
        answer(choose(key)["batch_id"])
    # Of twenty mails at 0.5, 0.525, ... the four from 0.6 to 0.675 are above one threshold and below the other.
    assert [batch["decision_change_ratio"] for batch in desk.batches] == [None, None, 4 / 20]


def test_a_committee_is_the_models_of_earlier_rounds(desk, make_version):
    desk.write_problem(budget=3, max_rounds=9, strategy="committee", random_share=0.1)
    play_first_round(desk)
    changed = "mail-19"
    for version, key in (("v1", "round-001"), ("v2", "round-002")):
        make_version(version, threshold_ratio=0.6)
        measure_losses(desk, version, model=0.3, base_rate=0.6)
        desk.predict(FALLING_DOUBT | ({changed: 0.02} if version == "v2" else {}), version)
        answer(choose(key)["batch_id"])
    asked = {item["item_id"] for item in desk.items if item["arm"] == "committee" and item["batch_id"] == "round-003"}
    drawn = {item["item_id"] for item in desk.items if item["arm"] == "random"}
    assert changed in asked | drawn


def test_a_score_of_a_withdrawn_row_asks_nobody(desk):
    play_first_round(desk)
    desk.predict(FALLING_DOUBT)
    desk.mark(Stage.INGEST, "2002-09", Coverage.REFUSED)
    choose("round-001")
    assert {item["partition_key"] for item in desk.items if item["batch_id"] == "round-002"} == {"2002-08"}


def test_after_the_demos_rounds_the_next_batch_waits_for_people_and_nothing_is_announced(desk):
    desk.write_problem(demo_rounds=1)
    play_first_round(desk)
    desk.predict(FALLING_DOUBT)
    choose("round-001")
    for _ in range(2):  # a cleared run changes nothing
        outcome = answer("round-002")
        assert outcome["is_for_people"]
        assert outcome["reason"] == "round-002 waits for people: recorded truth answers 1 rounds"
    assert [batch["status"] for batch in desk.batches] == ["answered", "open"]
    assert {label["batch_id"] for label in desk.labels} == {"round-001"}
    assert desk.batches[0]["announced_at_utc"] is not None
    assert not answer("round-001")["is_for_people"]


def test_what_a_person_escalated_comes_back_for_leads_only(desk):
    desk.write_problem(relabel_share=0.2)
    play_first_round(desk)
    escalated = desk.items[0]["item_id"]
    with desk.engine.begin() as connection:
        connection.execute(delete(LABEL).where(LABEL.c.item_id == escalated))
        row = {"problem": PROBLEM, "batch_id": "round-001", "item_id": escalated, "person": "kim"}
        more = {"action": "escalate", "reason": "ask a lawyer", "passed_at_utc": datetime(2002, 10, 1, tzinfo=UTC)}
        connection.execute(insert(REVIEW_PASS), [row | more])
    desk.predict(FALLING_DOUBT)
    choose("round-001")
    again = {item["item_id"]: item for item in desk.items if item["batch_id"] == "round-002"}
    assert (again[escalated]["arm"], again[escalated]["skill"]) == ("relabel", "lead")
    assert {item["skill"] for item_id, item in again.items() if item_id != escalated} == {None}
