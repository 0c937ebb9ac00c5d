"""A person is asked about a tie, and only the answer of the approver to the record that was shown decides."""

from dataclasses import replace

import pytest
import yaml

from include.errors import BadExperiment, StaleAnswer
from include.experiments import steps
from include.experiments.analysis import VariantRow
from include.experiments.checks import Check
from include.experiments.comparison import Comparison
from include.experiments.decision import Decision
from include.experiments.ties import name_record
from include.settings import REPOSITORY
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_DECISION,
    EXPERIMENT_METRIC,
    EXPERIMENT_QUESTION,
)
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import came, invited
from tests.include.experiments.test_steps import DAYS, send

YES, NO = (
    {"chosen_options": [choice], "responded_by_user": {"id": "7", "name": "ada"}} for choice in ("Approve", "Reject")
)
SILENCE = {"chosen_options": ["Reject"], "responded_by_user": None, "timedout": True}
BY_CLOCK = "2004-11-10"  # the window in which the last unit becomes mature
ASKING = {"decide": {"tie": "ask", "equivalence": 0.9}, "approver": "ada"}


def write_file(folder, sections=ASKING, more=None):
    """Write the campaign's file with other values in its section experiment, and more in the file."""
    folder.mkdir(exist_ok=True)
    file = yaml.safe_load((REPOSITORY / "include" / "problems" / "campaign.yaml").read_text("utf-8"))
    file["experiment"] |= sections
    (folder / "campaign.yaml").write_text(yaml.safe_dump(file | (more or {})))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Give the folder of problem files, in which the campaign asks a person."""
    write_file(tmp_path / "asking")
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path / "asking"))
    return tmp_path / "asking"


@pytest.fixture
def tied(outreach, folder):
    """Give a campaign whose best variant counts as practically as good as the control, which a person settles."""
    outreach.publish(*send("p", 1), days=DAYS)
    steps.update_experiment(problem=PROBLEM, partition_key=DAYS[0], run_id="r1")
    return outreach


def ask(run_id="day-1"):
    return steps.open_tie(problem=PROBLEM, run_id=run_id)


def record(answer, run_id="day-1"):
    return steps.record_tie(problem=PROBLEM, experiment="experiment", answer=answer, run_id=run_id)


def newest(outreach):
    row = outreach.rows(EXPERIMENT_DECISION)[-1]
    phases = {one["phase"] for one in outreach.rows(ALLOCATION) if one["partition_key"] == row["partition_key"]}
    return row["outcome"], row["variant"], phases


def change_what_is_known(outreach):
    """Let one more person of the pilot come, a day late."""
    outreach.publish(*send("p", 1), invited("late", 2, "none"), came("late", 3), days=DAYS)
    steps.update_experiment(problem=PROBLEM, partition_key=DAYS[0], run_id="r2")


def test_while_a_person_is_asked_nobody_is_sent_anything(tied):
    row = tied.rows(EXPERIMENT_DECISION)[-1]
    assert newest(tied) == ("ask", None, {"hold"})
    assert (row["asked_variant"], row["is_final"], len(row["record_sha256"])) == ("large", False, 64)


def test_the_question_shows_the_whole_record(tied):
    question = ask()
    assert (question["experiment"], question["n_rows"]) == ("experiment", 1)
    assert "send 'large' in place of 'none'? (ada)" in question["subject"]
    row = tied.rows(EXPERIMENT_DECISION)[-1]
    told = (
        "| large | 378 | 303 |",
        "**Approve** sends `large`",
        row["record_sha256"],
        row["plan_sha256"],
        "- none has",
    )
    for words in (*told, "/mulgil/experiments/experiment?problem=campaign&experiment=experiment"):
        assert words in question["body"], words


def test_the_question_shows_the_metric_that_decides_and_what_must_not_get_worse(outreach, folder):
    metrics = {"gone": {"kind": "binary", "event": "came", "direction": "lower"}}
    metrics["times"] = {"kind": "count", "event": "came"}
    guardrails = [{"metric": "gone", "margin": 0.1, "on_breach": "warn"}]
    write_file(folder, ASKING | {"primary": "times", "guardrails": guardrails}, {"metrics": metrics})
    outreach.publish(*send("p", 1), days=DAYS)
    steps.update_experiment(problem=PROBLEM, partition_key=DAYS[0], run_id="r1")
    body, rows = ask()["body"], outreach.rows(EXPERIMENT_METRIC)
    shown = [row for row in rows if row["partition_key"] == DAYS[-1] and row["variant"] == "large"]
    for row in shown:
        line = (
            f"| {row['metric']} ({row['role']}) | large | {row['n_mature']:,} | {row['mean']:.4g} | {row['lift']:.4g} "
        )
        assert f"{line}| {row['low']:.4g} to {row['high']:.4g} |" in body
    assert [row["role"] for row in shown] == ["guardrail", "primary"]
    assert body.index("times (primary)") < body.index("gone (guardrail)")


@pytest.mark.parametrize(
    ("answer", "outcome", "by"),
    [
        (YES, ("send", "large"), "ada"),
        (NO, ("keep_control", "none"), "ada"),
        (SILENCE, ("keep_control", "none"), "day-1"),
    ],
)
def test_the_answer_decides_and_silence_keeps_the_control(tied, answer, outcome, by):
    ask()
    done = record(answer)
    assert newest(tied) == (*outcome, {"rest"})
    assert tied.rows(EXPERIMENT_DECISION)[-1]["reason"].endswith(done["reason"])
    (asked,) = tied.rows(EXPERIMENT_QUESTION)
    assert (asked["is_approved"], asked["answered_by"]) == (answer is YES, by)
    # Nobody is asked again, and a step that is cleared changes nothing.
    assert ask("day-2")["experiment"] is None
    record(answer)
    assert newest(tied) == (*outcome, {"rest"})


def test_an_asking_that_failed_leaves_the_question_open(tied):
    ask()
    record(None)
    assert newest(tied) == ("ask", None, {"hold"})


def test_nobody_but_the_approver_decides(tied):
    ask()
    with pytest.raises(StaleAnswer, match="'bob' answered, and the file lets 'ada' decide"):
        record(YES | {"responded_by_user": {"id": "8", "name": "bob"}})
    assert newest(tied) == ("ask", None, {"hold"})


def test_an_answer_to_a_record_that_has_changed_is_refused_and_asked_anew(tied):
    ask()
    change_what_is_known(tied)
    with pytest.raises(StaleAnswer, match="the record has changed since this run asked"):
        record(YES)
    assert newest(tied) == ("ask", None, {"hold"})
    ask("day-2")
    record(YES, "day-2")
    assert newest(tied) == ("send", "large", {"rest"})


def test_a_cleared_approval_that_shows_old_figures_is_refused(tied):
    """Airflow shows the first text of a run again, whatever the question says since."""
    first = ask()
    change_what_is_known(tied)
    assert ask()["body"] != first["body"]
    with pytest.raises(StaleAnswer, match="the record has changed since this run asked"):
        record(YES)


def test_an_answer_of_a_run_that_asked_nothing_is_refused(tied):
    with pytest.raises(StaleAnswer, match="shown none"):
        record(YES, "another")


def test_rows_that_nobody_counted_yet_are_counted_before_an_answer_is_taken(tied):
    ask()
    tied.publish(*send("p", 1), invited("late", 2, "none"), came("late", 3), days=(*DAYS, "2004-11-09"))
    with pytest.raises(StaleAnswer, match="the record has changed since this run asked"):
        record(YES)
    assert newest(tied) == ("ask", None, {"hold"})
    assert [row["is_approved"] for row in tied.rows(EXPERIMENT_QUESTION)] == [None]


def test_a_file_that_was_edited_since_is_read_before_an_answer_is_taken(tied, folder):
    ask()
    write_file(folder, ASKING | {"decide": {"tie": "ask", "equivalence": 0.8}})
    with pytest.raises(StaleAnswer, match="the record has changed since this run asked"):
        record(YES)
    assert newest(tied) == ("ask", None, {"hold"})
    ask("day-2")
    assert record(YES, "day-2")["windows"] == [BY_CLOCK]
    assert newest(tied) == ("send", "large", {"rest"})


def test_an_answer_decides_no_window_before_the_one_it_was_given_for(tied):
    ask()
    record(YES)
    steps.update_experiment(problem=PROBLEM, partition_key=DAYS[-1], run_id="r2")
    assert (tied.outcomes[DAYS[-1]], tied.outcomes[BY_CLOCK]) == (("ask", None), ("send", "large"))


def test_another_approver_or_time_out_leaves_a_decision_in_force(tied, folder):
    ask()
    record(YES)
    write_file(folder, {"decide": ASKING["decide"] | {"approval_timeout": "P2D"}, "approver": "bob"})
    steps.update_experiment(problem=PROBLEM, partition_key=DAYS[-1], run_id="r2")
    tied.publish(days=("2004-11-12",))
    steps.update_experiment(problem=PROBLEM, partition_key="2004-11-12", run_id="r3")
    assert newest(tied) == ("send", "large", {"rest"})


def test_a_late_row_leaves_what_a_person_decided(tied):
    ask()
    record(YES)
    change_what_is_known(tied)
    assert newest(tied) == ("send", "large", {"rest"})
    assert ask("day-2")["experiment"] is None


def test_another_plan_is_asked_about_although_an_answer_was_given(tied, folder):
    ask()
    record(YES)
    write_file(folder, ASKING | {"decide": {"tie": "ask", "equivalence": 0.8}})
    tied.publish(days=("2004-11-12",))
    steps.update_experiment(problem=PROBLEM, partition_key="2004-11-12", run_id="r2")
    assert newest(tied) == ("ask", None, {"hold"})


@pytest.mark.parametrize(("tie", "variant"), [("keep_control", "none"), ("send_best", "large")])
def test_a_file_that_asks_nobody_any_more_decides_at_the_next_look(tied, folder, tie, variant):
    steps.watch_experiment(problem=PROBLEM, run_id="r2")
    write_file(folder, {"decide": {"tie": tie, "equivalence": 0.9}})
    steps.watch_experiment(problem=PROBLEM, run_id="r3")
    assert newest(tied) == ("keep_control" if variant == "none" else "send", variant, {"rest"})


@pytest.mark.parametrize("second", [NO, SILENCE])
def test_another_answer_of_a_cleared_run_is_refused(tied, second):
    ask()
    record(YES)
    with pytest.raises(StaleAnswer, match=r"run day-1 was answered before: ada approved it\. That stands"):
        record(second)
    assert newest(tied) == ("send", "large", {"rest"})


def test_silence_keeps_the_control_though_counts_have_changed(tied):
    ask()
    change_what_is_known(tied)
    record(SILENCE)
    assert newest(tied) == ("keep_control", "none", {"rest"})


def test_silence_about_another_plan_decides_nothing(tied, folder):
    ask()
    write_file(folder, ASKING | {"decide": {"tie": "ask", "equivalence": 0.8}})
    with pytest.raises(StaleAnswer, match="the record has changed"):
        record(SILENCE)
    assert newest(tied) == ("ask", None, {"hold"})


def test_an_answer_is_taken_although_another_experiment_is_refused(tied, folder, monkeypatch):
    """What the approver decided stands, and the run is red for the other one."""

    def refuse(*_arguments, **_more):
        raise BadExperiment("another one was refused")

    ask()
    monkeypatch.setattr(steps, "_bring_up_to_date", refuse)
    with pytest.raises(BadExperiment, match="another one was refused"):
        record(YES)
    assert newest(tied) == ("send", "large", {"rest"})


def test_an_answer_after_which_nothing_is_decided_is_not_written_down(tied, monkeypatch):
    """Rows that land between the last count and the answer: here checks fail in the very last count."""
    steps.watch_experiment(problem=PROBLEM, run_id="r2")
    ask()
    real = steps._update_window

    def lose_rows(connection, definition, name, key, partitions, *, is_newest):
        return real(connection, definition, name, key, [], is_newest=is_newest)

    monkeypatch.setattr(steps, "_update_window", lose_rows)
    with pytest.raises(StaleAnswer, match="it would decide nothing"):
        record(YES)
    assert [row["is_approved"] for row in tied.rows(EXPERIMENT_QUESTION)] == [None]


def test_a_record_has_another_name_when_anything_that_it_rests_on_changes():
    decision = Decision("ask", None, None, None, False, "Asked.", asked_variant="b")
    row = VariantRow("b", 100, 90, 30, Comparison("better", 0.3, 0.2, 0.4, 0.1), 0.9, 0.01, False)
    check = Check("maturity", True, 1.0, 1.0, "All.")

    def name(plan="p", decision=decision, row=row, check=check):
        return name_record(plan, decision, [row], [check])

    others = [name(plan="q"), name(decision=replace(decision, asked_variant="c")), name(row=replace(row, n_mature=91))]
    others += [name(row=replace(row, expected_loss=0.02)), name(check=replace(check, is_pass=False))]
    assert len({name(), *others}) == 1 + len(others)
    assert name() == name(decision=replace(decision, reason="In other words."))
