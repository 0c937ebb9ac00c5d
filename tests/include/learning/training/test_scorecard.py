import numpy as np
import pandas as pd
import pytest

from include.learning.data.columns import IS_POSITIVE
from include.learning.training import candidates
from include.learning.training.scorecard import read_scorecard
from include.problems.sections.learning import Features, Training

TRAINING = Training(model="scorecard", features=Features(numeric=["x", "twin"], categorical=["line"]))


def score(**changed) -> dict[str, list]:
    rng = np.random.default_rng(4)
    x = rng.normal(10.0, 3.0, 4_000)
    rows = pd.DataFrame({"x": x, "twin": rng.normal(size=4_000), "line": rng.choice(["red", "blue"], 4_000)})
    rows = rows.assign(**changed)
    odds = (rows["x"] - 10) / 3 * np.log(2) + np.where(rows["line"] == "red", np.log(3) / 2, -np.log(3) / 2)
    rows[IS_POSITIVE] = rng.random(4_000) < 1 / (1 + np.exp(-odds))
    scorer = candidates.fit_scorer(candidates.encode("scorecard", rows, TRAINING), TRAINING, {})
    return {f"{term.feature} {term.term}".strip(): term for term in read_scorecard(scorer, rows)}


def test_odds_are_those_that_the_rows_were_made_with():
    terms = score()
    assert terms["x"].odds_ratio == pytest.approx(2.0, rel=0.1)
    assert terms["x"].step == pytest.approx(3.0, rel=0.05)
    assert terms["twin"].odds_ratio == pytest.approx(1.0, abs=0.1)
    assert terms["line red"].odds_ratio / terms["line blue"].odds_ratio == pytest.approx(3.0, rel=0.15)
    assert (terms["line red"].step, terms["line red"].vif_ratio) == (None, None)


def test_a_copied_number_has_no_inflation_and_a_near_copy_much():
    rng = np.random.default_rng(5)
    base = rng.normal(10.0, 3.0, 4_000)
    assert score(x=base, twin=2 * base)["x"].vif_ratio is None
    assert score(x=base, twin=base + rng.normal(0, 0.3, 4_000))["x"].vif_ratio > 50
    assert score()["x"].vif_ratio == pytest.approx(1.0, abs=0.01)


def test_a_missing_category_has_a_line_of_its_own():
    missing = np.where(np.arange(4_000) % 5 == 0, None, np.where(np.arange(4_000) % 2 == 0, "red", "blue"))
    assert {"line missing", "line red", "line blue"} <= set(score(line=missing))
