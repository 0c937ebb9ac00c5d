import pytest

from include.problems.reading import read_problem_file
from tests.include.problems.conftest import OTHER_LOG

BROKEN = [
    ("label.positive", "lat", "field label.positive: 'lat' is not one of the classes ['early', 'late']"),
    ("label.classes", ["late", "late"], "field label.classes: late stands there more than once"),
    ("label.classes", [True, False], "field label.classes.0: Input should be a valid string; put it in quotes (it"),
    ("label.known_when", "REMOVE", "field label.known_when: a label with source: log needs known_when and positive"),
    ("label.positive_when", "  ", "field label.positive_when: is blank; write an expr"),
    ("value.true_positive", "20", "field value.true_positive: Input should be a valid number (it holds '20')"),
    ("value.true_positive", float("nan"), "field value.true_positive: Input should be a finite number"),
    ("training.first", True, "field training.first: Input should be a valid integer (it holds True)"),
    ("training.first", 0, "field training.first: Input should be greater than or equal to 1 (it holds 0)"),
    ("training.features.categorical", ["distance_miles"], "distance_miles stands there more than once"),
    ("training.features.increasing", ["origin"], "field training.features.increasing: 'origin' has a direction, but"),
    ("training.features.decreasing", ["distance_miles"], "distance_miles stands there more than once"),
    ("training.features", {}, "field training.features: a model needs at least one feature in numeric, categorical"),
    ("label.delay", 2, "field label.delay: write a period as ISO 8601 does"),
    ("training.models", ["scorecard"], "field training.models: write either model (one name) or models (a list"),
    ("training.model", "REMOVE", "field training.models: write either model (one name) or models (a list of names)"),
    ("training.model", "text_logistic", "field training.models: text_logistic reads text, and training.features.text"),
    ("baseline", {"positive_when": "TRUE", "mine": "keywords"}, "field baseline.mine: keywords needs texts in"),
    ("training.changeable", {"distance_miles": [9, 3]}, "field training.changeable.distance_miles: [9, 3] is no range"),
    ("training.changeable", {"origin": [3]}, "field training.changeable.origin: [3] are no values of a category"),
    ("training.changeable", {"dest": [1, 2]}, "field training.changeable.dest: is not in features.numeric or"),
    ("training.calibration", "platt", "field training.calibration: Input should be 'choose', 'none', 'temperature'"),
    ("training.search", {"trials": 0}, "field training.search.trials: Input should be greater than or equal to 1"),
    (
        "baseline",
        {"name": "champion", "positive_when": "distance_miles > 9"},
        "field baseline.name: 'champion' is the name of another candidate in the comparison; choose another",
    ),
    (
        "baseline",
        {"name": "gradient_boosting", "positive_when": "distance_miles > 9"},
        "field baseline.name: 'gradient_boosting' is the name of another candidate",
    ),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


def test_one_model_and_a_list_with_one_name_are_the_same(read):
    one = read().training
    listed = read("training", {"models": ["gradient_boosting"], "features": {"numeric": ["distance_miles"]}}).training
    assert one.candidates == listed.candidates == ["gradient_boosting"]


@pytest.mark.parametrize("truth", [True, False])
def test_a_yes_that_yaml_reads_as_true_is_never_a_number_of_a_range(refusal_of, truth):
    line = "field training.changeable.distance_miles.0"
    assert line in refusal_of("training.changeable", {"distance_miles": [truth, 4]})


def test_candidates_keep_the_order_of_the_file(read):
    models = ["gradient_boosting", "scorecard"]
    features = {"numeric": ["distance_miles"]}
    assert read("training", {"models": models, "features": features}).training.candidates == models


@pytest.mark.parametrize("allowed", [[3, 9], [0.5, 0.75], [-1, 1]])
def test_a_number_that_may_be_changed_has_a_range_from_low_to_high(read, allowed):
    assert read("training.changeable", {"distance_miles": allowed}).training.changeable["distance_miles"] == allowed


@pytest.mark.parametrize("allowed", [[3], [3, 3], [9, 3], ["3", "9"], [1, 2, 3]])
def test_what_is_no_range_of_a_number_is_refused(refusal_of, allowed):
    assert "is no range of a number" in refusal_of("training.changeable", {"distance_miles": allowed})


def test_without_a_word_about_approval_nobody_is_asked(read):
    training = read().training
    assert training.approval == "none"
    assert read("training.approval", "required").training.approval_timeout.days == 2


@pytest.mark.parametrize("outcome", ["true_positive", "false_positive", "true_negative", "false_negative"])
def test_an_outcome_without_a_worth_is_refused(refusal_of, outcome):
    assert f"field value.{outcome}: is missing" in refusal_of(f"value.{outcome}", "REMOVE")


def test_a_loss_is_a_number_below_nothing(read):
    assert read("value.false_positive", -8.5).value.false_positive == -8.5


FROM_LOG = {
    "classes": ["early", "late"],
    "positive": "late",
    "source": "log",
    "from": "refunds",
    "on": {"ride_id": "ride_id"},
    "within": "P30D",
    "absent": "early",
}
LOGS = {"sources": {"refunds": OTHER_LOG}}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"from": None}, "field label.on: is about a label in another log; write from: and the name of that log, too"),
        ({"source": "desk"}, "field label.source: from names a log, so people do not give this label"),
        ({"delay": "P2D"}, "field label.delay: within says already when a label that comes in another log is final"),
        ({"within": None}, "field label.within: is missing; write how long after its event"),
        (
            {"absent": None},
            "field label.absent: None is no class; of a row of which nothing came, write: early",
        ),
        ({"absent": "unknown"}, "field label.positive_when: a label with source: log needs positive_when"),
        ({"on_repeat": "keep"}, "field label.on_repeat: Input should be 'keep_first', 'keep_last' or 'refuse'"),
        ({"from": "returns"}, "field label.from: 'returns' is not in sources (there are: refunds)"),
        ({"on": {"ride": "ride_id"}}, "field label.on: 'ride' is not declared in source.columns"),
        ({"on": {"ride_id": "id"}}, "field label.on: 'id' is not declared in sources.refunds.columns; write label.on"),
        ({"on": {"distance_miles": "ride_id"}}, "distance_miles and refunds.ride_id are number (pii: none) and string"),
    ],
)
def test_a_label_in_another_log_is_refused_where_it_could_not_be_found(refusal_of, change, line):
    assert line in refusal_of("label", FROM_LOG | change, **LOGS)


