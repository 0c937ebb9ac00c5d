"""Whether an experiment's audience is a log that lands, and names units as the experiment does.

What does not belong here: rules of the section by itself (`audience.py`).
"""

from collections.abc import Mapping

from include.problems.expectation_rules import nearest
from include.problems.sections.base import BadField, require_column
from include.problems.sections.experiment import Experiment
from include.problems.sections.source import Source

_PLACED = ("string", "integer")  # 42 is not 42.0, and of a time nobody knows how it was written


def require_fitting_audience(sources: Mapping[str, Source], experiment: Experiment, own: Source, field: str) -> None:
    """Refuse an audience that never lands, or whose units nobody could place or write to.

    Args:
        sources: the other logs of the problem, by name.
        experiment: that may have an audience.
        own: the log that the experiment is tried out on.
        field: where the experiment stands in the file.

    Raises:
        BadField: there is no such log or column, the ids are of another type, or masking leaves nothing to write to.
    """
    audience = experiment.audience
    if audience is None:
        return
    if audience.from_log not in sources:
        known = ", ".join(sources) or "none"
        rule = f"is not in sources (there are: {known}){nearest(audience.from_log, sources)}"
        raise BadField(f"{field}.audience.from", f"{audience.from_log!r} {rule}")
    columns = sources[audience.from_log].stored
    require_column(audience.unit, columns, f"{field}.audience.unit")
    theirs, ours = columns[audience.unit], own.stored[experiment.unit]
    if theirs.type not in _PLACED or theirs.type != ours.type:
        rule = (
            f"is of type {theirs.type}, and {experiment.unit} of {ours.type}; a unit is a string or an integer in both"
        )
        raise BadField(f"{field}.audience.unit", f"{audience.unit!r} {rule}")
    if theirs.pii not in ("none", "identifier"):
        rule = f"is of class {theirs.pii}: many look alike once masked, and some would be listed for others"
        raise BadField(f"{field}.audience.unit", f"{audience.unit!r} {rule}; name one of class none or identifier")
