import math

import pytest


def summary(key, **figures):
    return {"partition_key": key, "model_version": "v1"} | figures


def reliability_bin(key, index, n_rows, n_positive, mean):
    ratio = n_positive / n_rows
    return {
        "partition_key": key,
        "model_version": "v1",
        "bin_index": index,
        "bin_low": index / 10,
        "bin_high": (index + 1) / 10,
        "n_rows": n_rows,
        "n_positive": n_positive,
        "mean_predicted_ratio": mean,
        "observed_ratio": ratio,
    }


def test_the_days_of_a_month_are_added_up_by_their_rows(fill, read):
    fill(
        "calibration_summary",
        summary("2013-07-01", n_rows=12, n_labelled=10, n_positive=2, mean_predicted_ratio=0.3, brier_score=0.1)
        | {"log_loss_nats": 0.4, "auc_ratio": 0.75},
        summary("2013-07-02", n_rows=30, n_labelled=30, n_positive=18, mean_predicted_ratio=0.5, brier_score=0.2)
        | {"log_loss_nats": 0.8, "auc_ratio": 0.5},
    )
    fill(
        "calibration_bin",
        reliability_bin("2013-07-01", 3, 10, 2, 0.3),
        reliability_bin("2013-07-02", 3, 10, 8, 0.4),
        reliability_bin("2013-07-02", 5, 20, 10, 0.55),
    )
    columns = ("month", "n_rows", "n_labelled", "n_positive", "mean_predicted_ratio", "observed_ratio", "ece_ratio")
    [row] = read("calibration_monthly", *columns, "brier_score", "log_loss_nats", "auc_ratio")
    # Bin 3 of the month: 10 of 20 happened where 0.35 was said; bin 5: 10 of 20 where 0.55 was said.
    ece = 0.5 * abs(0.35 - 0.5) + 0.5 * abs(0.55 - 0.5)
    auc = (0.75 * 2 * 8 + 0.5 * 18 * 12) / (2 * 8 + 18 * 12)
    expected = (42, 40, 20, 0.45, 0.5, ece, 0.175, 0.7, auc)
    assert row[0] == "2013-07"
    assert row[1:] == pytest.approx(expected)


def test_one_class_in_a_month_has_no_auc_and_partitions_without_labels_no_row(fill, read):
    fill(
        "calibration_summary",
        summary("2013-07", n_labelled=5, n_positive=0, mean_predicted_ratio=0.1, brier_score=0.01, log_loss_nats=0.1),
        summary("2013-08", n_labelled=0, n_positive=0),
    )
    fill("calibration_bin", reliability_bin("2013-07", 1, 5, 0, 0.1))
    assert read("calibration_monthly", "month", "observed_ratio", "auc_ratio") == [("2013-07", 0.0, None)]


def test_bins_of_a_month_merge_and_carry_the_wilson_interval(fill, read):
    # 10 of 100: centre (0.1 + z²/200) / (1 + z²/100), Wilson 1927; the usual tables say 0.0552 to 0.1744.
    fill("calibration_bin", reliability_bin("2013-07-01", 1, 40, 4, 0.1), reliability_bin("2013-07-02", 1, 60, 6, 0.2))
    columns = ("n_rows", "n_positive", "bin_low", "bin_high", "mean_predicted_ratio", "observed_ratio", "low", "high")
    [row] = read("calibration_bin", *columns)
    assert row == pytest.approx((100, 10, 0.1, 0.2, 0.16, 0.1, 0.05523, 0.17437), abs=1e-5)


def test_versions_months_and_bins_stay_apart(fill, read):
    fill("calibration_bin", reliability_bin("2013-07", 1, 4, 0, 0.1), reliability_bin("2013-08", 1, 4, 4, 0.1))
    fill("calibration_bin", reliability_bin("2013-07", 1, 4, 2, 0.1) | {"model_version": "v2"})
    assert read("calibration_bin", "month", "model_version", "observed_ratio", by="1, 2") == [
        ("2013-07", "v1", 0.0),
        ("2013-07", "v2", 0.5),
        ("2013-08", "v1", 1.0),
    ]
    [low] = set(read("calibration_bin", "low", by="month, model_version")[:1])
    assert math.isclose(low, 0.0, abs_tol=1e-15)


def test_a_partition_shows_what_is_left_of_its_error_without_chance(fill, read):
    figures = {"ece_ratio": 0.02, "error_ratio": 0.0085, "relative_error_ratio": 0.85, "calibration_slope": 0.4}
    fill(
        "calibration_summary",
        summary("2013-07-01", n_rows=12, n_labelled=10, n_positive=2, positive_ratio=0.2) | figures,
        summary("2013-07-02", n_rows=12, n_labelled=0, n_positive=0),
    )
    columns = ("partition_key", "observed_ratio", *figures)
    assert read("calibration_by_partition", *columns) == [("2013-07-01", 0.2, *figures.values())]


def test_a_partition_has_its_curve_and_the_parts_of_its_scores(fill, read):
    names = ("point_index", "predicted_ratio", "recalibrated_ratio", "band_low", "band_high", "n_rows", "n_positive")
    points = [(0, 0.1, 0.2, 0.05, 0.15, 40, 8), (1, 0.5, 0.6, 0.4, 0.65, 60, 36)]
    key = {"partition_key": "2013-07-01", "model_version": "v1"}
    fill("calibration_curve", *(key | dict(zip(names, point, strict=True)) for point in points))
    assert read("calibration_curve", *names) == points
    parts = {f"{part}_{unit}": 0.1 for part in ("miscalibration", "discrimination") for unit in ("brier", "nats")}
    parts |= {"uncertainty_brier": 0.2, "uncertainty_nats": 0.6, "smooth_ece_ratio": 0.02, "ece_debiased_ratio": 0.01}
    parts |= {"mce_ratio": 0.05, "spiegelhalter_z": 1.5, "spiegelhalter_p_value": 0.13}
    fill("calibration_summary", summary("2013-07-01", n_labelled=100) | parts)
    fill("class_calibration", summary("2013-07-01", n_labelled=100) | parts | {"class_name": "late"})
    for view in ("calibration_by_partition", "class_calibration"):
        assert read(view, *parts) == [tuple(parts.values())]
