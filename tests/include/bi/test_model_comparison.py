def test_each_candidate_is_one_row_with_every_metric_in_its_own_column(fill, read):
    fill("model_version", model_version="v1", status="promoted", trained_through="2013-06")
    fill("problem", problem="p", value_unit="dollars")
    metrics = [("auc", 0.7, 0.6, 0.8), ("brier", 0.2, None, None), ("expected_profit", 1.5, 1.0, 2.0)]
    rows = [{"metric": name, "value": value, "low": low, "high": high} for name, value, low, high in metrics]
    fill("model_metric", *rows, model_version="v1", candidate="calibrated", n_rows=400)
    fill("model_metric", {"metric": "auc", "value": 0.5}, model_version="v1", candidate="dummy", n_rows=400)
    columns = ("candidate", "status", "trained_through", "n_rows", "auc_ratio", "auc_low", "auc_high", "brier_score")
    assert read("model_comparison", *columns, "ece_ratio", "expected_profit", "value_unit") == [
        ("calibrated", "promoted", "2013-06", 400, 0.7, 0.6, 0.8, 0.2, None, 1.5, "dollars"),
        ("dummy", "promoted", "2013-06", 400, 0.5, None, None, None, None, None, "dollars"),
    ]


def test_every_metric_has_a_column_of_its_own_name(fill, read):
    names = {"auc": "auc_ratio", "log_loss": "log_loss_nats", "brier": "brier_score", "ece": "ece_ratio"}
    names["expected_profit"] = "expected_profit"
    rows = [{"metric": name, "value": float(index)} for index, name in enumerate(names)]
    fill("model_metric", *rows, model_version="v1", candidate="rule")
    assert read("model_comparison", *names.values()) == [(0.0, 1.0, 2.0, 3.0, 4.0)]
