import pytest


def test_a_choice_says_how_far_it_is_behind_the_best_of_its_own_version(fill, read):
    fill(
        "model_version", {"model_version": "v1"}, {"model_version": "v2"}, status="promoted", trained_through="2013-06"
    )
    choices = [("scorecard", 0.5, False), ("trees", 0.4, True)]
    rows = [{"candidate": name, "log_loss_nats": loss, "is_chosen": best} for name, loss, best in choices]
    fill("model_choice", *rows, model_version="v1", calibration="sigmoid", n_rows=90)
    fill("model_choice", model_version="v2", candidate="trees", calibration="none", log_loss_nats=0.1, is_chosen=True)
    found = read(
        "model_choice", "model_version", "candidate", "behind_nats", "is_chosen", by="model_version, candidate"
    )
    assert found == [("v1", "scorecard", pytest.approx(0.1), False), ("v1", "trees", 0, True), ("v2", "trees", 0, True)]
    columns = ("calibration", "n_rows", "status", "trained_through", "log_loss_nats")
    assert read("model_choice", *columns, by="model_version, candidate")[0] == (
        "sigmoid",
        90,
        "promoted",
        "2013-06",
        0.5,
    )


def test_ten_times_blurred_is_marked_and_a_category_never_is(fill, read):
    terms = [("rain", "", 1.5, 10.0), ("hour", "", 0.8, 9.9), ("line", "red", 2.0, None)]
    rows = [{"feature": f, "term": t, "odds_ratio": odds, "vif_ratio": vif, "step": None} for f, t, odds, vif in terms]
    fill("scorecard_term", *rows, model_version="v1")
    assert read("scorecard", "feature", "term", "odds_ratio", "is_blurred", by="feature") == [
        ("hour", "", 0.8, False),
        ("line", "red", 2.0, False),
        ("rain", "", 1.5, True),
    ]


def test_calibration_that_did_harm_has_a_gain_below_nothing(fill, read):
    fill("model_version", model_version="v1", model_name="trees", calibration="beta")
    rows = [
        {"partition_key": "2013-07", "ece_ratio": 0.03, "ece_uncalibrated_ratio": 0.10, "log_loss_nats": 0.5},
        {"partition_key": "2013-09", "ece_ratio": 0.10, "ece_uncalibrated_ratio": 0.03, "log_loss_nats": 0.7},
    ]
    fill("calibration_gain", *rows, model_version="v1", n_rows=100, log_loss_uncalibrated_nats=0.6)
    columns = ("partition_key", "ece_gain_ratio", "log_loss_gain_nats", "is_better_calibrated", "calibration")
    assert read("calibration_gain", *columns, by="partition_key") == [
        ("2013-07", pytest.approx(0.07), pytest.approx(0.1), True, "beta"),
        ("2013-09", pytest.approx(-0.07), pytest.approx(-0.1), False, "beta"),
    ]
