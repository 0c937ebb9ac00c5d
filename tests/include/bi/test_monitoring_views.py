def drifted(key, feature="temperature_f", **figures):
    return {"partition_key": key, "feature": feature} | figures


SIZES = {"2013-12": 27_080, "2014-01": 99}


def alert(key, cause="drift:temperature_f", **changes):
    return {"partition_key": key, "alert_id": cause} | changes


def test_drift_shows_each_feature_of_each_partition(fill, read):
    figures = {"psi_ratio": 0.4, "js_ratio": 0.2, "missing_ratio": 0.1, "reference_missing_ratio": 0.0}
    fill("feature_drift", drifted("2013-07", verdict="moved", **figures), drifted("2013-08", verdict="stable"))
    columns = ("partition_key", "feature", "psi_ratio", "js_ratio", "verdict", "missing_ratio")
    assert read("drift_by_feature", *columns, "reference_missing_ratio") == [
        ("2013-07", "temperature_f", 0.4, 0.2, "moved", 0.1, 0.0),
        ("2013-08", "temperature_f", 0.5, 0.5, "stable", 0.5, 0.5),
    ]


def test_an_alert_stands_until_a_later_partition_is_measured_without_it(fill, read):
    fill("feature_drift", *(drifted(key) for key in ("2013-07", "2013-08", "2013-09", "2013-10")))
    fill("alert", alert("2013-07"), alert("2013-09", value=0.3), alert("2013-10", value=0.4))
    columns = ("alert_id", "partition_key", "since_partition_key", "n_partitions", "value")
    assert read("alert_open", *columns) == [("drift:temperature_f", "2013-10", "2013-09", 2, 0.4)]
    fill("feature_drift", drifted("2013-11"))
    assert read("alert_open", *columns) == []


def test_causes_are_apart_and_a_partition_without_labels_closes_no_calibration_alert(fill, read):
    fill("feature_drift", drifted("2013-07"), drifted("2013-08"))
    fill("calibration_summary", {"partition_key": "2013-07", "ece_ratio": 0.2}, {"partition_key": "2013-08"})
    fill("alert", alert("2013-07"), alert("2013-07", "calibration"))
    assert read("alert_open", "alert_id", "partition_key", "n_partitions") == [("calibration", "2013-07", 1)]


def test_a_partition_too_small_to_judge_ends_no_alert(fill, read):
    fill("problem", minimum_rows=100)
    fill("feature_drift", drifted("2013-12"), drifted("2014-01") | {"verdict": "too_few_rows"})
    fill("calibration_summary", *({"partition_key": k, "ece_ratio": 0.2, "n_labelled": n} for k, n in SIZES.items()))
    fill("alert", alert("2013-12"), alert("2013-12", "calibration"))
    assert read("alert_open", "alert_id", "partition_key") == [
        ("calibration", "2013-12"),
        ("drift:temperature_f", "2013-12"),
    ]


def test_stages_show_runs_failures_and_their_seconds(fill, read):
    runs = [("r1", 1.0, "done", 10), ("r2", 2.0, "done", 20), ("r3", 6.0, "failed", None)]
    rows = [{"run_id": r, "duration_s": s, "status": status, "n_rows": n} for r, s, status, n in runs]
    fill("run_step", *rows, stage="train", step="fit_candidates", partition_key="k")
    fill("run_step", stage="land", step="find_new_partitions", partition_key="", run_id="r1", duration_s=0.25)
    columns = ("step", "n_runs", "n_failed", "n_rows", "total_s", "median_s", "longest_s")
    assert read("stage_duration", *columns) == [
        ("find_new_partitions", 1, 0, None, 0.25, 0.25, 0.25),
        ("fit_candidates", 3, 1, 30, 9.0, 2.0, 6.0),
    ]
