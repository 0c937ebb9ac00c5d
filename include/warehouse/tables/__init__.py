"""Every table of the schema `core`, one file per room; importing this package registers them all."""

from include.warehouse.tables import (
    classes,
    desk,
    erasure,
    experiments,
    explaining,
    landing,
    learning,
    monitoring,
    quality,
    quantities,
    review,
    runs,
    sending,
)
from include.warehouse.tables.base import METADATA

__all__ = [
    "METADATA",
    "classes",
    "desk",
    "erasure",
    "experiments",
    "explaining",
    "landing",
    "learning",
    "monitoring",
    "quality",
    "quantities",
    "review",
    "runs",
    "sending",
]
