"""What follows from the kind of a label for the other sections: which worth, features and settings go with it.

What does not belong here: a label's own rules (`learning.py`), and what a stage does with a kind.
"""

from include.problems.sections.base import BadField
from include.problems.sections.learning import OUTCOMES, SAID, Kind, Label, Rule, Training, Value
from include.problems.sections.monitor import Monitor
from include.problems.sections.review import Review

# Candidates of a quantity; each other kind has all but the first two.
QUANTITY_MODELS = ("seasonal_naive", "linear", "gradient_boosting")


def require_fitting_sections(
    label: Label | None,
    value: Value | None,
    baseline: Rule | None,
    training: Training | None,
    review: Review | None,
    monitor: Monitor | None = None,
) -> None:
    """Refuse sections that say nothing about a label of this kind.

    Raises:
        BadField: names the field, and what goes with the kind.
    """
    kind: Kind = label.kind if label else "two_classes"
    if value:
        _require_fitting_worth(kind, label.classes if label else [], value)
    for name in training.candidates if training else []:
        if (name in QUANTITY_MODELS) if kind == "quantity" else name not in ("seasonal_naive", "linear"):
            continue
        allowed = ", ".join(QUANTITY_MODELS)
        rule = f"write one of {allowed}" if kind == "quantity" else "it predicts a number (label.quantity); remove it"
        raise BadField("training.models", f"{name} is not for a label of {SAID[kind]}; {rule}")
    _require_fitting_alerts(kind, monitor)
    if kind == "two_classes":
        return
    said = SAID[kind]
    if baseline:
        raise BadField("baseline", f"positive_when speaks of one class, and the label is of {said}; remove baseline")
    if kind == "quantity":
        _require_fitting_quantity(training, review)
        return
    if review:
        strategies = ("entropy",) if kind == "several_labels" else ("entropy", "margin", "least_confidence")
        if review.strategy not in strategies:
            raise BadField(
                "review.strategy", f"{review.strategy} is for two classes; for {said} write {' or '.join(strategies)}"
            )
    if training:
        _require_fitting_training(said, training, is_multiple=kind == "several_labels")


def _require_fitting_quantity(training: Training | None, review: Review | None) -> None:
    """Refuse what nobody can do with a number: answer it at the desk, read it from texts, see a probability in it."""
    if review:
        raise BadField(
            "review", "people answer with a class at the desk, and label.quantity is a number; the log knows it: remove"
        )
    if training is None:
        return
    refused = {
        "features.text": (training.features.text, "no candidate of a quantity reads texts"),
        "features.increasing": (training.features.increasing, "a direction is of one probability"),
        "features.decreasing": (training.features.decreasing, "a direction is of one probability"),
        "changeable": (training.changeable, "what-if questions are of one class"),
        "search": (training.search, "settings of a quantity's candidates are not searched for"),
    }
    for field, (written, why) in refused.items():
        if written:
            raise BadField(f"training.{field}", f"{why}, and the label is of a quantity; remove it")
    if training.split == "folds":
        raise BadField(
            "training.split", "a quantity is measured on later partitions, which its intervals follow; remove"
        )
    if "first" in training.gate.model_fields_set:
        rule = "a first model whose intervals surely hold too few rows is refused; remove it"
        raise BadField("training.gate.first", f"is about probabilities; of a quantity {rule}")
    if "calibration_tolerance" in training.gate.model_fields_set:
        rule = "a challenger's intervals must hold as those of any model; remove it"
        raise BadField("training.gate.calibration_tolerance", f"is about probabilities; of a quantity {rule}")
    if training.calibration != "choose":
        rule = "a quantity's intervals are always calibrated; remove it"
        raise BadField("training.calibration", f"{training.calibration} is a calibrator of probabilities; {rule}")


def _require_fitting_alerts(kind: Kind, monitor: Monitor | None) -> None:
    """Refuse a bound of what is never measured of this kind."""
    written = monitor.model_fields_set if monitor else set()
    for field in ("ece_alert", "relative_error_alert") if kind == "quantity" else ("coverage_alert",):
        if field in written:
            what = "probabilities" if kind == "quantity" else "intervals of a quantity"
            raise BadField(f"monitor.{field}", f"is about {what}, and the label is of {SAID[kind]}; remove it")


def _require_fitting_training(said: str, training: Training, *, is_multiple: bool) -> None:
    """Refuse settings that say something about one class of two."""
    features = training.features
    for field in ("increasing", "decreasing"):
        if getattr(features, field):
            raise BadField(
                f"training.features.{field}",
                f"a direction is of one probability, and the label is of {said}; remove it",
            )
    if training.changeable:
        raise BadField(
            "training.changeable", f"what-if questions are of one class, and the label is of {said}; remove it"
        )
    allowed = ("choose", "none", "temperature")
    if not is_multiple and training.calibration not in allowed:
        raise BadField(
            "training.calibration",
            f"{training.calibration} changes one probability by itself; write one of {', '.join(allowed)}",
        )


def _require_fitting_worth(kind: Kind, classes: list[str], value: Value) -> None:
    """Refuse outcomes where there are several classes, payoff where there are two sides, and holes in both."""
    for name in ("over", "under"):
        if getattr(value, name) is not None and kind != "quantity":
            raise BadField(f"value.{name}", f"is of a quantity (label.quantity); the label is of {SAID[kind]}")
    if kind == "quantity":
        _require_costs(value)
    elif kind == "several_classes":
        if value.outcomes_written:
            raise BadField(
                f"value.{value.outcomes_written[0]}",
                f"is of two classes; of the {len(classes)} classes write payoff: class to action to what it earns, or "
                "nothing, and a right class earns 1",
            )
        if value.payoff is not None:
            _require_whole_table(classes, value.payoff)
    else:
        _require_outcomes(value)


def _require_costs(value: Value) -> None:
    """Refuse a worth of classes, and one that leaves out what a miss costs on either side."""
    for name in (*value.outcomes_written, *(["payoff"] if value.payoff is not None else [])):
        raise BadField(f"value.{name}", "is of classes; of a quantity write over and under: what each unit costs")
    for name in ("over", "under"):
        if getattr(value, name) is None:
            side = "too much" if name == "over" else "too little"
            raise BadField(f"value.{name}", f"is missing; write what each unit costs that was planned {side}, above 0")


def _require_outcomes(value: Value) -> None:
    """Refuse a worth that leaves out an outcome of two sides."""
    if value.payoff is not None:
        raise BadField("value.payoff", f"is for several classes; write {', '.join(OUTCOMES)} instead")
    for name in OUTCOMES:
        if name not in value.outcomes_written:
            raise BadField(f"value.{name}", "is missing; write it")


def _require_whole_table(classes: list[str], payoff: dict[str, dict[str, float]]) -> None:
    """Refuse a table of payoff that does not say of every class what every action earns."""
    unknown = [name for name in payoff if name not in classes]
    if unknown:
        raise BadField(f"value.payoff.{unknown[0]}", f"is not one of the classes {classes}")
    missing = [name for name in classes if name not in payoff]
    if missing:
        raise BadField("value.payoff", f"{len(missing)} of {len(classes)} classes are missing (first: {missing[0]!r})")
    actions = list(payoff[classes[0]])
    if len(actions) < 2:
        raise BadField(f"value.payoff.{classes[0]}", f"has {len(actions)} actions; a decision is between two at least")
    for name in classes[1:]:
        if set(payoff[name]) != set(actions):
            raise BadField(
                f"value.payoff.{name}", f"has the actions {sorted(payoff[name])}, {classes[0]} has {actions}"
            )
