import pytest
import yaml

from include.errors import BadProblem
from include.problems.reading import read_problem_file

THREE = {
    "classes": ["early", "punctual", "late"],
    "source": "log",
    "known_when": "arrived IS NOT NULL",
    "value": "CASE WHEN arrived < 0 THEN 'early' WHEN arrived > 15 THEN 'late' ELSE 'punctual' END",
}
MANY = THREE | {"multiple": True, "value": "list_filter(reasons, x -> x <> '')"}
TRAINING = {"model": "gradient_boosting", "features": {"numeric": ["distance_miles"]}}
PAYOFF = {
    "early": {"wait": 1, "go": -2},
    "punctual": {"wait": 0, "go": 2},
    "late": {"wait": 3.5, "go": 0},
}
NUMBER = {"quantity": {"unit": "minutes"}, "source": "log", "known_when": "arrived IS NOT NULL", "value": "arrived"}
COSTS = {"over": 1, "under": 3}
FOUR = {"true_positive": 1, "false_positive": -1, "true_negative": 0, "false_negative": -1}


def several(label, training=None, **value):
    return {"label": label, "value": {"unit": "dollars", **value}, "training": training}


@pytest.fixture
def read_with(write_problem):
    """Read the good file with other sections."""

    def read(sections):
        path = write_problem()
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | sections))
        return read_problem_file(path)

    return read


@pytest.fixture
def refusal_with(read_with):
    """Say why the good file with other sections is refused."""

    def refuse(sections):
        with pytest.raises(BadProblem) as caught:
            read_with(sections)
        return str(caught.value)

    return refuse


def test_the_kind_of_a_label_follows_from_what_is_written(read_with):
    assert read_with({}).label.kind == "two_classes"
    assert read_with(several(THREE)).label.kind == "several_classes"
    assert read_with(several(MANY, **FOUR)).label.kind == "several_labels"
    with_rest = {"classes": ["a", "b", "c"], "positive": "c", "source": "desk"}
    assert read_with(several(with_rest, **FOUR)).label.kind == "two_classes"


@pytest.mark.parametrize(
    ("label", "line"),
    [
        (
            THREE | {"classes": ["a", "b"]},
            "field label.positive: is missing; write which of the two classes ['a', 'b']",
        ),
        (MANY | {"positive": "late"}, "field label.positive: with multiple: true every class is looked for"),
        (THREE | {"value": None}, "field label.value: a label with source: log needs known_when and value"),
        (THREE | {"positive_when": "TRUE"}, "field label.positive_when: is not for a label of several classes; write"),
        (THREE | {"positive": "late"}, "field label.value: is not for a label of two classes; write positive_when"),
        (THREE | {"multiple": "yes"}, "field label.multiple: Input should be a valid boolean"),
    ],
)
def test_a_label_of_mixed_kinds_is_refused_by_its_field(refusal_with, label, line):
    assert line in refusal_with(several(label, **FOUR))


def test_gains_name_every_class_and_the_same_actions(read_with, refusal_with):
    assert read_with(several(THREE, payoff=PAYOFF)).value.payoff["late"]["wait"] == 3.5
    assert "value.payoff: 1 of 3 classes are missing (first: 'late')" in refusal_with(
        several(THREE, payoff={name: PAYOFF[name] for name in ("early", "punctual")})
    )
    assert "value.payoff.latte: is not one of the classes" in refusal_with(
        several(THREE, payoff=PAYOFF | {"latte": PAYOFF["late"]})
    )
    assert "value.payoff.late: has the actions ['go', 'stay'], early has ['go', 'wait']" in refusal_with(
        several(THREE, payoff=PAYOFF | {"late": {"go": 1, "stay": 2}})
    )
    one = {name: {"go": 1} for name in THREE["classes"]}
    assert "value.payoff.early: has 1 actions" in refusal_with(several(THREE, payoff=one))


def test_a_worth_that_is_of_another_kind_is_refused(refusal_with):
    assert "value.true_positive: is of two classes; of the 3 classes write payoff" in refusal_with(
        several(THREE, **FOUR)
    )
    assert "value.payoff: is for several classes" in refusal_with(
        {"value": {"unit": "dollars", **FOUR, "payoff": PAYOFF}}
    )
    assert "value.false_negative: is missing" in refusal_with(
        several(MANY, **{name: FOUR[name] for name in FOUR if name != "false_negative"})
    )


def test_a_rule_for_one_class_is_refused_beside_several(refusal_with):
    assert "field baseline: positive_when speaks of one class, and the label is of several classes" in refusal_with(
        several(THREE) | {"baseline": {"positive_when": "TRUE"}}
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"features": {"numeric": ["distance_miles"], "increasing": ["distance_miles"]}}, "features.increasing: a dir"),
        ({"changeable": {"distance_miles": [1, 2]}}, "training.changeable: what-if questions are of one class, and"),
        (
            {"calibration": "isotonic"},
            "training.calibration: isotonic changes one probability by itself; write one of choose, none, temp",
        ),
    ],
)
def test_a_setting_that_is_about_one_class_is_refused_beside_several(refusal_with, change, line):
    assert line in refusal_with(several(THREE, training=TRAINING | change))


