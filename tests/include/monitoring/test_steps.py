from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, insert, select, text

from include.errors import BadProbabilities, NotInLake
from include.lake.reading import list_partitions, open_rows
from include.lake.writing import replace_partition
from include.monitoring.lateness import due_partitions
from include.monitoring.steps import measure_partition, raise_alerts, tell_alerts, watch_alerts
from include.names import Coverage, Stage, events_table, predictions_table
from include.warehouse import coverage
from include.warehouse.tables import METADATA
from include.warehouse.withdrawals import forget_partitions

NOW = datetime(2013, 7, 1, tzinfo=UTC)
CALM = [float(n % 20) for n in range(100)]
WILD = [float(n % 20) + 15 for n in range(100)]


def table(name):
    return METADATA.tables[f"core.{name}"]


def stored(engine, name, *columns, order=("partition_key",)):
    source = table(name)
    with engine.connect() as connection:
        query = select(*(source.c[c] for c in columns)).order_by(*(source.c[c] for c in order))
        return [tuple(row) for row in connection.execute(query)]


def everything(engine):
    return {
        name: stored(engine, name, *columns, order=table(name).primary_key.columns.keys())
        for name, columns in {
            "feature_drift": (
                "partition_key",
                "feature",
                "psi_ratio",
                "bins",
                "verdict",
                "wasserstein",
                "chi_square_q_value",
            ),
            "calibration_bin": ("partition_key", "model_version", "bin_index", "n_rows", "n_positive", "low"),
            "calibration_curve": ("partition_key", "model_version", "point_index", "n_rows", "band_low", "band_high"),
            "calibration_summary": ("partition_key", "model_version", "n_rows", "n_labelled", "ece_ratio"),
            "alert": ("partition_key", "alert_id", "message", "opened_at_utc"),
        }.items()
    }


def publish_three(make_lake, **options):
    lake = make_lake(**options)
    lake.publish("2013-01", CALM)
    lake.publish("2013-02", CALM)
    lake.publish("2013-03", WILD)
    return lake


def start_again(engine):
    """Empty the lake and what was measured."""
    for name in (events_table("p"), predictions_table("p")):
        for key in list_partitions(name):
            replace_partition(name, key, open_rows(name, []).to_pyarrow())
    with engine.begin() as connection:
        measured = ("feature_drift", "calibration_summary", "calibration_bin", "calibration_curve")
        for name in (*measured, "alert", "coverage"):
            connection.execute(table(name).delete())


def run(partition_key):
    measured = measure_partition(problem="p", partition_key=partition_key)
    return measured, raise_alerts(problem="p", partition_key=partition_key)


def test_a_partition_without_a_model_has_drift_and_no_calibration(make_lake, house):
    publish_three(make_lake)
    measured, raised = run("2013-03")
    assert measured == {"n_rows": 100, "n_alerts": 1, "partitions": ["2013-03"]}
    assert (raised["n_alerts"], raised["n_new"]) == (1, 1)
    assert "speed has moved away from 2013-01..2013-02" in raised["messages"][0]
    rows = stored(house.engine, "feature_drift", "feature", "verdict", "n_rows", "n_reference", order=("feature",))
    assert rows == [("carrier", "stable", 100, 200), ("speed", "moved", 100, 200)]
    measures = ("chi_square_p_value", "chi_square_q_value", "ks_ratio")
    carrier, speed = stored(house.engine, "feature_drift", *measures, order=("feature",))
    # Of two columns the larger p-value stays, and the smaller one is doubled.
    assert carrier == (1.0, 1.0, None)
    assert speed[1] == pytest.approx(2 * speed[0], rel=1e-9)
    assert 0 < speed[2] <= 1
    assert stored(house.engine, "calibration_summary", "n_rows") == []


