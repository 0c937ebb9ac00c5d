import pandas as pd
import pytest

from include.learning.registry.version_hash import name_version
from include.learning.training.fit import IS_POSITIVE, IS_RANDOM
from include.names import ROW_KEY
from include.problems.sections.learning import Features, Training

TRAINING = Training(model="gradient_boosting", features=Features(numeric=["rain"], categorical=["line"]))


def make_rows(**changed: object) -> pd.DataFrame:
    rows = {
        ROW_KEY: ["a", "b"],
        IS_POSITIVE: [True, False],
        IS_RANDOM: True,
        "rain": [1.0, None],
        "line": ["red", None],
    }
    return pd.DataFrame(rows | changed)


def test_the_same_rows_and_settings_always_have_the_same_name():
    name = name_version("2013-06", make_rows(), TRAINING)
    assert name == name_version("2013-06", make_rows(unused=1), TRAINING)
    assert name.startswith("2013-06-")
    assert len(name) == len("2013-06-") + 6


@pytest.mark.parametrize(
    "changed",
    [
        {ROW_KEY: ["a", "c"]},
        {IS_POSITIVE: [True, True]},
        {"rain": [1.5, None]},
        {"line": ["red", "blue"]},
        {IS_RANDOM: False},
    ],
)
def test_one_changed_cell_changes_the_name(changed: dict[str, object]):
    assert name_version("p", make_rows(**changed), TRAINING) != name_version("p", make_rows(), TRAINING)


def test_a_setting_changes_the_name():
    other = TRAINING.model_copy(update={"seed": 8})
    assert name_version("p", make_rows(), other) != name_version("p", make_rows(), TRAINING)


def test_what_may_be_asked_of_a_version_does_not_change_its_name():
    other = TRAINING.model_copy(update={"changeable": {"rain": [0, 9]}})
    assert name_version("p", make_rows(), other) == name_version("p", make_rows(), TRAINING)
