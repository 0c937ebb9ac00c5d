from datetime import UTC, datetime


def drifted(key, feature="temperature_f", **figures):
    return {"partition_key": key, "feature": feature} | figures


SIZES = {"2013-12": 27_080, "2014-01": 99}


def alert(key, cause="drift", **changes):
    return {"partition_key": key, "alert_id": cause} | changes


def test_drift_shows_each_feature_of_each_partition(fill, read):
    figures = {"psi_ratio": 0.4, "js_ratio": 0.2, "missing_ratio": 0.1, "reference_missing_ratio": 0.0}
    fill("feature_drift", drifted("2013-07", verdict="moved", **figures), drifted("2013-08", verdict="stable"))
    columns = ("partition_key", "feature", "psi_ratio", "js_ratio", "verdict", "missing_ratio")
    assert read("drift_by_feature", *columns, "reference_missing_ratio") == [
        ("2013-07", "temperature_f", 0.4, 0.2, "moved", 0.1, 0.0),
        ("2013-08", "temperature_f", 0.5, 0.5, "stable", 0.5, 0.5),
    ]


def test_drift_shows_every_measure_and_a_category_has_none_of_numbers(fill, read):
    names = ("hellinger_ratio", "linf_ratio", "cramers_v_ratio", "chi_square_p_value", "chi_square_q_value")
    of_numbers = ("ks_ratio", "ks_high_ratio", "wasserstein", "wasserstein_error")
    shown = dict(zip((*names, *of_numbers), (0.1, 0.2, 0.3, 0.01, 0.02, 0.15, 0.2, 3.5, 0.5), strict=True))
    fill("feature_drift", drifted("2013-07", **shown), drifted("2013-08", "carrier", **{n: shown[n] for n in names}))
    assert read("drift_by_feature", "partition_key", *shown) == [
        ("2013-07", *shown.values()),
        ("2013-08", *(shown[name] for name in names), None, None, None, None),
    ]


def test_an_alert_stands_until_a_later_partition_is_measured_without_it(fill, read):
    fill("feature_drift", *(drifted(key) for key in ("2013-07", "2013-08", "2013-09", "2013-10")))
    fill("alert", alert("2013-07"), alert("2013-09", value=0.3), alert("2013-10", value=0.4))
    columns = ("alert_id", "partition_key", "since_partition_key", "n_partitions", "value")
    assert read("alert_open", *columns) == [("drift", "2013-10", "2013-09", 2, 0.4)]
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
        ("drift", "2013-12"),
    ]


def test_an_alert_of_one_class_stands_until_that_class_is_measured_without_it(fill, read):
    fill("problem", minimum_rows=100)
    fill("alert", alert("2013-07", "calibration:late"), alert("2013-07", "calibration:early"))
    measured = {"partition_key": "2013-07", "ece_ratio": 0.2, "n_labelled": 200}
    fill("class_calibration", measured | {"class_name": "late"}, measured | {"class_name": "early"})
    later = measured | {"partition_key": "2013-08", "class_name": "late"}
    fill("class_calibration", later | {"n_labelled": 99})
    assert read("alert_open", "alert_id") == ["calibration:early", "calibration:late"]
    fill("class_calibration", later | {"partition_key": "2013-09"})
    assert read("alert_open", "alert_id") == ["calibration:early"]


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


def happened(number, event, **changes):
    return {"alert_id": "drift", "event_number": number, "event": event, "is_by_person": False} | changes


def test_an_alert_that_a_person_closed_is_shown_again_by_a_later_partition_only(fill, read):
    fill("alert", alert("2013-07"), alert("2013-08"))
    closed = happened(2, "closed", partition_key="2013-08", is_by_person=True)
    fill("alert_event", happened(1, "opened", partition_key="2013-07"), closed)
    assert read("alert_open", "alert_id") == []
    fill("alert", alert("2013-09"))
    assert read("alert_open", "alert_id", "partition_key", "state") == [("drift", "2013-09", "open")]


def test_what_happened_before_an_alert_was_opened_anew_says_nothing_of_it_now(fill, read):
    fill("alert", alert("2013-07"))
    old = (happened(1, "opened"), happened(2, "escalated"), happened(3, "closed"))
    fill("alert_event", *old, happened(4, "opened"))
    assert read("alert_open", "state", "escalated_at_utc") == [("open", None)]
    fill("alert_event", happened(5, "escalated"))
    assert read("alert_open", "state") == ["escalated"]


def test_an_alert_counts_its_findings_and_one_of_the_desk_is_one(fill, read):
    findings = [{"subject": "a"}, {"subject": "b"}]
    fill("alert", alert("2013-07") | {"findings": findings, "n_watched": 9}, alert("2013-07", "review_overdue"))
    columns = ("alert_id", "n_findings", "n_watched")
    assert read("alert_open", *columns) == [("drift", 2, 9), ("review_overdue", 1, None)]


def test_columns_and_outputs_of_a_model_close_apart(fill, read):
    fill("feature_drift", drifted("2013-07"), drifted("2013-07", "p_positive"), drifted("2013-08", "said: interval"))
    fill("alert", alert("2013-07"), alert("2013-07", "output_drift"))
    assert read("alert_open", "alert_id") == ["drift"]


def test_the_history_has_a_row_for_each_thing_that_happened(fill, read):
    fill("alert_event", happened(1, "opened"), happened(2, "closed", actor="ada", is_by_person=True))
    columns = ("event_number", "event", "actor", "is_by_person")
    assert read("alert_history", *columns) == [(1, "opened", "x", False), (2, "closed", "ada", True)]


def test_the_history_says_of_each_thing_who_was_told_and_why_somebody_was_not(fill, read):
    fill("alert_event", happened(1, "opened"), happened(2, "escalated"), happened(3, "closed"))
    about = {"alert_id": "drift", "recipient": "owner", "n_attempts": 8}
    at = datetime(2026, 3, 1, tzinfo=UTC)
    told = about | {"channel": "mail", "status": "told", "event_number": 1, "told_at_utc": at, "last_error": None}
    lost = about | {"channel": "webhook", "status": "given_up", "event_number": 1, "told_at_utc": None}
    kept = about | {"channel": "mail", "status": "silent", "event_number": 2, "told_at_utc": None}
    kept |= {"last_error": "no server before it was snoozed"}
    fill("alert_message", told, lost | {"last_error": "no server"}, kept)
    columns = ("event_number", "n_messages", "n_told", "n_given_up", "told_at_utc", "message_error")
    assert read("alert_history", *columns) == [
        (1, 2, 1, 1, at, "owner by webhook, attempt 8: no server"),
        (2, 0, 0, 0, None, None),
        (3, 0, 0, 0, None, None),
    ]
