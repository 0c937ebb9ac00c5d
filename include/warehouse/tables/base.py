"""The metadata that all tables share, and the columns that many of them have.

Same quantity, same name, in every table: a helper here is the one place where a shared column is spelled.
"""

from datetime import date, datetime

from sqlalchemy import Boolean, Column, Date, DateTime, Float, Integer, MetaData, Text
from sqlalchemy.dialects.postgresql import JSONB

from include.names import CORE

METADATA = MetaData(
    schema=CORE,
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s"},
)


def text(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[str]:
    """Declare a text column."""
    return Column(name, Text, primary_key=key, nullable=nullable, comment=comment)


def count(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[int]:
    """Declare a whole number, in rows or items unless the comment says otherwise."""
    return Column(name, Integer, primary_key=key, nullable=nullable, autoincrement=False, comment=comment)


def number(name: str, comment: str, *, nullable: bool = False) -> Column[float]:
    """Declare a double; the comment names its unit and range."""
    return Column(name, Float, nullable=nullable, comment=comment)


def calibration_figures() -> list[Column[float]]:
    """Declare what is measured of probabilities beside the calibration error, of a model or of one of its classes."""
    return [
        number(
            "miscalibration_brier", "Brier score that recalibrating would take off (CORP), 0 is none", nullable=True
        ),
        number(
            "discrimination_brier",
            "Brier score that the recalibrated probabilities are better by than the base rate alone",
            nullable=True,
        ),
        number(
            "uncertainty_brier",
            "Brier score of the base rate; miscalibration less discrimination plus uncertainty is brier_score",
            nullable=True,
        ),
        number("miscalibration_nats", "log loss that recalibrating would take off (CORP), in nats", nullable=True),
        number(
            "discrimination_nats",
            "log loss that the recalibrated probabilities are better by than the base rate alone, in nats",
            nullable=True,
        ),
        number(
            "uncertainty_nats",
            "log loss of the base rate; miscalibration less discrimination plus uncertainty is log_loss_nats",
            nullable=True,
        ),
        number("smooth_ece_ratio", "calibration error smoothed by a kernel as wide as itself, 0.001..1", nullable=True),
        number("ece_debiased_ratio", "ece_equal_count_ratio less what chance adds to it, 0..1", nullable=True),
        number("mce_ratio", "gap of the worst of 10 bins of equal count, 0..1; chance is not taken off", nullable=True),
        number("spiegelhalter_z", "standard deviations of the Brier score above what is promised", nullable=True),
        number(
            "spiegelhalter_p_value",
            "chance that a faultless model is as far from what it promises, 0..1",
            nullable=True,
        ),
    ]


def flag(name: str, comment: str, *, nullable: bool = False) -> Column[bool]:
    """Declare a yes-or-no column."""
    return Column(name, Boolean, nullable=nullable, comment=comment)


def moment(name: str, comment: str, *, key: bool = False, nullable: bool = False) -> Column[datetime]:
    """Declare a time with its zone; written in UTC."""
    return Column(name, DateTime(timezone=True), primary_key=key, nullable=nullable, comment=comment)


def day(name: str, comment: str, *, nullable: bool = False) -> Column[date]:
    """Declare a calendar date."""
    return Column(name, Date, nullable=nullable, comment=comment)


def document(name: str, comment: str, *, nullable: bool = True) -> Column[object]:
    """Declare a JSON document for what only a person or a page reads, never a join."""
    return Column(name, JSONB, nullable=nullable, comment=comment)


def problem_key() -> Column[str]:
    """Declare the key that every table starts with."""
    return text("problem", "name of the problem file", key=True)


def partition_key(*, key: bool = True) -> Column[str]:
    """Declare the data's own time, as the problem's grain writes it: 2013-01-01T05, 2013-01-01 or 2013-01."""
    return text("partition_key", "the data's own hour, day or month", key=key)
