import pytest
import yaml

from include.review.contracts import ImportedCorrections, ImportedFile
from tests.include.problems.conftest import GOOD

DAG = "rides__corrections"
LABEL = {"classes": ["early", "late"], "positive": "late", "source": "log", "corrections": True}
LABEL |= {"known_when": "TRUE", "positive_when": "TRUE"}


@pytest.fixture(scope="module")
def rides(load, tmp_path_factory):
    """Everything over one problem whose log people correct."""
    folder = tmp_path_factory.mktemp("corrected")
    (folder / "rides.yaml").write_text(yaml.safe_dump(GOOD | {"label": LABEL}))
    return load(folder)


def test_only_problems_whose_log_is_corrected_have_it(rides, dags):
    assert rides.import_errors == {}
    assert (rides.of("corrections"), dags.of("corrections")) == ({"rides"}, set())


def test_scored_partitions_whose_labels_changed_are_announced(rides):
    found = ImportedCorrections((ImportedFile("labels/rides/x.jsonl", 2, 1, 0),), ("2013-01",)).to_xcom()
    answer = rides.run(DAG, "import_corrections", outcome=found)
    assert answer["announced"] == {"model/rides": ["2013-01"]}
    assert answer["called"][0]["arguments"]["problem"] == "rides"


def test_a_look_that_finds_nothing_ends_green_and_announces_nothing(rides):
    answer = rides.run(DAG, "import_corrections", outcome=ImportedCorrections((), ()).to_xcom())
    assert (answer["announced"], answer["skipped"], answer["error"]) == ({}, None, None)


def test_a_file_that_cannot_be_read_is_red(rides):
    assert rides.run(DAG, "import_corrections", error="BadLanding")["error"] == "BadLanding: as the test says"
    assert rides.red_when_fails(DAG) == {"import_corrections"}