def test_the_reference_itself_is_measured_and_never_an_alert(make_lake, house):
    lake = make_lake()
    lake.publish("2013-01", CALM)
    lake.publish("2013-02", WILD)
    _, raised = run("2013-02")
    columns = ("reference", "is_in_reference", "verdict")
    assert stored(house.engine, "feature_drift", *columns, order=("feature",))[1] == ("2013-01..2013-02", True, "moved")
    assert raised["n_alerts"] == 0


def test_scores_of_a_log_problem_are_held_against_its_labels(make_lake, house):
    lake = publish_three(make_lake)
    lake.score("2013-03", "v1", [0.25] * 80 + [0.75] * 20, [True] * 20 + [False] * 60 + [True] * 15 + [None] * 5)
    run("2013-03")
    columns = ("model_version", "label_arm", "n_rows", "n_labelled", "n_positive", "ece_ratio", "auc_ratio")
    [row] = stored(house.engine, "calibration_summary", *columns)
    # 80 rows say 0.25 and 20 of them happened; 15 labelled rows say 0.75 and all happened.
    auc = (15 * 60 + 20 * 60 / 2) / (35 * 60)
    assert row[:5] == ("v1", "log", 100, 95, 35)
    assert row[5:] == pytest.approx((15 / 95 * 0.25, auc))
    bins = stored(house.engine, "calibration_bin", "bin_index", "n_rows", "n_positive", order=("bin_index",))
    assert bins == [(2, 80, 20), (7, 15, 15)]
    points = stored(house.engine, "calibration_curve", "predicted_ratio", "recalibrated_ratio", "n_rows", "n_positive")
    assert sorted(points) == [(0.25, 0.25, 80, 20), (0.75, 1.0, 15, 15)]
    columns = ("metric", "label_arm", "n_rows", "estimate", "n_labelled", "labelled_estimate", "actual")
    estimates = stored(house.engine, "performance_estimate", *columns, order=("metric",))
    assert [row[0] for row in estimates] == ["brier_score", "log_loss_nats", "positive_ratio", "profit"]
    assert estimates[2][1:] == ("log", 100, pytest.approx(0.35), 95, pytest.approx(31.25 / 95), pytest.approx(35 / 95))


def test_labels_that_come_later_replace_the_curve(make_lake, house):
    lake = publish_three(make_lake)
    lake.score("2013-03", "v1", [0.2] * 50 + [0.8] * 50, [False] * 50 + [None] * 50)
    run("2013-03")
    columns = ("predicted_ratio", "recalibrated_ratio", "n_rows")
    assert stored(house.engine, "calibration_curve", *columns) == [(0.2, 0.0, 50)]
    lake.score("2013-03", "v1", [0.2] * 50 + [0.8] * 50, [False] * 50 + [True] * 50)
    run("2013-03")
    assert sorted(stored(house.engine, "calibration_curve", *columns)) == [(0.2, 0.0, 50), (0.8, 1.0, 50)]


def test_scores_are_compared_with_the_first_partition_of_the_same_model(make_lake, house):
    lake = publish_three(make_lake)
    lake.publish("2013-04", CALM)
    lake.publish("2013-05", CALM)
    for key, version in (("2013-03", "v1"), ("2013-04", "v1"), ("2013-05", "v2")):
        lake.score(key, version, list(np.linspace(0, 1, 100)))
        run(key)
    query = select(table("feature_drift").c["partition_key", "reference", "is_in_reference"])
    with house.engine.connect() as connection:
        rows = connection.execute(
            query.where(table("feature_drift").c.feature == "p_positive").order_by("partition_key")
        )
        assert [tuple(row) for row in rows] == [
            ("2013-03", "2013-03 scored by v1", True),
            ("2013-04", "2013-03 scored by v1", False),
            ("2013-05", "2013-05 scored by v2", True),
        ]


