"""Approval, rollback, and the same training twice: the train stage's steps on a real lake and a real warehouse."""

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml
from sqlalchemy import select
from threadpoolctl import threadpool_limits

from include.errors import CannotRollBack
from include.handover import APPROVE
from include.lake.reading import open_rows
from include.learning import steps
from include.learning.data.dataset import read_rows
from include.learning.fit_version import leave_out_young
from include.names import predictions_table
from include.problems.reading import load_problem
from include.problems.sections.learning import Label
from include.warehouse.tables.learning import GATE_CHECK, MODEL_CHOICE, MODEL_EVENT, MODEL_VERSION, SCORECARD_TERM
from tests.include.learning.conftest import LATE, make_trips
from tests.include.learning.test_steps import MONTHS, train


def rewrite(problems_dir: Any, **changed: Any) -> None:
    training = LATE["training"] | changed.pop("training", {})
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | changed | {"training": training}))


def read(house: Any, table: Any, *columns: str) -> list[tuple[Any, ...]]:
    with house.engine.connect() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*(table.c[name] for name in columns))))


def predictions(month: str) -> dict[str, float]:
    steps.score_partition(problem="late", partition_key=month)
    rows = open_rows(predictions_table("late"), [month]).to_pyarrow().to_pylist()
    return {row["_row_key"]: row["p_positive"] for row in rows}


def test_the_same_snapshot_labels_and_seed_give_the_same_bytes_whatever_the_threads(house, trips, problems_dir):
    search = {"trials": 3, "budget": "PT1M"}
    rewrite(problems_dir, training={"models": ["scorecard", "gradient_boosting"], "model": None, "search": search})
    trips(MONTHS)
    plan = {"is_due": True, "points": ["2013-03"]}
    answers, versions, snapshots = [], [], []
    for n_threads in (1, 2, 2):
        with threadpool_limits(n_threads):
            fitted = steps.fit_candidates(problem="late", partition_key="2013-03", plan=plan)
            steps.decide_promotion(problem="late", partition_key="2013-03", fitted=fitted)
            answers.append(predictions("2013-04"))
        versions.append(fitted["model_version"])
        # The hash of what was said about held-out rows shows every bit of it.
        columns = ("model_version", "snapshot_id", "labels_as_of_utc", "heldout_sha256")
        snapshots.append(read(house, MODEL_VERSION, *columns))
    assert len({repr(sorted(answer.items())) for answer in answers}) == 1  # repr of a double is exact
    assert len(set(versions)) == 1
    assert snapshots[0] == snapshots[1] == snapshots[2]
    assert {row[0] for row in read(house, MODEL_CHOICE, "candidate")} == {"scorecard", "gradient_boosting"}
    assert {row[0] for row in read(house, SCORECARD_TERM, "feature")} == {"rain_mm", "hour", "line"}


def test_another_seed_is_another_version(house, trips, problems_dir):
    trips(MONTHS[:3])
    first = train("late", "2013-03")["model_version"]
    rewrite(problems_dir, training={"seed": 8})
    plan = {"is_due": True, "points": ["2013-03"]}
    assert steps.fit_candidates(problem="late", partition_key="2013-03", plan=plan)["model_version"] != first


def ask(problems_dir: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    rewrite(problems_dir, training={"approval": "required"})
    decided = train("late", "2013-03")
    return decided, steps.open_approval(problem="late", partition_key="2013-03", decided=decided)


YES = {"chosen_options": ["Approve"], "responded_by_user": {"id": "1", "name": "ann"}}
NO = {"chosen_options": ["Reject"], "responded_by_user": {"id": "1", "name": "ann"}}
NOBODY = {"chosen_options": ["Reject"], "responded_by_user": None, "timedout": True}


def test_the_question_shows_what_the_model_is_worth_and_every_check(house, trips, problems_dir):
    trips(MONTHS[:3])
    decided, question = ask(problems_dir)
    assert not decided["promoted"]
    assert question["versions"] == [decided["model_version"]]
    assert decided["model_version"] in question["subject"]
    for part in ("gradient_boosting", "No model serves until then", "| evening |", "| dummy |", "fitted on"):
        assert part in question["body"]
    assert f"/mulgil/models/card?problem=late&version={decided['model_version']}" in question["body"]
    for (detail,) in read(house, GATE_CHECK, "detail"):
        assert detail in question["body"]
    assert APPROVE == "Approve"


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        (YES, "promoted", "ann approved it."),
        (NO, "rejected", "ann refused it."),
        (NOBODY, "rejected", "Nobody answered in time, which is the same as no."),
    ],
)
def test_yes_promotes_and_no_and_silence_refuse(house, trips, problems_dir, answer, status: str, reason: str):
    trips(MONTHS[:3])
    _, question = ask(problems_dir)
    done = steps.record_approval(
        problem="late", partition_key="2013-03", versions=question["versions"], answer=answer, run_id="r"
    )
    assert list(done["decisions"].values()) == [status]
    events = read(house, MODEL_EVENT, "event", "actor", "reason")
    assert (status, "r" if answer is NOBODY else "ann", reason) in events


