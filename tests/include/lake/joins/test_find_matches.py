import json

import pytest
import yaml
from sqlalchemy import select

from include.errors import NoLabelMatches
from include.lake.contracts import MatchedLabels
from include.lake.reading import open_events, read_log_states
from include.lake.steps import match_labels, publish_partition, stage_partition
from include.landing.steps import find_new_partitions, withdraw_objects
from include.learning.data.dataset import open_scorable, read_rows
from include.learning.data.features import FeatureSpec
from include.learning.training.schedule import labelled_prefix
from include.monitoring.steps import list_labelled, list_measured_again
from include.names import Coverage, Stage
from include.problems.reading import load_problem
from include.quality.steps import audit_partition
from include.warehouse.coverage import mark
from include.warehouse.tables.learning import LABEL_MATCH
from tests.include.lake.joins.test_label_log import LABEL, RETURNS, SOURCE

LOG = "orders.returns"
VALUE = {"unit": "u", "true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": 0}
TRAINING = {"model": "scorecard", "features": {"numeric": ["price"]}}


class Logs:
    """A problem whose labels come in a log of their own, and both in the lake."""

    def __init__(self, landing):
        self.landing = landing
        self.define()

    def define(self, more=None, lags=None, **label):
        people = dict.fromkeys(("title", "why", "owner", "escalation"), "x")
        problem = {"name": "orders", **people, "source": SOURCE | {"lags": lags or {}}, "sources": {"returns": RETURNS}}
        problem |= {"label": LABEL | label, "value": VALUE, "training": TRAINING, **(more or {})}
        (self.landing.problems_dir / "orders.yaml").write_text(yaml.safe_dump(problem))

    def drop(self, folder, name, *records):
        path = self.landing.folder / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))

    def orders(self, name, *orders):
        self.drop("orders", name, *({"order_id": key, "sent_at": f"2024-01-{day}T12:00:00Z"} for key, day in orders))

    def returns(self, name, *returns):
        self.drop(
            "returns",
            name,
            *(
                {"return_id": f"{name}{place}", "order_id": key, "came_at": f"2024-01-{day}T13:00:00Z", "reason": "r"}
                for place, (key, day) in enumerate(returns)
            ),
        )

    def ingest(self):
        for problem in ("orders", LOG):
            for key in find_new_partitions(problem=problem)["partitions"]:
                staged = stage_partition(problem=problem, partition_key=key)
                audit = audit_partition(problem=problem, partition_key=key, staged=staged)
                publish_partition(problem=problem, partition_key=key, staged=staged, audit=audit)

    def score(self, *keys):
        with self.landing.house.engine.begin() as connection:
            for key in keys:
                mark(connection, "orders", Stage.TRAIN, key, Coverage.DONE)

    def match(self, key):
        return MatchedLabels.from_xcom(match_labels(problem=LOG, partition_key=key))

    def stored(self):
        with self.landing.house.engine.begin() as connection:
            return {row["partition_key"]: dict(row) for row in connection.execute(select(LABEL_MATCH)).mappings()}


@pytest.fixture
def logs(landing):
    return Logs(landing)


def test_labels_are_counted_joined_and_reopen_what_they_change(logs):
    logs.orders("a", ("o1", "01"), ("o2", "02"), ("o3", "12"))
    logs.returns("a", ("o1", "05"), ("o3", "05"), ("o9", "05"), (None, "05"))
    logs.ingest()
    logs.score("2024-01-01", "2024-01-02")
    matched = logs.match("2024-01-05")
    assert dict(matched.counts) == {
        "n_labels": 4,
        "n_matched": 1,
        "n_late": 0,
        "n_before": 1,
        "n_unmatched": 1,
        "n_without_key": 1,
        "n_repeated": 0,
    }
    assert (matched.measured, matched.newest) == (("2024-01-01",), ("2024-01-01",))
    problem, days = load_problem("orders"), ["2024-01-01", "2024-01-02", "2024-01-12"]
    assert labelled_prefix(problem, days) == []  # the label log is known up to the fifth only
    before = read_log_states(problem)
    # A late label, one for the second time, and one past its period: what they change is looked at again.
    logs.returns("b", ("o1", "10"), ("o2", "13"), ("o3", "13"))
    logs.ingest()
    tenth, thirteenth = logs.match("2024-01-10"), logs.match("2024-01-13")
    assert (tenth.counts["n_repeated"], tenth.measured) == (1, ("2024-01-01",))
    assert [thirteenth.counts[name] for name in ("n_matched", "n_late", "n_before")] == [1, 1, 0]
    # Rows of the first and second days whose period ended between the tenth and the thirteenth are due by now.
    assert (thirteenth.measured, thirteenth.newest) == (("2024-01-01", "2024-01-02"), ("2024-01-12",))
    assert labelled_prefix(problem, days) == days[:2]
    rows = read_rows(problem, days).set_index("_partition_key")
    assert rows["_is_known"].to_dict() == {days[0]: True, days[1]: True, days[2]: False}
    assert rows["_is_positive"].to_dict() == {days[0]: True, days[1]: False, days[2]: True}
    # What a model has read is read again as it was, whatever has come since.
    then = read_rows(problem, days, logs=before).set_index("_partition_key")
    assert not then["_is_known"].any()
    assert then["_is_positive"].to_dict() == {days[0]: True, days[1]: False, days[2]: False}
    scorable = open_scorable(problem, days, FeatureSpec(("price",), {}, ()), None).to_pyarrow()
    assert scorable.column_names[-2:] == ["_is_known", "_is_positive"]
    assert set(logs.stored()) == {"2024-01-05", "2024-01-10", "2024-01-13"}


