"""People correct what a log says: files in landing, rows in the lake, and the labels that models read."""

import json
import os
from datetime import UTC, datetime

import pytest
import yaml
from sqlalchemy import select

from include.errors import BadProblem
from include.lake.reading import open_rows
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.learning.data.dataset import open_scorable, read_rows
from include.learning.data.features import FeatureSpec
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.quality.steps import audit_partition
from include.review.steps import import_corrections
from include.warehouse.coverage import mark
from include.warehouse.tables.review import LABEL_CORRECTION, LABEL_FILE
from tests.include.lake.conftest import PROBLEM, flight, landing

__all__ = ["flight", "landing"]
pytestmark = pytest.mark.slow

TOO_EARLY = datetime(2013, 2, 1, tzinfo=UTC)
VALUE = {"unit": "u", "true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": 0}
LABEL = {"classes": ["on time", "late"], "positive": "late", "source": "log", "corrections": True, "delay": "P9000D"}
LABEL |= {"known_when": "delay IS NOT NULL", "positive_when": "delay > 15"}
LEARNS = {"label": LABEL, "value": VALUE, "training": {"model": "scorecard", "features": {"numeric": ["gate"]}}}


class Files:
    """Flights in the lake, and a place to drop corrections."""

    def __init__(self, landing):
        self.landing = landing

    def define(self, **label):
        problem = PROBLEM | LEARNS | {"label": LABEL | label}
        (self.landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))

    def correct(self, name, *lines):
        path = self.landing.folder / "labels" / "flights" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))

    def known(self, at=None):
        rows = read_rows(load_problem("flights"), ["2013-01"], known_at=at)
        names = open_rows("lake.flights").select("_row_key", "flight_id").to_pyarrow().to_pylist()
        ids = {row["_row_key"]: row["flight_id"] for row in names}
        said = zip(rows["_row_key"], rows["_is_known"], rows["_is_positive"], strict=True)
        return {ids[key]: bool(positive) if is_known else None for key, is_known, positive in said}

    def stored(self, table, *columns):
        with self.landing.house.engine.connect() as connection:
            query = select(*(table.c[name] for name in columns)).order_by(*(table.c[name] for name in columns))
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def files(landing, flight):
    """Publish a late flight, one on time and one that nobody knows of yet, whose id is long and odd."""
    files = Files(landing)
    files.define()
    landing.drop("a.jsonl", flight("a", delay=20), flight("b", delay=3), flight("c|\u2028" * 3000, delay=None))
    for key in find_new_partitions(problem="flights")["partitions"]:
        about = {"problem": "flights", "partition_key": key}
        staged = stage_partition(**about)
        publish_partition(**about, staged=staged, audit=audit_partition(**about, staged=staged))
    return files


def line(flight_id, label, by="kim", **more):
    return {"batch_id": "corrections", "flight_id": flight_id, "label": label, "labelled_by": by} | more


def scored(landing):
    with landing.house.engine.begin() as connection:
        mark(connection, "flights", Stage.TRAIN, "2013-01", Coverage.DONE)


def test_people_are_believed_where_both_say_something(files):
    assert list(files.known().values()) == [True, False, None]
    assert list(files.known(TOO_EARLY).values()) == [None, None, None]
    files.correct("x.jsonl", line("a", "on time"), line("b", "on time"), line("c|\u2028" * 3000, "late", note="saw it"))
    found = import_corrections(problem="flights")
    assert (found["n_rows"], found["n_rejected"]) == (3, 0)
    assert list(files.known().values()) == list(files.known(TOO_EARLY).values()) == [False, False, True]
    spec = FeatureSpec(("gate",), {}, ())
    table = open_scorable(load_problem("flights"), ["2013-01"], spec, None).to_pyarrow()
    assert table["_is_known"].to_pylist() == [True, True, True]
    assert table["_row_key"].to_pylist() == sorted(table["_row_key"].to_pylist())
    columns = ("is_positive", "log_is_positive", "partition_key")
    assert files.stored(LABEL_CORRECTION, *columns) == [
        (False, False, "2013-01"),
        (False, True, "2013-01"),
        (True, None, "2013-01"),
    ]


