from concurrent.futures import ThreadPoolExecutor

import pytest

from include.serving.clients.evaluate import place
from tests.include.experiments.outbox.factories import people


def test_everybody_is_listed_once_with_the_variant_of_the_published_recipe(mailing):
    mailing.land("a.jsonl", *people(100))
    done = mailing.fill()
    assert done["files"] == ["mailing/experiment/000001.jsonl"]
    lines = mailing.files()["mailing/experiment/000001.jsonl"]
    assert sorted(line["unit"] for line in lines) == sorted(one["person"] for one in people(100))
    assert all(line["variant"] == ("old" if place(line["unit"], "june") < 0.5 else "new") for line in lines)
    assert {(line["experiment"], line["phase"], line["plan"], line["window"]) for line in lines} == {
        ("mailing.experiment", "pilot", 1, None)
    }


def test_the_same_audience_filled_again_or_landed_again_lists_nobody_twice(mailing):
    mailing.land("a.jsonl", *people(50))
    before = (mailing.fill()["n_rows"], mailing.files())
    assert (mailing.fill()["n_rows"], mailing.files()) == (0, before[1])
    mailing.land("b.jsonl", *people(60), day="2026-06-02")
    assert mailing.fill("2026-06-02")["n_rows"] == 10
    assert sorted(mailing.units()) == sorted(one["person"] for one in people(60))
    assert mailing.counts() == {
        ("2026-06-01", "listed"): 50,
        ("2026-06-02", "listed"): 10,
        ("2026-06-02", "already_listed"): 50,
    }
