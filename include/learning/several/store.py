"""Writes what was measured of single classes: a store file over `core.class_metric` and `core.confusion`."""

from collections.abc import Sequence

from sqlalchemy import Connection

from include.learning.registry.versions import Row
from include.learning.several.metrics import ClassMetricRow, ConfusionRow
from include.warehouse.loading import replace_rows
from include.warehouse.tables.classes import CLASS_METRIC, CONFUSION


def save_classes(
    connection: Connection, version: Row, by_class: Sequence[ClassMetricRow], mixed: Sequence[ConfusionRow]
) -> None:
    """Write how good a version is for each class, and what it takes for what; a second fit replaces the first."""
    where = {"problem": version["problem"], "model_version": version["model_version"]}
    replace_rows(connection, CLASS_METRIC, where, [{**where, **row} for row in by_class])
    replace_rows(connection, CONFUSION, where, [{**where, **row} for row in mixed])
