"""The problem that the README shows to a newcomer is a good one, and does with the logs beside it what it says."""

import pytest

from include.lake import steps as lake
from include.lake.reading import open_rows
from include.landing.steps import find_new_partitions
from include.names import events_table, quarantine_table
from include.problems.reading import read_problem_file
from include.quality import steps as quality
from include.settings import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Give the first piece of the README in a language."""
    return README.split(f"```{language}\n")[1].split("```")[0]


@pytest.fixture
def signups(tmp_path, monkeypatch):
    """Write the file as a newcomer would, into a folder of problems."""
    (tmp_path / "signups.yaml").write_text(block("yaml"), encoding="utf-8")
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(tmp_path))
    return tmp_path / "signups.yaml"


def test_the_problem_in_the_readme_can_be_used_as_it_stands(signups):
    problem = read_problem_file(signups)
    assert (problem.source.grain, problem.source.columns["mail"].pii) == ("day", "contact")


def test_its_logs_are_published_masked_and_the_unreadable_time_goes_to_quarantine(house, signups):
    landing = house.home / "landing" / "signups"
    landing.mkdir(parents=True)
    (landing / "2026-11-01.jsonl").write_text(block("json"), encoding="utf-8")

    (key,) = find_new_partitions(problem="signups")["partitions"]
    where = {"problem": "signups", "partition_key": key}
    staged = lake.stage_partition(**where)
    audit = quality.audit_partition(**where, staged=staged)
    lake.publish_partition(**where, staged=staged, audit=audit)

    assert key == "2026-11-01"
    published = open_rows(events_table("signups")).order_by("event_id").to_pyarrow().to_pylist()
    assert [(row["event_id"], row["n_pages"], row["mail"]) for row in published] == [
        ("e-1", 3, "k***@example.org"),
        ("e-2", 12, "l***@example.org"),
    ]
    (quarantined,) = open_rows(quarantine_table("signups")).to_pyarrow().to_pylist()
    assert "signed_up_at" in quarantined["reason"]
