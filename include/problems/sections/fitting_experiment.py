"""Whether an experiment fits the log that it is tried out on: its values, its times.

What does not belong here: rules of the section by itself (`experiment.py`).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from include.errors import UnknownPartitionKey
from include.partition_keys import partition_bounds
from include.problems.expectation_rules import nearest
from include.problems.sections.base import BadField
from include.problems.sections.experiment import Experiment
from include.problems.sections.quality import Quality
from include.problems.sections.source import Source

_PARTITION_KEY = {
    "hour": (re.compile(r"\d{4}-\d\d-\d\dT\d\d"), "2013-01-31T05"),
    "day": (re.compile(r"\d{4}-\d\d-\d\d"), "2013-01-31"),
    "month": (re.compile(r"\d{4}-\d\d"), "2013-01"),
}


def require_fitting_experiment(experiment: Experiment, source: Source, quality: Quality | None, field: str) -> None:
    """Refuse an experiment whose values the audit would keep out, or whose time the log does not have.

    Args:
        field: where the experiment stands in the file.

    Raises:
        BadField: there is such a value or time, or units are to be placed whose id is masked.
    """
    _require_times(experiment, source, field)
    _require_placeable_unit(experiment, source, field)
    asked = [(experiment.event, "exposure", experiment.exposure), (experiment.event, "reward", experiment.reward)]
    asked += [(experiment.variant, "variants", name) for name in experiment.variants]
    for column, key, value in asked:
        for allowed in allowed_values(quality, column):
            if value not in allowed:
                known = ", ".join(sorted(allowed))
                rule = f"is no value that quality allows in {column} ({known})"
                raise BadField(f"{field}.{key}", f"{value!r} {rule}{nearest(value, allowed)}")


def require_different_experiments(has_single: bool, experiments: Mapping[str, Experiment]) -> None:
    """Refuse experiments that share a salt, and a single one beside others.

    Args:
        has_single: whether the file has a section `experiment`.
        experiments: those of the section `experiments`, by name.

    Raises:
        BadField: there are such.
    """
    if has_single and experiments:
        raise BadField("experiments", "stands beside the section experiment; write that as one more of experiments")
    salts: dict[str, str] = {}
    for name, one in experiments.items():
        other = salts.setdefault(one.salt, name)
        if other != name:
            rule = "so that both would divide people alike, and the one would show what the other does; write another"
            raise BadField(f"experiments.{name}.salt", f"{one.salt!r} is the salt of {other}, too, {rule}")


def _require_placeable_unit(experiment: Experiment, source: Source, field: str) -> None:
    """Refuse a masked unit where its place is looked up: programs place the raw id, and the lake has another text.

    Raises:
        BadField: it is masked, and there is a holdback, or there are waves, or a layer.
    """
    pii = source.stored[experiment.unit].pii
    is_placed = experiment.holdback_share > 0 or experiment.allocation.mode != "pilot" or experiment.layer is not None
    if pii != "none" and is_placed:
        why = "programs place people by the raw id, and the lake has only what masking leaves of it, so that the "
        why += "analysis would look for the holdback, the waves and the slice among other people"
        todo = "name a column with a pseudonymous id (pii: none), or write holdback_share: 0, mode: pilot and no layer"
        raise BadField(f"{field}.unit", f"{experiment.unit!r} has pii: {pii}; {why}. Do: {todo}")


def allowed_values(quality: Quality | None, column: str) -> Iterable[set[str]]:
    """Give the values that the audit allows in a column, for each expectation that names them all."""
    for expectation in quality.expectations if quality else []:
        values = expectation.arguments.get("value_set")
        is_about_it = expectation.expect == "ExpectColumnValuesToBeInSet" and expectation.column == column
        if is_about_it and expectation.severity == "stop" and isinstance(values, list):
            yield {str(value) for value in values}


def _require_times(experiment: Experiment, source: Source, field: str) -> None:
    """Refuse a pilot that ends in no partition, outside of the log, or too late for its window to elapse in it.

    Raises:
        BadField: it does.
    """
    end = _require_partition(experiment.pilot_until, source, f"{field}.pilot_until", "pilot")
    if experiment.start is not None and experiment.start >= end:
        rule = f"lies not before the end of the pilot, {end:%Y-%m-%d %H:%M} (pilot_until), so it would have no unit"
        raise BadField(f"{field}.start", f"{experiment.start:%Y-%m-%d %H:%M} {rule}")
    key = experiment.trial_until
    if experiment.allocation.until is not None:
        end = _require_partition(key, source, f"{field}.allocation.until", "last wave")
    if source.latest is not None and end + experiment.attribution_window > source.latest:
        days = experiment.attribution_window.total_seconds() / 86_400
        rule = f"elapses after source.latest ({source.latest:%Y-%m-%d}), so nothing would ever be decided"
        raise BadField(f"{field}.attribution_window", f"{days:g} days after the pilot, {key}, {rule}")


def _require_partition(key: str, source: Source, field: str, name: str) -> datetime:
    """Refuse a partition that there cannot be; return its end.

    Raises:
        BadField: the key is none of the grain's, or lies outside of the log.
    """
    shape, example = _PARTITION_KEY[source.grain]
    if not shape.fullmatch(key):
        raise BadField(field, f"{key!r} names no {source.grain}; write it like {example}")
    try:
        start, end = partition_bounds(key, source.grain)
    except UnknownPartitionKey as error:
        raise BadField(field, str(error)) from error
    if end <= source.earliest or (source.latest is not None and start > source.latest):
        until = f" to {source.latest:%Y-%m-%d}" if source.latest else ""
        rule = f"lies outside of source.earliest and latest ({source.earliest:%Y-%m-%d}{until})"
        raise BadField(field, f"{key!r} {rule}, so the {name} would have no unit or no end")
    return end
