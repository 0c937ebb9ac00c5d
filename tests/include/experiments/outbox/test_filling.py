import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import yaml
from sqlalchemy import delete, insert

from include.errors import BadExperiment, BadLanding
from include.lake.erasure.request import erase_from_log, prove_in_log
from include.lake.erasure.subjects import key_id
from include.row_key import hash_identifier
from include.serving.clients.evaluate import place
from include.settings import REPOSITORY, read_settings
from include.warehouse.tables.experiments import ALLOCATION
from tests.include.experiments.outbox.factories import AUDIENCE, NOW, make_problem, people

FIRST = "mailing/experiment/000001.jsonl"
MASKED = {"person": {"type": "string", "pii": "identifier"}}


def persons(n, prefix="p"):
    return sorted(one["person"] for one in people(n, prefix))


def stand(mailing, *ranges, phase, window="2026-05-31"):
    """Let the newest window say what is sent."""
    shared = {"problem": "mailing", "experiment": "experiment", "partition_key": window, "phase": phase}
    rows = [
        shared | {"place": place, "variant": variant, "share_ratio": None, "low": low, "high": high}
        for place, (variant, low, high) in enumerate(ranges or [(None, None, None)])
    ]
    with mailing.house.engine.begin() as connection:
        connection.execute(delete(ALLOCATION))
        connection.execute(insert(ALLOCATION), rows)


def test_everybody_is_listed_once_with_the_variant_of_the_published_recipe(mailing):
    mailing.land("a.jsonl", *people(100))
    assert mailing.fill()["files"] == [FIRST]
    lines = mailing.files()[FIRST]
    assert sorted(line["unit"] for line in lines) == persons(100)
    assert all(line["variant"] == ("old" if place(line["unit"], "june") < 0.5 else "new") for line in lines)
    told = {(line["experiment"], line["phase"], line["plan"], line["window"], line["audience"]) for line in lines}
    assert told == {("mailing.experiment", "pilot", 1, None, "2026-06-01")}


def test_the_same_audience_filled_or_landed_again_lists_nobody_twice(mailing):
    mailing.land("a.jsonl", *people(50))
    before = (mailing.fill()["n_rows"], mailing.files())
    assert (mailing.fill()["n_rows"], mailing.files()) == (0, before[1])
    mailing.land("b.jsonl", *people(60), day="2026-06-02")
    assert mailing.fill("2026-06-02")["n_rows"] == 10
    assert sorted(mailing.units()) == persons(60)
    second = {("2026-06-02", "listed"): 10, ("2026-06-02", "already_listed"): 50}
    assert mailing.counts() == {("2026-06-01", "listed"): 50} | second


def test_a_file_that_the_mailer_took_away_is_never_written_again(mailing):
    mailing.land("a.jsonl", *people(5))
    mailing.fill()
    (mailing.house.home / "lake" / "_outbox" / FIRST).unlink()
    assert (mailing.fill()["files"], mailing.files()) == ([], {})


def test_odd_ids_stand_in_the_list_as_they_were_written_or_are_counted(mailing):
    odd = [
        "=1+1",
        "@SUM(A1)",
        "-2",
        "a,b",
        'say "hi"',
        "two\nlines",
        "tab\there",
        "a\u2028b",
        "한국",
        "x" * 1_024,
        "A",
        "a",
    ]
    rows = [{"person": unit} for unit in odd]
    mailing.land("a.jsonl", *rows, {"person": None}, {"country": "KR"}, {"person": "x" * 1_025}, {"person": "A"})
    mailing.fill()
    assert sorted(mailing.units()) == sorted(odd)
    reasons = {"listed": len(odd), "unit_missing": 2, "unit_too_long": 1, "unit_twice_in_audience": 1}
    assert mailing.counts() == {("2026-06-01", reason): n for reason, n in reasons.items()}


def test_an_audience_without_a_usable_row_writes_no_file_and_says_so(mailing):
    mailing.land("a.jsonl", '{"person": "p1", "day": "nonsense"}', {"person": None})
    done = mailing.fill()
    assert (done["n_rows"], done["files"], mailing.files()) == (0, [], {})
    assert done["reason"] == "experiment: In its phase pilot (no window yet). Of 1 rows: unit_missing 1."


def test_masked_ids_are_placed_raw_and_the_warehouse_never_sees_them(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(30))
    mailing.land("b.jsonl", *people(5, "q"))
    mailing.fill()
    lines = mailing.files()[FIRST]
    assert sorted(line["unit"] for line in lines) == sorted(persons(30) + persons(5, "q"))
    assert all(line["variant"] == ("old" if place(line["unit"], "june") < 0.5 else "new") for line in lines)
    assert all(len(row["unit"]) == 32 for row in mailing.listed())


