import numpy as np
from sqlalchemy import insert

from include.problems.reading import load_problem
from include.review.batches import trust
from include.review.metrics.people import rows_of_people, weigh_people
from include.review.metrics.store import measure_review
from include.warehouse.tables.monitoring import ALERT
from include.warehouse.tables.review import AGREEMENT, LABEL, LABEL_FLAG, SETTLED_LABEL
from tests.include.review.batches.test_trust import NOW
from tests.include.review.conftest import PROBLEM

CLASSES = ("wanted", "unsolicited")


def said_by_three(n_items=60):
    """Two people who are nearly always right, and a script."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n_items)
    wrong = rng.random((n_items, 2)) < 0.05
    return {
        f"i{n:03d}": {
            "eva": CLASSES[truth[n] ^ wrong[n, 0]],
            "tom": CLASSES[truth[n] ^ wrong[n, 1]],
            "script": "unsolicited",
        }
        for n in range(n_items)
    }


def test_shares_of_right_answers_have_intervals_and_too_few_items_have_none():
    found = weigh_people(said_by_three() | {"x": {"new": "wanted", "eva": "wanted"}}, CLASSES)
    rows = {row["subject"]: row for row in rows_of_people(found)}
    assert rows["eva"]["low"] > 0.5
    assert rows["eva"]["value"] > 0.85 > rows["script"]["high"]
    assert (rows["new"]["n_items"], rows["new"]["value"]) == (1, None)
    assert weigh_people({"i": {"eva": "wanted"}}, CLASSES) is None
    assert weigh_people({"i": {"eva": "gone", "tom": "wanted"}}, CLASSES) is None


def test_a_script_waits_for_a_lead_with_an_alert_until_they_decide(desk):
    rows = [
        {
            "problem": PROBLEM,
            "batch_id": "round-001",
            "item_id": item,
            "labelled_by": person,
            "label": label,
            "arm": "entropy",
            "is_demo": False,
            "labelled_at_utc": NOW,
        }
        for item, by in said_by_three().items()
        for person, label in by.items()
    ]
    with desk.engine.begin() as connection:
        connection.execute(insert(LABEL), rows)
        measure_review(connection, load_problem(PROBLEM), NOW)
    (flag,) = desk.rows(LABEL_FLAG)
    assert (flag["labelled_by"], flag["status"], flag["n_labels"]) == ("script", "waiting", 60)
    assert "100% of them are the same" in flag["reason"]
    (alert,) = desk.rows(ALERT)
    assert alert["subject"] == "script"
    assert {row["subject"] for row in desk.rows(AGREEMENT) if row["statistic"] == "right_ratio"} == {
        "eva",
        "tom",
        "script",
    }
    settled = desk.rows(SETTLED_LABEL)
    assert len(settled) == 60
    assert all(0 < row["confidence_ratio"] <= 1 and row["gain_ratio"] >= 0 for row in settled)
    with desk.engine.begin() as connection:
        trust.decide_flag(connection, PROBLEM, "round-001", "script", is_accepted=True, decided_by="boss", now=NOW)
    assert desk.rows(ALERT) == []
    with desk.engine.begin() as connection:
        measure_review(connection, load_problem(PROBLEM), NOW)
    assert desk.rows(LABEL_FLAG)[0]["status"] == "accepted"


def test_what_waits_for_a_lead_settles_nothing(desk):
    def rows_of(person, labels):
        names = {"problem": PROBLEM, "batch_id": "round-001", "labelled_by": person, "arm": "entropy", "is_demo": False}
        return [names | {"item_id": item, "label": one, "labelled_at_utc": NOW} for item, one in labels.items()]

    names = [f"i{n:02d}" for n in range(20)]
    truth = {item: CLASSES[n % 2] for n, item in enumerate(names)}
    flag = {"problem": PROBLEM, "batch_id": "round-001", "n_labels": 20, "reason": "fast", "flagged_at_utc": NOW}
    with desk.engine.begin() as connection:
        for person in ("bot-1", "bot-2"):
            connection.execute(insert(LABEL), rows_of(person, dict.fromkeys(names, "unsolicited")))
        connection.execute(insert(LABEL), rows_of("eva", truth))
        connection.execute(insert(LABEL), rows_of("tom", dict(list(truth.items())[:12])))
        connection.execute(
            insert(LABEL_FLAG), [flag | {"labelled_by": bot, "status": "waiting"} for bot in ("bot-1", "bot-2")]
        )
        measure_review(connection, load_problem(PROBLEM), NOW)
    settled = desk.rows(SETTLED_LABEL)
    assert [(row["label"], row["n_people"]) for row in settled] == [(truth[item], 2) for item in names[:12]]
    # Who waits is measured all the same: a lead decides by it.
    assert {row["subject"] for row in desk.rows(AGREEMENT) if row["statistic"] == "right_ratio"} >= {"bot-1", "tom"}
