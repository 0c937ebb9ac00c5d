"""Rows of a real lake, read the way models want them."""

from datetime import UTC, datetime

import pytest
import yaml

from include.errors import BadProblem
from include.learning.data import dataset
from include.learning.data.columns import BLOCK, IS_KNOWN, IS_POSITIVE, IS_RULE
from include.learning.data.features import TEXT_LIMIT, FeatureSpec
from include.learning.errors import BadFeatures
from include.names import PARTITION_KEY, ROW_KEY
from include.problems.reading import load_problem
from include.problems.schema import Problem
from tests.include.learning.conftest import LATE, make_mails, make_trips

BARE = Problem.model_validate(
    {name: value for name, value in LATE.items() if name in ("name", "source", "title", "why", "owner", "escalation")}
)


@pytest.mark.parametrize("section", ["training", "label", "value"])
def test_a_problem_without_a_section_is_refused_by_its_name(section: str):
    with pytest.raises(BadProblem, match=f"^late: there is no section {section}, so "):
        getattr(dataset, f"{section}_of")(BARE)


def test_rows_come_with_label_rule_and_day_in_the_order_of_keys(house, trips):
    problem = trips(["2013-02", "2013-01"])
    rows = dataset.read_rows(problem, ["2013-02", "2013-01"])
    truth = make_trips("2013-01").set_index("trip_id")
    assert rows[[PARTITION_KEY, ROW_KEY]].apply(tuple, axis=1).is_monotonic_increasing
    first = rows[rows[PARTITION_KEY] == "2013-01"].set_index(ROW_KEY)
    assert (first[IS_KNOWN] == truth["delay_min"].notna().reindex(first.index)).all()
    known = first[first[IS_KNOWN]]
    assert (known[IS_POSITIVE] == (truth["delay_min"] > 15).reindex(known.index)).all()
    assert (first[IS_RULE] == (truth["hour"] >= 20).reindex(first.index)).all()
    days = {at.toordinal() - datetime(1970, 1, 1, tzinfo=UTC).toordinal() for at in truth["left_at"]}
    assert set(first[BLOCK]) == days
    assert dataset.read_rows(problem, ["2013-01"], is_known_only=True)[IS_KNOWN].all()
    some = first.index[:3].tolist()
    assert dataset.read_rows(problem, ["2013-01"], row_keys=some)[ROW_KEY].tolist() == some


def test_rows_that_share_the_time_of_their_object_stand_each_for_itself(house, publish, problems_dir):
    columns = {name: column for name, column in LATE["source"]["columns"].items() if name != "left_at"}
    source = LATE["source"] | {"event_time": {"from": "object"}, "columns": columns}
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"source": source}))
    at_once = make_trips("2013-01").rename(columns={"left_at": "event_time"})
    publish("late", "trip_id", at_once.assign(event_time=at_once["event_time"].iloc[0]), "2013-01")
    rows = dataset.read_rows(load_problem("late"), ["2013-01"])
    assert len(rows) > 1
    assert rows[BLOCK].is_unique


def test_a_row_younger_than_its_labels_delay_has_no_label_yet(house, trips, problems_dir):
    trips(["2013-01"])
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | {"label": LATE["label"] | {"delay": "P10D"}}))
    problem = load_problem("late")
    at = datetime(2013, 1, 20, 5, tzinfo=UTC)
    rows = dataset.read_rows(problem, ["2013-01"], known_at=at)
    assert rows[rows[IS_KNOWN]][dataset.EVENT_AT].max() == datetime(2013, 1, 10, 5, tzinfo=UTC)
    assert dataset.read_rows(problem, ["2013-01"])[IS_KNOWN].sum() > rows[IS_KNOWN].sum()


def test_texts_are_cut_and_a_missing_column_is_named(house, publish):
    rows = make_mails()[0].iloc[:2].assign(body=["x" * 12_000, "line\u2028break"])
    publish("mail", "mail_id", rows, "2002-01")
    problem = load_problem("mail")
    read = dataset.read_rows(problem, ["2002-01"])
    assert read["body"].str.len().tolist() == [TEXT_LIMIT, 10]
    with pytest.raises(BadFeatures, match=r"1 of 1 feature columns are missing from lake\.mail: wind"):
        dataset.read_rows(problem, ["2002-01"], spec=FeatureSpec(("wind",), {}, ()))


def test_a_predicate_that_cannot_be_asked_is_named_by_its_field(house, trips, problems_dir):
    trips(["2013-01"])
    (problems_dir / "late.yaml").write_text(
        yaml.safe_dump(LATE | {"baseline": {"positive_when": "no_such_function(hour) > 2"}})
    )
    with pytest.raises(BadProblem, match=r"late: .*baseline\.positive_when.*the model in production stays"):
        dataset.read_rows(load_problem("late"), ["2013-01"])