@pytest.mark.slow
def test_partitions_in_any_order_end_in_the_same_rows(make_lake, house):
    rng = np.random.default_rng(2)
    lake = make_lake()
    data = {f"2013-0{month}": list(rng.normal(month, 2, 100)) for month in range(1, 5)}
    outcomes = []
    for order in (sorted(data), sorted(data, reverse=True)):
        start_again(house.engine)
        for key in order:
            lake.publish(key, data[key])
            lake.score(key, "v1", [0.5] * 60 + [0.1] * 40, [True] * 60 + [False] * 40)
            run(key)
        outcome = everything(house.engine)
        outcome["alert"] = [row[:3] for row in outcome["alert"]]
        outcomes.append(outcome)
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0]["feature_drift"]) == 12


def test_measuring_twice_changes_nothing_and_an_alert_keeps_its_time(make_lake, house):
    lake = publish_three(make_lake)
    lake.score("2013-03", "v1", [0.9] * 100, [False] * 100)
    first, raised = run("2013-03")
    before = everything(house.engine)
    again, raised_again = run("2013-03")
    assert everything(house.engine) == before
    assert (first, raised["n_alerts"], raised["n_new"]) == (again, raised_again["n_alerts"], 2)
    assert raised_again["n_new"] == 0


def test_an_alert_goes_when_the_partition_is_mended(make_lake, house):
    lake = publish_three(make_lake)
    run("2013-03")
    lake.publish("2013-03", CALM)
    _, raised = run("2013-03")
    assert (raised["n_alerts"], stored(house.engine, "alert", "alert_id")) == (0, [])


def test_a_partition_that_is_not_published_is_refused_with_what_is(make_lake):
    publish_three(make_lake)
    with pytest.raises(NotInLake, match=r"'2013-09' of p is not a published.*2013-01\.\.2013-03, 3 in all"):
        measure_partition(problem="p", partition_key="2013-09")


def test_one_bad_score_leaves_the_warehouse_as_it_was(make_lake, house):
    lake = publish_three(make_lake)
    lake.score("2013-03", "v1", [0.5] * 99 + [1.5])
    with pytest.raises(BadProbabilities, match=r"1 of 100 scored rows of 2013-03 .*1\.5"):
        measure_partition(problem="p", partition_key="2013-03")
    assert stored(house.engine, "feature_drift", "feature") == []


def test_the_views_learn_what_the_problem_file_says(make_lake, house):
    publish_three(make_lake)
    measure_partition(problem="p", partition_key="2013-03", run_id="r")
    row = stored(house.engine, "problem", "problem", "positive_label", "value_unit", "grain", order=("problem",))
    assert row == [("p", "bad", "euros", "month")]
    assert stored(house.engine, "coverage", "status", "run_id")[-1] == ("running", "r")
    raise_alerts(problem="p", partition_key="2013-03", run_id="r")
    with house.engine.connect() as connection:
        done = text("SELECT partition_key FROM core.coverage WHERE stage = 'monitor' AND status = 'done'")
        assert connection.scalars(done).all() == ["2013-03"]


# ---------------------------------------------------------------- desk problems


def answer(house, batch, version, key, item, arm, p, label, by="ann"):
    """Put one answered item of a batch into the warehouse."""
    shared = {"problem": "p", "batch_id": batch}
    item_id = f"{key}-{item}"
    with house.engine.begin() as connection:
        found = connection.scalar(
            select(func.count()).select_from(table("review_batch")).where(table("review_batch").c.batch_id == batch)
        )
        if not found:
            when = {"chosen_at_utc": NOW, "due_at_utc": NOW + timedelta(days=2), "answered_at_utc": NOW}
            row = {"round_number": int(batch[-3:]), "model_version": version, "n_items": 1, "n_pool": 10}
            row |= {"status": "answered", "opened_by": "x"}
            connection.execute(table("review_batch").insert(), [shared | when | row])
        if by == "ann":
            row = {"item_id": item_id, "partition_key": key, "arm": arm, "position": item, "p_positive": p}
            covers = {"is_sensitive": False, "is_for_others": False}
            connection.execute(
                table("review_item").insert(),
                [shared | row | {"inclusion_probability": 0.1, "n_answers_wanted": 1} | covers],
            )
        row = {"item_id": item_id, "labelled_by": by, "label": label, "arm": arm, "is_demo": True}
        connection.execute(table("label").insert(), [shared | row | {"labelled_at_utc": NOW}])


