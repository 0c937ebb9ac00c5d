def test_a_partition_of_labels_says_whose_it_is_and_what_became_of_it(fill, read):
    counts = {"n_labels": 4, "n_matched": 1, "n_late": 1, "n_before": 1, "n_unmatched": 1, "n_without_key": 0}
    fill("label_match", counts, problem="rides.refunds", partition_key="2013-01")
    fill("label_match", dict.fromkeys(counts, 0), problem="rides.refunds", partition_key="2013-02")
    columns = ("problem", "log", "partition_key", "n_labels", "n_before", "matched_ratio")
    assert read("label_match", *columns, by="partition_key") == [
        ("rides", "refunds", "2013-01", 4, 1, 0.25),
        ("rides", "refunds", "2013-02", 0, 0, None),
    ]


def test_an_item_that_people_have_answered_is_not_filled_in(fill, read):
    fill("filled_label", {"item_id": "asked"}, {"item_id": "flagged"}, {"item_id": "never"})
    fill("label", {"item_id": "asked"}, {"item_id": "flagged", "batch_id": "round-002"})
    fill("label_flag", batch_id="round-002", status="waiting")
    assert read("filled_label", "item_id", by="item_id") == ["flagged", "never"]
    fill("label", {"item_id": "never"}, problem="another")
    assert read("filled_label", "item_id", by="item_id") == ["flagged", "never"]


def test_corrections_say_how_often_people_overrule_the_log(fill, read):
    said = {"partition_key": "2013-01", "is_positive": True, "log_is_positive": False}
    fill("label_correction", said | {"item_id": "overruled"}, said | {"item_id": "undecided", "labelled_by": "a"})
    fill("label_correction", said | {"item_id": "undecided", "labelled_by": "b", "is_positive": False})
    fill("label_correction", said | {"item_id": "first", "log_is_positive": None})
    fill("label_correction", said | {"item_id": "confirmed", "log_is_positive": True})
    fill("label_correction", said | {"item_id": "other", "partition_key": "2013-02", "is_positive": False})
    columns = ("partition_key", "n_corrected", "n_overruled", "n_confirmed", "n_first", "n_undecided")
    assert read("label_correction", *columns, by="partition_key") == [
        ("2013-01", 4, 1, 1, 1, 1),
        ("2013-02", 1, 0, 1, 0, 0),
    ]


def test_corrections_of_several_classes_are_compared_with_what_the_log_named(fill, read):
    said = {"partition_key": "2013-01", "is_positive": None, "log_is_positive": None, "log_label": "moss"}
    fill(
        "label_correction", said | {"item_id": "overruled", "label": "rose"}, said | {"item_id": "ok", "label": "moss"}
    )
    for person, label in (("a", "rose"), ("b", "rose"), ("c", "fern"), ("d", "moss")):
        fill("label_correction", said | {"item_id": "most", "labelled_by": person, "label": label})
    for person, label in (("a", "rose"), ("b", "fern")):
        fill("label_correction", said | {"item_id": "undecided", "labelled_by": person, "label": label})
    fill("label_correction", said | {"item_id": "first", "label": "rose", "log_label": None})
    columns = ("n_corrected", "n_overruled", "n_confirmed", "n_first", "n_undecided")
    assert read("label_correction", *columns, by="partition_key") == [(5, 2, 1, 1, 1)]