def test_most_people_decide_a_tie_leaves_the_log_and_the_newest_file_counts(files):
    files.correct("1.jsonl", line("a", "on time"), line("a", "late", "lee"), line("b", "late"))
    import_corrections(problem="flights")
    assert list(files.known().values()) == [True, True, None]
    files.correct("2.jsonl", line("a", "on time", "ann"), line("b", "on time"))
    import_corrections(problem="flights")
    assert list(files.known().values()) == [False, False, None]


def test_lines_that_cannot_be_taken_are_counted_and_the_others_stored(files):
    bad = [line("nowhere", "late"), line("a", "early"), {"batch_id": "round-001"}, "no json\n", line("a", "late", "")]
    files.correct("x.jsonl", *bad, line("b", "late"))
    found = import_corrections(problem="flights")
    assert (found["n_rows"], found["n_rejected"]) == (1, 5)
    [(reasons,)] = files.stored(LABEL_FILE, "reasons")
    assert "no published row is called so; drop the file again once it is" in {one["reason"] for one in reasons}


def test_scored_partitions_are_told_once_and_again_by_a_repeated_run(files):
    files.correct("x.jsonl", line("a", "on time"))
    assert import_corrections(problem="flights", run_id="r0")["keys"] == []
    scored(files.landing)
    files.correct("y.jsonl", line("b", "late"))
    for _ in range(2):
        assert import_corrections(problem="flights", run_id="r1")["keys"] == ["2013-01"]
    assert import_corrections(problem="flights", run_id="r2")["keys"] == []


def test_without_corrections_in_the_file_the_log_alone_counts(files):
    files.correct("x.jsonl", line("a", "on time"))
    import_corrections(problem="flights")
    files.define(corrections=False)
    assert list(files.known().values()) == [True, False, None]


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        (
            {"source": "desk", "known_when": None, "positive_when": None, "delay": None},
            "people give this label already",
        ),
        (
            {"positive": None, "classes": [], "quantity": {"unit": "u"}, "value": "gate", "positive_when": None},
            "a quantity is corrected in its log",
        ),
    ],
)
def test_where_nothing_is_to_correct_the_file_is_refused(files, label, sentence):
    files.define(**label)
    with pytest.raises(BadProblem, match=sentence):
        load_problem("flights")


def test_of_one_person_the_newest_file_counts_whatever_its_name(files):
    files.correct("z-first.jsonl", line("a", "late"))
    files.correct("a-second.jsonl", line("a", "on time"))
    for name, at in (("z-first.jsonl", 1_000_000_000), ("a-second.jsonl", 1_000_000_100)):
        os.utime(files.landing.folder / "labels" / "flights" / name, (at, at))
    import_corrections(problem="flights")
    assert files.known()["a"] is False


CLASSES = {"classes": ["early", "on time", "late"], "positive": None, "positive_when": None, "delay": None}
IN_WORDS = "CASE WHEN delay > 15 THEN 'late' ELSE 'on time' END"


@pytest.mark.parametrize(
    ("asked", "said", "log", "known"),
    [
        ({"value": IN_WORDS}, "early", "late", "early"),
        ({"value": f"[{IN_WORDS}]", "multiple": True}, ["late", "early"], '["late"]', ["early", "late"]),
        ({"value": f"[{IN_WORDS}]", "multiple": True}, [], '["late"]', []),
    ],
)
def test_several_classes_and_several_labels_are_corrected_in_their_words(files, asked, said, log, known):
    label = {name: value for name, value in {**LABEL, **CLASSES, **asked}.items() if value is not None}
    learns = LEARNS | {"label": label, "value": VALUE if "multiple" in asked else {"unit": "u"}}
    (files.landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(PROBLEM | learns))
    files.correct("x.jsonl", line("a", said), line("b", "no class"))
    found = import_corrections(problem="flights")
    assert (found["n_rows"], found["n_rejected"]) == (1, 1)
    assert files.stored(LABEL_CORRECTION, "is_positive", "log_is_positive", "log_label") == [(None, None, log)]
    rows = read_rows(load_problem("flights"), ["2013-01"])
    labels = [one if isinstance(one, str) else list(one) for one in rows.loc[rows["_is_known"], "_labels"]]
    assert labels == [known, "on time" if isinstance(known, str) else ["on time"]]
