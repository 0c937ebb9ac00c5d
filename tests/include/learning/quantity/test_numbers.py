"""Which labels teach: text is told before, what is no finite number is counted here."""

import numpy as np
import pandas as pd
import pytest

from include.errors import NotEnoughLabels
from include.learning.errors import BadLabels
from include.learning.quantity.numbers import is_number, keep_numbers, require_spread


def rows_of(labels):
    return pd.DataFrame({"_row_key": [f"r{at}" for at in range(len(labels))], "_labels": labels})


def test_missing_and_infinite_labels_are_left_out_and_counted():
    kept, said = keep_numbers(rows_of([1.0, np.inf, 2.0, np.nan, 1e300]))
    assert kept["_row_key"].tolist() == ["r0", "r2"]
    assert said.startswith(
        "3 of 5 labels are no number (1 missing, 2 infinite or beyond 1e100; first: row 'r1' is inf)"
    )


def test_nothing_is_said_where_every_label_is_a_number():
    kept, said = keep_numbers(rows_of([1.0, -2.0]))
    assert (len(kept), said) == (2, "")


def test_labels_without_a_single_number_are_refused():
    with pytest.raises(BadLabels, match=r"2 of 2 labels are no number \(2 missing"):
        keep_numbers(rows_of([np.nan, np.nan]))


def test_a_constant_label_is_refused_with_its_value():
    with pytest.raises(NotEnoughLabels, match="All 40 rows to fit on have the label 7"):
        require_spread(np.full(40, 7.0), "fit on", 30)


def test_too_few_rows_are_refused_with_what_is_needed():
    with pytest.raises(NotEnoughLabels, match="5 rows with a known number are there to measure on; 19 are the least"):
        require_spread(np.arange(5.0), "measure on", 19)


def test_a_finite_number_is_one_below_a_googol():
    assert is_number(np.array([0.0, -1e99, 1e101, np.nan, -np.inf])).tolist() == [True, True, False, False, False]