def test_labels_that_name_no_row_are_red_with_keys_of_both_sides(logs):
    logs.orders("a", ("o1", "01"), ("o2", "02"))
    logs.returns("a", ("O-1", "05"), ("O-2", "05"))
    logs.ingest()
    with pytest.raises(NoLabelMatches) as caught:
        logs.match("2024-01-05")
    said = str(caught.value)
    assert "orders: 0 of 2 rows of returns 2024-01-05 name a row of the problem by order_id = order_id." in said
    assert "Keys of returns: 'O-1', 'O-2'; keys of the problem's rows: 'o1', 'o2'." in said
    assert logs.stored()["2024-01-05"]["n_unmatched"] == 2
    # Rows of its time are not there yet: no reason to be red.
    logs.returns("b", ("o7", "28"))
    logs.ingest()
    assert logs.match("2024-01-28").counts["n_unmatched"] == 1


def test_labels_that_come_before_any_row_wait_and_are_found_later(logs):
    logs.returns("a", ("o1", "05"))
    logs.ingest()
    assert logs.match("2024-01-05").reason.startswith("There is nothing to match yet")
    logs.orders("a", ("o1", "01"))
    logs.ingest()
    rows = open_events(load_problem("orders"), ["2024-01-01"]).to_pyarrow().to_pylist()
    assert rows[0]["returns"]["reason"] == "r"
    matched = match_labels(problem=LOG, partition_key="2024-01-05")
    about = {"problem": LOG, "partition_key": "2024-01-05", "matched": matched}
    assert list_measured_again(**about)["keys"] == []
    assert list_labelled(**about)["keys"] == ["2024-01-01"]


def test_an_open_partition_of_the_label_log_keeps_its_rows_from_being_judged(logs):
    logs.orders("a", ("o1", "01"))
    logs.returns("a", ("o2", "02"), ("o2", "20"))
    logs.ingest()
    problem = load_problem("orders")
    assert read_rows(problem, ["2024-01-01"])["_is_known"].tolist() == [True]
    with logs.landing.house.engine.begin() as connection:
        mark(connection, LOG, Stage.LAND, "2024-01-03", Coverage.DONE)
    assert read_rows(problem, ["2024-01-01"])["_is_known"].tolist() == [False]
    with logs.landing.house.engine.begin() as connection:
        mark(connection, LOG, Stage.INGEST, "2024-01-03", Coverage.REFUSED)
    assert read_log_states(problem)["returns"].holes[0][0].day == 3
    assert read_rows(problem, ["2024-01-01"])["_is_known"].tolist() == [False]


def test_labels_count_as_they_were_until_their_partition_is_replaced(logs):
    logs.orders("a", ("o1", "01"))
    logs.returns("a", ("o1", "02"), ("o2", "20"))
    logs.ingest()
    problem = load_problem("orders")
    logs.returns("late", ("o1", "02"))
    find_new_partitions(problem=LOG)
    for status in (Coverage.WAITING, Coverage.RUNNING, Coverage.FAILED):
        with logs.landing.house.engine.begin() as connection:
            mark(connection, LOG, Stage.INGEST, "2024-01-02", status)
        assert read_rows(problem, ["2024-01-01"])[["_is_known", "_is_positive"]].values.tolist() == [[True, True]]
    about = {"problem": LOG, "objects": ["returns/a"], "reason": "wrong file", "actor": "kim"}
    withdraw_objects(**about)
    assert read_rows(problem, ["2024-01-01"])["_is_known"].tolist() == [False]


def test_lags_and_lookups_reach_over_partitions_and_never_ahead(logs):
    lookup = {"from": "returns", "on": {"order_id": "order_id"}, "columns": {"last_reason": "reason"}}
    lag = {"per": "order_id", "over": "P3D", "sql": "count(*)", "type": "integer"}
    features = {"numeric": ["price", "n_before"], "categorical": ["last_reason"]}
    more = {"lookups": {"last": lookup}, "training": TRAINING | {"features": features}}
    logs.define(more, {"n_before": lag})
    logs.orders("a", ("o1", "01"), ("o1", "02"), ("o1", "06"))
    logs.returns("a", ("o1", "01"), ("o1", "05"))
    logs.ingest()
    problem, days = load_problem("orders"), ["2024-01-01", "2024-01-02", "2024-01-06"]
    together = read_rows(problem, days)
    assert together["n_before"].tolist() == [0, 1, 0]
    assert together["last_reason"].isna().tolist() == [True, False, False]
    alone = read_rows(problem, days[1:2])
    assert (alone["n_before"].tolist(), alone["last_reason"].tolist()) == ([1], ["r"])
    before = read_log_states(problem)
    logs.orders("b", ("o1", "08"))
    logs.returns("b", ("o1", "09"))
    logs.ingest()
    assert read_rows(problem, days, logs=before)[together.columns].equals(together)
    assert read_rows(problem, days)["n_before"].tolist() == [0, 1, 0]