def test_a_desk_problem_is_judged_by_random_items_and_earlier_scores(make_lake, house):
    lake = publish_three(make_lake, source="desk")
    for key in ("2013-01", "2013-02", "2013-03"):
        lake.score(key, "v2", list(np.linspace(0, 1, 100)))
    answer(house, "round-001", None, "2013-01", 1, "random", None, "bad")  # cold start: nothing was said
    answer(house, "round-002", "v1", "2013-01", 2, "random", 0.3, "bad")
    answer(house, "round-002", "v1", "2013-01", 3, "entropy", 0.5, "good")  # chosen because it was hard
    answer(house, "round-002", "v1", "2013-02", 4, "random", 0.1, "good")
    answer(house, "round-002", "v1", "2013-09", 5, "random", 0.1, "good")  # its partition is gone
    measured, _ = run("round-002")
    assert measured["partitions"] == ["2013-01", "2013-02", "2013-03"]
    columns = (
        "partition_key",
        "model_version",
        "label_arm",
        "n_rows",
        "n_labelled",
        "n_positive",
        "mean_predicted_ratio",
    )
    order = ("partition_key", "model_version")
    assert stored(house.engine, "calibration_summary", *columns, order=order) == [
        ("2013-01", "v1", "random", 1, 1, 1, 0.3),
        ("2013-01", "v2", "random", 100, 0, 0, None),
        ("2013-02", "v1", "random", 1, 1, 0, 0.1),
        ("2013-02", "v2", "random", 100, 0, 0, None),
        ("2013-03", "v2", "random", 100, 0, 0, None),
    ]


def test_a_partition_of_a_desk_problem_is_measured_before_anybody_has_answered(make_lake, house):
    publish_three(make_lake, source="desk")
    measured, raised = run("2013-03")
    assert (measured["partitions"], measured["n_rows"], raised["n_alerts"]) == (["2013-03"], 100, 1)
    assert stored(house.engine, "feature_drift", "feature", order=("feature",)) == [("carrier",), ("speed",)]
    assert stored(house.engine, "calibration_summary", "n_rows") == []


def test_of_several_answers_the_majority_counts_and_a_tie_is_none(make_lake, house):
    lake = publish_three(make_lake, source="desk")
    lake.score("2013-01", "v1", [0.5] * 100)
    answer(house, "round-002", "v1", "2013-01", 1, "random", 0.3, "bad")
    for person in ("bob", "eve"):
        answer(house, "round-002", "v1", "2013-01", 1, "random", 0.3, "good", by=person)
    answer(house, "round-002", "v1", "2013-01", 2, "random", 0.3, "bad")
    answer(house, "round-002", "v1", "2013-01", 2, "random", 0.3, "good", by="bob")
    run("round-002")
    assert stored(house.engine, "calibration_summary", "n_labelled", "n_positive") == [(1, 0)]


def test_a_desk_model_that_scored_everything_is_compared_over_the_usual_reference(make_lake, house):
    lake = publish_three(make_lake, source="desk")
    for key in ("2013-01", "2013-02", "2013-03"):
        lake.score(key, "v2", list(np.linspace(0, 1, 100)))
    _, raised = run("round-001")
    query = select(table("feature_drift").c.reference).where(table("feature_drift").c.feature == "p_positive")
    with house.engine.connect() as connection:
        assert set(connection.scalars(query)) == {"2013-01..2013-02 scored by v2"}
    assert raised["n_alerts"] == 1