def test_an_asking_that_failed_leaves_the_version_waiting(house, trips, problems_dir):
    trips(MONTHS[:3])
    _, question = ask(problems_dir)
    done = steps.record_approval(problem="late", partition_key="2013-03", versions=question["versions"], answer=None)
    assert done["decisions"] == {}
    assert read(house, MODEL_VERSION, "status") == [("awaiting_approval",)]
    assert not steps.plan_training(problem="late", partition_key="2013-03")["is_due"]


def test_one_training_point_at_a_time_is_asked_about(house, trips, problems_dir):
    rewrite(problems_dir, training={"approval": "required"})
    trips(MONTHS)
    for point in ("2013-03", "2013-04"):
        plan = steps.plan_training(problem="late", partition_key="2013-04")
        assert plan["points"][0] == point
        decided = train("late", "2013-04")
        steps.record_approval(problem="late", partition_key="k", versions=decided["awaiting"], answer=YES)
    assert [row[0] for row in read(house, MODEL_VERSION, "status")] == ["promoted", "promoted"]


def test_a_version_that_was_rejected_by_the_gate_opens_no_question(house):
    assert (
        steps.open_approval(
            problem="late", partition_key="k", decided={"decisions": {"v": "rejected"}, "reason": "R", "n_rows": 1}
        )["versions"]
        == []
    )


def test_a_rollback_names_the_partitions_to_score_again_and_the_old_model_scores_them(house, trips):
    trips(MONTHS)
    decided = train("late", "2013-04")
    assert list(decided["decisions"].values()) == ["promoted", "promoted"]
    trips(["2013-05"])
    assert steps.list_scorable(problem="late", partition_key="2013-05", run_id="a")["keys"] == [*MONTHS, "2013-05"]
    before = predictions("2013-05")
    done = steps.roll_back(problem="late", to_version=" previous ", reason="complaints", actor="ann", run_id="b")
    assert [done["before"][:7], done["model_version"][:7]] == ["2013-04", "2013-03"]
    # 2013-04 was the older model's in any case.
    assert steps.list_rescorable(problem="late", run_id="b")["keys"] == ["2013-05"]
    assert predictions("2013-05") != before
    assert ("rolled_back", "ann", "complaints") in read(house, MODEL_EVENT, "event", "actor", "reason")


def test_where_people_label_a_rollback_names_the_newest_round(house, mails, answer):
    _, truth = mails
    assert steps.list_rescorable(problem="mail")["keys"] == []
    items = list(truth.items())
    for number, part in enumerate((items[:60], items[60:100]), start=1):
        answer(dict(part), f"round-00{number}")
        train("mail", f"round-00{number}")
        steps.list_scorable(problem="mail", partition_key=f"round-00{number}")
    with pytest.raises(CannotRollBack, match="never been in production"):
        steps.roll_back(problem="mail", to_version="round-009-abcdef", reason="complaints", actor="ann")
    assert steps.list_rescorable(problem="mail")["keys"] == ["round-002"]


def test_rows_younger_than_the_delay_are_no_negatives():
    rows = make_trips("2013-01").rename(columns={"left_at": "_event_at"})
    label = Label.model_validate(LATE["label"] | {"delay": "P5D"})
    kept = leave_out_young(rows, label)
    newest = rows["_event_at"].max()
    assert kept["_event_at"].max() == newest - timedelta(days=5)
    assert len(kept) == (rows["_event_at"] <= newest - timedelta(days=5)).sum() < len(rows)
    assert len(leave_out_young(rows, Label.model_validate(LATE["label"]))) == len(rows)


def test_a_young_row_that_is_scored_has_no_label_yet(house, trips, problems_dir):
    rewrite(problems_dir, label=LATE["label"] | {"delay": "P5D"})
    trips(["2013-01"])
    newest = make_trips("2013-01")["left_at"].max()
    rows = read_rows(load_problem("late"), ["2013-01"], known_at=newest.to_pydatetime())
    is_young = rows["_event_at"] > newest - timedelta(days=5)
    assert is_young.any()
    assert not rows.loc[is_young, "_is_known"].any()
    assert rows.loc[~is_young, "_is_known"].any()
    assert read_rows(load_problem("late"), ["2013-01"])["_is_known"].sum() > rows["_is_known"].sum()


def test_a_group_on_both_sides_is_left_out_and_protected_columns_are_checked(house, trips, problems_dir):
    protected = [{"column": "line", "tolerance": 1.0}]
    rewrite(problems_dir, training={"group": "line", "protected": protected})
    trips(MONTHS[:3])
    plan = steps.plan_training(problem="late", partition_key="2013-03")
    fitted = steps.fit_candidates(problem="late", partition_key="2013-03", plan=plan)
    # Two lines for three parts: one part is empty, and the sentence says which.
    assert fitted["versions"] == []
    assert re.search(r"late, training point 2013-03: .*(rows to|can teach nothing)", fitted["reason"])
    rewrite(problems_dir, training={"protected": protected})
    train("late", "2013-03")
    names = {row[0] for row in read(house, GATE_CHECK, "check_name")}
    assert {"protects_line_red", "protects_line_blue"} <= names
