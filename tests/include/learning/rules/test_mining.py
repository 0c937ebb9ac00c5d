"""A rule is mined from answers, measured on others, asked about, and from then on what models must beat."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sqlalchemy import select

from include.learning import steps
from include.learning.data import active_rule
from include.learning.data.columns import IS_RANDOM, IS_RULE
from include.learning.data.dataset import read_rows
from include.learning.errors import BadRule
from include.learning.rules import keywords, mining
from include.problems.reading import load_problem
from include.warehouse.tables.explaining import KEYWORD_RULE, RULE_VERSION
from tests.include.learning.conftest import MAIL, WORDS

YES = {"chosen_options": ["Approve"], "responded_by_user": {"id": "7", "name": "ann"}}
NO = YES | {"chosen_options": ["Reject"]}
SILENCE = {"chosen_options": ["Reject"], "responded_by_user": None, "timedout": True}
FILE_RULE = "contains(lower(subject), 'casino')"
VALUE = MAIL["value"] | {"false_positive": -2}  # acting pays from 2 of 27 on


@pytest.fixture
def mined_mails(house, problems_dir, mails, answer) -> dict[str, Any]:
    """Answer all mails, most chosen by chance, and mine them once."""
    baseline = {"name": "blocked_words", "positive_when": FILE_RULE, "mine": "keywords"}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"baseline": baseline, "value": VALUE}))
    items = list(mails[1].items())
    answer(dict(items[:20]), "round-001", arm="entropy")
    answer(dict(items[20:]), "round-002")
    return steps.mine_rule(problem="mail", run_id="run-1")


def read(house: Any, table: Any) -> list[dict[str, Any]]:
    with house.engine.connect() as connection:
        return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


def in_force(house: Any) -> str:
    with house.engine.connect() as connection:
        return active_rule.predicate_in_force(connection, load_problem("mail"))


def record(answer: Any, name: str = "rule-001") -> dict[str, Any]:
    return steps.record_rule(problem="mail", rule_version=name, answer=answer, run_id="run-1")


def test_a_rule_is_proposed_with_numbers_from_rows_that_did_not_suggest_it(house, mined_mails):
    (rule,) = read(house, RULE_VERSION)
    assert (rule["rule_version"], rule["status"], rule["proposed_by"]) == ("rule-001", "proposed", "run-1")
    assert set(rule["keywords"]) & set(WORDS[True])
    assert rule["n_mined"] + rule["n_measured"] == 120
    assert 30 <= rule["n_measured"] <= 70
    rows = read(house, KEYWORD_RULE)
    whole = next(row for row in rows if row["rank"] == 0)
    assert whole["n_rows"] == rule["n_measured"]
    assert whole["precision_low"] <= whole["precision_ratio"] <= whole["precision_high"]
    assert whole["precision_ratio"] > 0.8
    assert sorted(row["rank"] for row in rows) == list(range(len(rows)))
    # The question shows what is asked, and the rule that it would replace.
    assert "may rule-001 be the rule from now on?" in mined_mails["subject"]
    assert f"| {whole['keyword']} | {whole['n_hits']} of {whole['n_rows']} |" in mined_mails["body"]
    assert "The rule in force hits 0 of them" in mined_mails["body"]
    assert "pays where 7 of 100 or more are junk" in mined_mails["body"]
    # A repeated run asks the same question; another one has its own name.
    again = steps.mine_rule(problem="mail", run_id="run-1")
    assert (again["rule_version"], again["body"]) == ("rule-001", mined_mails["body"])
    assert steps.mine_rule(problem="mail", run_id="run-2")["rule_version"] == "rule-002"


def test_an_approved_rule_is_the_baseline_from_then_on_and_is_not_proposed_again(house, mined_mails):
    assert in_force(house) == FILE_RULE
    assert record(YES)["status"] == "approved"
    (rule,) = read(house, RULE_VERSION)
    assert (rule["decided_by"], in_force(house)) == ("ann", rule["positive_when"])
    rows = read_rows(load_problem("mail"), ["2002-01", "2002-02"])
    said = mining._texts_of(rows, ["subject", "body"])
    assert rows[IS_RULE].tolist() == [any(word in text.lower() for word in rule["keywords"]) for text in said]
    nothing = steps.mine_rule(problem="mail", run_id="run-2")
    assert (nothing["rule_version"], nothing["reason"][:17]) == (None, "The rule in force")
    # What was decided stays, whatever is answered later.
    assert record(NO)["status"] == "approved"


@pytest.mark.parametrize(("given", "who"), [(NO, "ann"), (SILENCE, "run-1")])
def test_a_no_and_silence_leave_the_rule_and_stay_in_history(house, mined_mails, given, who):
    assert record(given)["status"] == "refused"
    (rule,) = read(house, RULE_VERSION)
    assert (rule["status"], rule["decided_by"], in_force(house)) == ("refused", who, FILE_RULE)


def test_without_an_answer_nothing_is_decided_and_a_rule_that_never_was_is_named(house, mined_mails):
    assert record(None)["status"] == "proposed"
    with pytest.raises(BadRule, match="mail has no rule 'rule-009'"):
        record(YES, "rule-009")


def test_where_nobody_has_labelled_or_no_word_pays_nothing_is_proposed(house, problems_dir, mails, answer):
    baseline = {"positive_when": FILE_RULE, "mine": "keywords"}
    dear = MAIL["value"] | {"false_positive": -1_000}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"baseline": baseline, "value": dear}))
    outcome = steps.mine_rule(problem="mail")
    assert (outcome["rule_version"], outcome["reason"]) == (None, "Nobody has labelled anything yet.")
    answer(mails[1], "round-001")
    assert "is surely right often enough: acting pays from 98 of 100 on" in steps.mine_rule(problem="mail")["reason"]
    assert read(house, RULE_VERSION) == []


def test_a_rule_that_no_measured_row_meets_is_not_proposed(house, mined_mails, monkeypatch):
    monkeypatch.setattr(mining, "choose_keywords", lambda *_, **__: ["casino"])
    outcome = steps.mine_rule(problem="mail", run_id="run-2")
    assert outcome["rule_version"] is None
    assert "rows to measure on contains casino" in outcome["reason"]


def test_only_rows_that_chance_chose_measure_and_nearly_equal_texts_stay_together():
    texts = [f"letter number {'abcdefgh'[place % 8] * 40} {place % 40}" for place in range(80)]
    rows = pd.DataFrame({"body": texts, IS_RANDOM: [place % 4 != 0 for place in range(80)]})
    held = mining.hold_out(rows, ["body"], None, 7)
    assert 0 < held.sum() < 60
    assert not held[~rows[IS_RANDOM].to_numpy()].any()
    for text in set(texts):
        assert len(set(held[np.array(texts) == text])) == 1
    assert mining.hold_out(rows, ["body"], None, 7).tolist() == held.tolist()
    assert mining.hold_out(rows, ["body"], None, 8).tolist() != held.tolist()


def test_a_word_that_other_rows_show_wrong_is_dropped_and_the_question_says_so(
    house, problems_dir, mined_mails, monkeypatch
):
    # `meeting` stands in wanted mails alone, and acting pays from 50 of 75 on.
    baseline = {"name": "blocked_words", "positive_when": FILE_RULE, "mine": "keywords"}
    value = VALUE | {"false_positive": -50}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"baseline": baseline, "value": value}))
    monkeypatch.setattr(mining, "suggest_keywords", lambda *_: ["meeting", "money"])
    monkeypatch.setattr(mining, "choose_keywords", lambda *_, **__: ["meeting", "money"])
    asked = steps.mine_rule(problem="mail", run_id="run-2")
    rule = next(row for row in read(house, RULE_VERSION) if row["rule_version"] == asked["rule_version"])
    assert rule["keywords"] == ["money"]
    assert "meeting" not in rule["positive_when"]
    assert "Left out again, because these rows show them to be right less often than that: meeting." in asked["body"]
    monkeypatch.setattr(mining, "choose_keywords", lambda *_, **__: ["meeting"])
    nothing = steps.mine_rule(problem="mail", run_id="run-3")
    assert nothing["rule_version"] is None
    assert nothing["reason"].endswith("label more items. Wrong too often on those rows: meeting.")


def test_whole_words_serve_exactly_as_they_were_measured(house, problems_dir, mined_mails, monkeypatch):
    baseline = {"name": "blocked_words", "positive_when": FILE_RULE, "mine": "keywords", "whole_words": True}
    (problems_dir / "mail.yaml").write_text(yaml.safe_dump(MAIL | {"baseline": baseline, "value": VALUE}))
    monkeypatch.setattr(mining, "choose_keywords", lambda *_, **__: ["money", "wordaa"])
    asked = steps.mine_rule(problem="mail", run_id="run-2")
    assert "as a word of its own" in asked["body"]
    record(YES, asked["rule_version"])
    rows = read_rows(load_problem("mail"), ["2002-01", "2002-02"])
    said = mining._texts_of(rows, ["subject", "body"])
    kept = next(row for row in read(house, RULE_VERSION) if row["rule_version"] == asked["rule_version"])["keywords"]
    expected = np.any([keywords.contains(said, word, is_whole=True) for word in kept], axis=0)
    assert rows[IS_RULE].tolist() == expected.tolist()
    assert expected.any()