def test_a_withdrawn_partition_is_no_fault_to_measure(make_lake, house):
    lake = publish_three(make_lake)
    run("2013-03")
    assert stored(house.engine, "alert", "partition_key") != []
    counts = dict.fromkeys(("n_in", "n_withdrawn"), 100)
    counts |= dict.fromkeys(("n_published", "n_in_lake", "n_quarantined", "n_duplicate", "n_refused"), 0)
    row = {"problem": "p", "partition_key": "2013-03", "run_id": "r", "verdict": "withdrawn", **counts}
    with house.engine.begin() as connection:
        connection.execute(table("partition_audit").insert(), [row | {"finished_at_utc": NOW}])
        coverage.mark(connection, "p", Stage.INGEST, "2013-03", Coverage.REFUSED)
        forget_partitions(connection, "p", ["2013-03"])
    assert (stored(house.engine, "feature_drift", "partition_key"), lake.problem) == ([], "p")
    measured, raised = run("2013-03")
    assert (measured["n_rows"], raised["n_alerts"], stored(house.engine, "alert", "partition_key")) == (0, 0, [])


def test_a_partition_that_never_lands_is_an_alert_until_it_lands(make_lake, house, tmp_path):
    lake = make_lake()
    path = tmp_path / "problems" / "p.yaml"
    path.write_text(path.read_text().replace("minimum_rows: 40}", "minimum_rows: 40, arrives_within: P1D}"))
    lake.publish("2013-03", WILD)
    due = due_partitions("2013-01", "month", within=timedelta(days=1), now=datetime.now(UTC))
    keys = [key for key, _ in due]
    *there, missing = keys
    with house.engine.begin() as connection:
        for key in there:
            coverage.mark(connection, "p", Stage.LAND, key, Coverage.DONE)
        looked = {"problem": "p", "stage": "land", "step": "find_objects", "partition_key": "", "run_id": "first"}
        told = {"started_at_utc": datetime(2013, 1, 5, tzinfo=UTC), "duration_s": 1.0, "status": "done", "outcome": {}}
        connection.execute(insert(table("run_step")).values(looked | told))
    first, again = watch_alerts(problem="p"), watch_alerts(problem="p")
    assert (first["n_rows"], first["n_events"], again["n_events"]) == (1, 1, 0)
    assert f"The oldest is {missing}" in first["events"][0]
    raise_alerts(problem="p", partition_key="2013-03")
    assert ("late", missing) in stored(house.engine, "alert", "alert_id", "partition_key")
    with house.engine.begin() as connection:
        coverage.mark(connection, "p", Stage.LAND, missing, Coverage.DONE)
    assert watch_alerts(problem="p")["events"] == ["late closed: No partition is late any more."]
    assert [row for row in stored(house.engine, "alert", "alert_id") if row == ("late",)] == []


def test_without_a_promise_nothing_is_late(make_lake, house):
    make_lake()
    with house.engine.begin() as connection:
        coverage.mark(connection, "p", Stage.LAND, "2013-01", Coverage.DONE)
    assert watch_alerts(problem="p") == {"n_rows": 0, "n_events": 0, "events": [], "asked": []}


def test_alerts_are_told_once_and_none_from_before_anybody_was_named(make_lake, tmp_path):
    lake, sent = publish_three(make_lake), []
    telling = {"problem": "p", "send": sent.append, "pages_url": "https://airflow.example.org/mulgil/reports"}
    run("2013-03")
    assert tell_alerts(**telling) == {"n_rows": 0}
    file = tmp_path / "problems" / "p.yaml"
    named = "minimum_rows: 40, tell: {owner: {mail: [a@example.org]}}}"
    file.write_text(file.read_text().replace("minimum_rows: 40}", named))
    assert (tell_alerts(**telling)["n_rows"], sent) == (0, [])
    lake.publish("2013-04", CALM)  # of what was opened before, nobody hears that it ends
    run("2013-04")
    assert tell_alerts(**telling)["n_rows"] == 0
    lake.publish("2013-05", WILD)
    run("2013-05")
    assert [tell_alerts(**telling)["n_rows"] for _ in range(2)] == [1, 0]
    assert "https://airflow.example.org/mulgil/reports/alerts/p\n" in sent[0].text
