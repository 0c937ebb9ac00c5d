"""Whether the slices of a file's layers are slices of one, and share nobody.

What does not belong here: rules of a layer by itself (`layers.py`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime

from include.problems.expectation_rules import nearest
from include.problems.sections.base import BadField
from include.problems.sections.experiment import Experiment
from include.problems.sections.layers import Layer

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def require_fitting_layers(layers: Mapping[str, Layer], experiments: Mapping[str, Experiment]) -> None:
    """Refuse layers that nobody takes part in, and slices of one layer that would share people.

    Args:
        layers: of the problem, by name.
        experiments: by where they stand in the file.

    Raises:
        BadField: there are such; of two slices both experiments are named.
    """
    for field, one in experiments.items():
        if one.layer is not None:
            _require_slice(layers, one, field)
    for name, layer in layers.items():
        inside = {field: one for field, one in experiments.items() if one.layer == name}
        if not inside:
            raise BadField(f"layers.{name}", "is the layer of no experiment; name it there (layer:), or remove it")
        for other, theirs in layers.items():
            if other != name and theirs.salt == layer.salt:
                rule = f"is the salt of layers.{other}, too, so that both would divide people alike; write another"
                raise BadField(f"layers.{name}.salt", f"{layer.salt!r} {rule}")
        _require_apart(inside, name)


def _require_slice(layers: Mapping[str, Layer], one: Experiment, field: str) -> None:
    """Refuse a slice of no layer, of other units, or of people who are held out.

    Raises:
        BadField: it is one.
    """
    layer = layers.get(one.layer or "")
    if layer is None:
        raise BadField(f"{field}.layer", f"{one.layer!r} is none of layers{nearest(str(one.layer), layers)}")
    if layer.unit != one.unit:
        rule = f"and the layer {one.layer} places {layer.unit!r}; who shares traffic is counted by the same id"
        raise BadField(f"{field}.unit", f"{one.unit!r} is placed here, {rule}")
    if layer.salt == one.salt:
        rule = "is the layer's, too, so that a slice of it would all get the same variant; write another"
        raise BadField(f"{field}.salt", f"{one.salt!r} {rule}")
    if one.cluster is not None:
        rule = "stands beside layer, which places units one by one and would part what was drawn together; remove one"
        raise BadField(f"{field}.cluster", f"{one.cluster!r} {rule}")
    if one.slice_high > 1.0 - layer.holdout + 1e-12:
        rule = f"ends above {1.0 - layer.holdout:g}, from where on the layer {one.layer} holds everybody out"
        raise BadField(f"{field}.traffic", f"[{one.slice_low:g}, {one.slice_high:g}] {rule}")


def _require_apart(inside: Mapping[str, Experiment], layer: str) -> None:
    """Refuse two slices of one layer that hold the same people at the same time.

    Raises:
        BadField: names both experiments, and what they share.
    """
    seen: dict[str, Experiment] = {}
    for field, one in inside.items():
        for other, theirs in seen.items():
            low, high = max(one.slice_low, theirs.slice_low), min(one.slice_high, theirs.slice_high)
            first = max(one.start or _FIRST, theirs.start or _FIRST)
            if low < high and first < min(one.ends_at or _LAST, theirs.ends_at or _LAST):
                since = "at any time" if first == _FIRST else f"from {first:%Y-%m-%d %H:%M} on"
                rule = f"shares the places from {low:g} to {high:g} of the layer {layer} with {other} {since}"
                todo = "write slices that do not overlap, or an end (end.after) before the other's start"
                raise BadField(f"{field}.traffic", f"{field} {rule}; {todo}")
        seen[field] = one