def test_each_of_several_labels_may_have_any_calibration(read_with):
    label = several(MANY, training=TRAINING | {"calibration": "isotonic"}, **FOUR)
    assert read_with(label).training.calibration == "isotonic"


def test_a_feature_that_the_class_is_read_from_is_refused(refusal_with):
    label = MANY | {"value": "CASE WHEN distance_miles > 3 THEN ['late'] ELSE [] END"}
    said = refusal_with(several(label, training=TRAINING, **FOUR))
    assert "field training" in said


def test_a_quantity_is_a_kind_with_costs_on_either_side(read_with):
    found = read_with(several(NUMBER, TRAINING, **COSTS))
    assert found.label.kind == "quantity"
    assert (found.label.quantity.interval, found.label.quantity.loss) == (0.9, "squared")
    assert (found.value.over, found.value.under) == (1, 3)


@pytest.mark.parametrize(
    ("label", "line"),
    [
        (
            NUMBER | {"classes": ["a", "b"]},
            "field label.classes: is about classes, and quantity makes the label a number",
        ),
        (NUMBER | {"source": "desk"}, "field label.source: people answer with a class at the desk, not with a number"),
        (
            NUMBER | {"positive_when": "TRUE"},
            "field label.positive_when: is not for a label of a quantity; write value",
        ),
        (NUMBER | {"quantity": {"unit": " "}}, "field label.quantity.unit: is blank"),
        (NUMBER | {"quantity": {"unit": "m", "interval": 1.0}}, "field label.quantity.interval"),
        (THREE | {"classes": ["late"]}, "field label.classes: has 1 classes; write two at least, or quantity: {unit"),
    ],
)
def test_a_quantity_of_mixed_kinds_is_refused_by_its_field(refusal_with, label, line):
    assert line in refusal_with(several(label, **COSTS))


@pytest.mark.parametrize(
    ("value", "training", "line"),
    [
        ({"over": 1}, None, "field value.under: is missing; write what each unit costs that was planned too little"),
        (COSTS | FOUR, None, "field value.true_positive: is of classes; of a quantity write over and under"),
        (COSTS | {"over": 0}, None, "field value.over"),
        (COSTS, TRAINING | {"model": "scorecard"}, "field training.models: scorecard is not for a label of a quantity"),
        (
            COSTS,
            TRAINING | {"calibration": "beta"},
            "training.calibration: beta is a calibrator of probabilities",
        ),
        (COSTS, TRAINING | {"split": "folds"}, "field training.split: a quantity is measured on later partitions"),
        (COSTS, TRAINING | {"gate": {"first": "serve_with_alert"}}, "training.gate.first: is about probabilities"),
        (COSTS, TRAINING | {"gate": {"first": "refuse"}}, "training.gate.first: is about probabilities"),
        (COSTS, TRAINING | {"gate": {"calibration_tolerance": 0.1}}, "training.gate.calibration_tolerance: is about"),
        (COSTS, TRAINING | {"search": {}}, "field training.search: settings of a quantity's candidates"),
    ],
)
def test_what_says_nothing_about_a_quantity_is_refused(refusal_with, value, training, line):
    assert line in refusal_with(several(NUMBER, training, **value))


def test_costs_and_candidates_of_a_quantity_are_not_for_classes(refusal_with):
    assert "field value.over: is of a quantity (label.quantity); the label is of several classes" in refusal_with(
        several(THREE, over=1)
    )
    naive = TRAINING | {"model": "seasonal_naive"}
    assert "seasonal_naive is not for a label of several classes; it predicts a number" in refusal_with(
        several(THREE, naive)
    )


def test_people_are_not_asked_for_a_number(refusal_with):
    asked = several(NUMBER | {"source": "desk"}, TRAINING, **COSTS) | {"review": {"budget": 5, "max_rounds": 2}}
    assert "field label.source: people answer with a class at the desk, not with a number" in refusal_with(asked)


@pytest.mark.parametrize("field", ["ece_alert", "relative_error_alert", "coverage_alert"])
def test_a_bound_of_what_is_never_measured_is_refused(refusal_with, read_with, field):
    good = read_with({}).model_dump(mode="json", exclude_unset=True)["monitor"]
    monitor = {name: good[name] for name in ("features", "reference_partitions")} | {field: 0.1}
    naive = TRAINING | {"model": "linear"}
    number, classes = several(NUMBER, naive, **COSTS), several(THREE)
    wrong, right = (classes, number) if field == "coverage_alert" else (number, classes)
    assert f"field monitor.{field}: is about" in refusal_with(wrong | {"monitor": monitor})
    assert read_with(right | {"monitor": monitor, "baseline": None}).monitor is not None