def test_a_person_under_an_older_key_of_masking_is_not_listed_again(mailing, monkeypatch):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(5))
    mailing.fill()
    monkeypatch.setenv("MULGIL_PII_OLDER_KEYS", "a key for tests only")
    monkeypatch.setenv("MULGIL_PII_KEY", "another key for tests only")
    mailing.land("b.jsonl", *people(6), day="2026-06-02")
    assert mailing.fill("2026-06-02")["n_rows"] == 1
    assert sorted(mailing.units()) == persons(6)


def test_a_person_who_was_listed_masked_is_not_listed_again_without_the_mask(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(5))
    mailing.fill()
    mailing.write_problem()
    mailing.land("b.jsonl", *people(6), day="2026-06-02")
    assert mailing.fill("2026-06-02")["n_rows"] == 1
    assert sorted(mailing.units()) == persons(6)


def test_rows_published_masked_are_listed_raw_after_the_file_drops_the_mask(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(5))
    mailing.write_problem()
    mailing.fill()
    assert sorted(mailing.units()) == persons(5)


def test_masked_ids_whose_object_is_gone_list_nobody_and_are_red(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(5))
    (mailing.house.home / "landing" / "audience" / "a.jsonl").unlink()
    with pytest.raises((BadExperiment, BadLanding)):
        mailing.fill()
    assert (mailing.listed(), mailing.files()) == ([], {})


def leave_unwritten(mailing, day="2026-06-01"):
    """Fill while something stands where the outbox should be: who is listed is remembered, and no file is there."""
    place = mailing.house.home / "lake" / "_outbox"
    place.write_text("in the way")
    with pytest.raises(OSError, match="_outbox"):
        mailing.fill(day)
    place.unlink()


def test_an_object_replaced_before_its_list_is_written_names_nobody_else(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(2))
    leave_unwritten(mailing)
    mailing.land("a.jsonl", {"person": "p9"}, *people(2))
    mailing.fill()
    assert [sorted(line["unit"] for line in lines) for lines in mailing.files().values()] == [["p0", "p1"], ["p9"]]


def test_a_list_that_cannot_be_written_keeps_no_other_waiting(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(2))
    leave_unwritten(mailing)
    (mailing.house.home / "landing" / "audience" / "a.jsonl").unlink()
    mailing.land("b.jsonl", {"person": "p9"}, day="2026-06-02")
    with pytest.raises((BadExperiment, BadLanding)):
        mailing.fill("2026-06-02")
    assert mailing.units() == ["p9"]
    assert [batch["written_at_utc"] is not None for batch in mailing.batches()] == [False, True]


def test_an_erased_person_leaves_the_list_though_another_object_took_their_row(mailing):
    mailing.write_problem(columns=MASKED)
    mailing.land("a.jsonl", *people(2))
    mailing.fill()
    mailing.land("a.jsonl", *people(2, "q"))
    hashes = {key_id(key): hash_identifier("p0", key) for key in read_settings().pii_keys}
    erase_from_log(AUDIENCE, hashes, {"reason": "asked", "actor": "ada", "run_id": "r1"})
    prove_in_log(AUDIENCE, hashes)
    assert [row["unit"] for row in mailing.listed()] == [hash_identifier("p1", read_settings().pii_key)]


def test_who_is_held_back_or_not_eligible_is_counted_and_not_listed(mailing):
    layer = {"unit": "person", "salt": "all mail", "holdout": 0.2}
    changes = {"layer": "mail", "traffic": [0.0, 0.5], "holdback_share": 0.3}
    mailing.write_problem(columns={"country": {"type": "string"}}, layers={"mail": layer}, **changes)
    stand(mailing, ("old", 0.0, 0.3), ("new", 0.3, 1.0), phase="rest")
    mailing.land("a.jsonl", *people(400))
    mailing.fill()
    inside = [unit for unit in persons(400) if place(unit, "all mail") < 0.5]
    listed = [unit for unit in inside if place(unit, "june") >= 0.3]
    n_out = sum(place(unit, "all mail") >= 0.8 for unit in persons(400))
    assert (sorted(mailing.units()), {row["variant"] for row in mailing.listed()}) == (listed, {"new"})
    assert mailing.counts() == {
        ("2026-06-01", "listed"): len(listed),
        ("2026-06-01", "unit_held_back"): len(inside) - len(listed),
        ("2026-06-01", "unit_in_holdout"): n_out,
        ("2026-06-01", "unit_outside_slice"): 400 - n_out - len(inside),
    }


