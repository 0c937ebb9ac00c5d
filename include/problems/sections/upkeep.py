"""How long what is not asked for any more is kept."""

from datetime import timedelta

from include.problems.sections.base import Period, Section


class Upkeep(Section):
    """How long a problem's history and rows are kept; rows stay for ever unless a period says otherwise."""

    # Snapshots that a model or a batch names stay whatever their age.
    snapshots: Period = timedelta(days=7)
    # Counted from the end of the partition, by the data's own time.
    events: Period | None = None
    quarantine: Period | None = None
    predictions: Period | None = None