def test_a_label_in_another_log_needs_no_predicate_where_nothing_has_a_class(read):
    label = read("label", {name: value for name, value in FROM_LOG.items() if name != "on"}, **LOGS).label
    assert label.positive_sql == 'CASE WHEN "refunds" IS NULL THEN FALSE ELSE (TRUE\n) END'
    assert label.known_sql == '_label_is_due AND ("refunds" IS NULL OR (TRUE\n))'
    assert read("label", FROM_LOG, **LOGS).label_keys == {"ride_id": "ride_id"}


def test_what_is_read_of_the_label_log_is_no_column_of_the_row(read, refusal_of):
    label = FROM_LOG | {"positive_when": "refunds.origin = 'x'"}
    assert read("label", label, **LOGS)
    label = FROM_LOG | {"positive_when": "origin = 'x'"}
    assert "'origin' is what the label is read from" in refusal_of("label", label, **LOGS)


def test_no_and_yes_are_words_as_keys_and_as_the_absent_class(tmp_path, write_problem):
    path = write_problem("label", FROM_LOG | {"classes": ["no", "yes"], "positive": "yes", "absent": "no"}, **LOGS)
    text = path.read_text().replace("absent: 'no'", "absent: no").replace("'on':", "on:")
    path.write_text(text)
    label = read_problem_file(path).label
    assert (label.absent, label.on) == ("no", {"ride_id": "ride_id"})