def test_a_person_who_is_eligible_in_one_of_two_rows_is_listed(mailing):
    mailing.write_problem(eligible="country = 'KR'")
    rows = [("p1", "US"), ("p1", "KR"), ("p2", "US"), ("p3", None), ("p1", "KR")]
    mailing.land("a.jsonl", *({"person": person, "country": country} for person, country in rows))
    mailing.fill()
    reasons = {"listed": 1, "unit_not_eligible": 3, "unit_twice_in_audience": 1}
    assert mailing.units() == ["p1"]
    assert mailing.counts() == {("2026-06-01", reason): n for reason, n in reasons.items()}


@pytest.mark.parametrize(
    ("phase", "changes", "told"),
    [
        (
            "pilot",
            {"pauses": [{"since": "2026-06-01T09:00:00Z"}]},
            "Paused since 2026-06-01 09:00 UTC: nobody is listed.",
        ),
        ("hold", {}, "On hold (window 2026-05-31): nothing is decided, and nobody is listed."),
        ("ended", {}, "Ended (window 2026-05-31): nobody is listed."),
    ],
)
def test_nobody_is_listed_while_nobody_is_sent_anything(mailing, phase, changes, told):
    mailing.write_problem(**changes)
    stand(mailing, *([("old", 0.0, 1.0)] if phase == "pilot" else []), phase=phase)
    mailing.land("a.jsonl", *people(3))
    done = mailing.fill()
    assert told in done["reason"]
    assert mailing.counts() == {("2026-06-01", f"experiment_{'paused' if changes else phase}"): 3}
    mailing.write_problem()
    stand(mailing, ("new", 0.0, 1.0), phase="rest")
    assert mailing.fill()["n_rows"] == 3  # cleared when it goes on


def test_a_pilot_that_is_over_with_no_window_lists_nobody(mailing):
    mailing.land("a.jsonl", *people(3))
    assert mailing.fill(now=NOW + timedelta(days=30))["counts"] == {"experiment": {"experiment_hold": 3}}


def test_a_plan_that_changes_between_two_audiences_is_written_beside_each_unit(mailing):
    mailing.land("a.jsonl", *people(20))
    mailing.fill()
    mailing.write_problem(salt="july")
    mailing.land("b.jsonl", *people(40), day="2026-06-02")
    mailing.fill("2026-06-02")
    assert [{line["plan"] for line in lines} for lines in mailing.files().values()] == [{1}, {2}]
    second = list(mailing.files().values())[1]
    assert len(second) == 20
    assert all(line["variant"] == ("old" if place(line["unit"], "july") < 0.5 else "new") for line in second)


def test_two_audiences_at_once_list_each_person_once(mailing):
    mailing.land("a.jsonl", *people(300))
    mailing.land("b.jsonl", *people(300), *people(50, "q"), day="2026-06-02")
    with ThreadPoolExecutor(2) as threads:
        done = list(threads.map(mailing.fill, ["2026-06-01", "2026-06-02"]))
    assert sum(one["n_rows"] for one in done) == 350
    assert sorted(mailing.units()) == sorted(persons(300) + persons(50, "q"))


def test_the_outbox_lies_in_the_object_store_where_the_lake_does(mailing, bucket):
    mailing.land("a.jsonl", *people(5))
    mailing.fill()
    lines = mailing.outbox().read(FIRST).decode().splitlines()
    assert sorted(json.loads(line)["unit"] for line in lines) == persons(5)


@pytest.mark.slow
def test_two_hundred_thousand_people_are_listed_in_one_file(mailing):
    mailing.land("a.jsonl", *people(200_000))
    assert mailing.fill()["n_rows"] == 200_000
    assert len(set(mailing.units())) == 200_000


def test_the_example_of_the_documentation_runs(mailing):
    page = (REPOSITORY / "docs" / "experiments.md").read_text(encoding="utf-8")
    section = page.split("## Mail and push")[1]
    example = yaml.safe_load(section.split("```yaml\n")[1].split("```")[0])
    problem = make_problem({}, **example["experiment"]) | {"sources": example["sources"]}
    (mailing.problems_dir / "mailing.yaml").write_text(yaml.safe_dump(problem))
    mailing.land("a.jsonl", *people(8))
    mailing.fill()
    told = json.loads(section.split("```json\n")[1].split("```")[0])
    assert told in mailing.files()[FIRST]
