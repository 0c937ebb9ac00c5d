"""Turns typed rows into the frame that a model sees, the same way at training and at scoring.

What belongs here: which columns, in which order, with which categories. What does not: anything that is fitted
(words, scales): that is part of the model (`training/estimators.py`).

Facts about the text (length, share of capitals, links, exclamation marks) are left out on purpose: on the mails of
`ad_review` they made the ranking worse at every size (AUC .966 instead of .980 at 100 labels, .991 for .994 at 400).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from include.learning.errors import BadFeatures
from include.problems.sections.learning import Features

TEXT = "text"  # the one column that all text columns are joined into
# Half of all mails end before 1,200 characters; 8,000 instead of 4,000 doubles the time and wins 0.001 AUC.
TEXT_LIMIT = 4_000
# The 255 bins of gradient boosting, less one for missing; rarer categories count as missing.
MAX_CATEGORIES = 254
# Beyond, a number counts as this: programs write the largest double where they have nothing, and its square is none.
LARGEST_NUMBER = 1e100


@dataclass(frozen=True)
class FeatureSpec:
    """What a model expects: names in order, and the categories it has seen.

    Attributes:
        numeric: columns read as numbers.
        categories: categorical columns, each with its known values.
        text: columns joined into one text.
    """

    numeric: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    text: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """Name the columns of the rows that it needs, in order."""
        return [*self.numeric, *self.categories, *self.text]

    @property
    def names(self) -> list[str]:
        """Name the columns of the frame that it makes, in order."""
        return [*self.numeric, *self.categories, *([TEXT] if self.text else [])]

    def to_dict(self) -> dict[str, Any]:
        """Write it as plain lists, as it is stored beside the model."""
        categories = {name: list(values) for name, values in self.categories.items()}
        return {"numeric": list(self.numeric), "categories": categories, "text": list(self.text)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> "FeatureSpec":
        """Read it back from plain lists."""
        categories = {name: tuple(values) for name, values in stored["categories"].items()}
        return cls(tuple(stored["numeric"]), categories, tuple(stored["text"]))


def learn_features(rows: pd.DataFrame, features: Features) -> FeatureSpec:
    """Fix what the model will see: the problem's columns, and the categories that occur in the training rows.

    Args:
        rows: training rows with the problem's columns.

    Returns:
        the specification; of a column with more than 254 values the most frequent are kept.

    Raises:
        BadFeatures: a column is missing.
    """
    _require_columns(rows, [*features.numeric, *features.categorical, *features.text])
    categories = {}
    for name in features.categorical:
        # Each value is written as a word once, not for each row; two may be one word. Ties in frequency are broken by
        # name, so that the order of the rows changes nothing.
        values = rows[name].dropna().value_counts()
        counts = values[values > 0].groupby(values.index.map(_word)).sum().sort_index()
        kept = counts.sort_values(ascending=False, kind="stable").index[:MAX_CATEGORIES]
        categories[name] = tuple(sorted(str(value) for value in kept))
    return FeatureSpec(tuple(features.numeric), categories, tuple(features.text))


def build_features(rows: pd.DataFrame, spec: FeatureSpec) -> pd.DataFrame:
    """Make the frame a model sees, one row for each row.

    Args:
        rows: typed rows with at least `spec.columns`.

    Returns:
        `spec.names` as columns: numbers as double (missing is NaN), categories as pandas categories with the stored
        values (an unseen one is missing), and one text (missing is empty).

    Raises:
        BadFeatures: a column is missing, is not a number where it should be, or holds infinite values.
    """
    _require_columns(rows, spec.columns)
    frame: dict[str, Any] = {name: _numbers(rows[name], name) for name in spec.numeric}
    for name, values in spec.categories.items():
        frame[name] = _category(rows[name], values)
    if spec.text:
        frame[TEXT] = _joined_text(rows, spec.text)
    return pd.DataFrame(frame, index=rows.index)


def _numbers(column: "pd.Series[Any]", name: str) -> Any:
    """Read a column as doubles, none larger than can be scaled; refuse text and infinity.

    Raises:
        BadFeatures: it holds text, or infinity.
    """
    try:
        values = column.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise BadFeatures(f"Feature {name!r} holds {column.dtype}, not numbers: {error}.") from error
    is_infinite = np.isinf(values)
    if is_infinite.any():
        row = int(np.flatnonzero(is_infinite)[0])
        raise BadFeatures(
            f"{int(is_infinite.sum()):,} of {len(values):,} values of feature {name!r} are infinite "
            f"(first: row {row}, {values[row]}). Allowed are numbers and missing values; was something divided by 0?"
        )
    return np.clip(values, -LARGEST_NUMBER, LARGEST_NUMBER)


def _category(column: "pd.Series[Any]", values: tuple[str, ...]) -> pd.Categorical:
    """Read a column as one of the known values; anything else is missing."""
    known = pd.Index(values, dtype="object")
    codes, uniques = pd.factorize(column)
    # One look-up for each distinct value, not for each row; the last place answers for code -1, missing.
    lookup = np.append(known.get_indexer(pd.Index([_word(value) for value in uniques], dtype="object")), -1)
    return pd.Categorical.from_codes(lookup[codes], categories=known)


def _word(value: Any) -> str:
    """Write a category as a word: 3 stays 3 where a missing neighbour has made a column of whole numbers doubles."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _joined_text(rows: pd.DataFrame, columns: tuple[str, ...]) -> list[str]:
    """Join the text columns of each row, first column first, up to the limit."""
    parts = [rows[name].astype("object").where(rows[name].notna(), "").tolist() for name in columns]
    return ["\n".join(str(part)[:TEXT_LIMIT] for part in row)[:TEXT_LIMIT] for row in zip(*parts, strict=True)]


def _require_columns(rows: pd.DataFrame, names: list[str]) -> None:
    """Refuse rows that lack a feature.

    Raises:
        BadFeatures: they do.
    """
    missing = [name for name in names if name not in rows.columns]
    if missing:
        raise BadFeatures(
            f"{len(missing)} of {len(names)} feature columns are missing from the rows: {', '.join(missing)}. "
            f"The rows have: {', '.join(map(str, rows.columns))}."
        )
