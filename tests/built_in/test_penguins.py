"""Three species, few labels of people, and the rest filled in with a confidence."""

import warnings

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from bench.classes import pipelines
from include.learning.several.targets import read_targets, row_surprise
from include.problems.reading import load_problem
from include.stats.bootstrap import draw_blocks
from tests.built_in.conftest import DATA, Carried

pytestmark = [pytest.mark.slow, pytest.mark.thorough]  # the whole problem is carried first
PROBLEM = "penguins"


@pytest.fixture(scope="module")
def birds() -> pd.DataFrame:
    """Read the field book under the problem's names, with the truth."""
    columns = load_problem(PROBLEM).source.declared
    book = pd.read_parquet(DATA / PROBLEM / "penguins.parquet")
    book = book.rename(columns={column.from_field or name: name for name, column in columns.items()})
    return book.merge(pd.read_parquet(DATA / PROBLEM / "truth.parquet"), on="sample_id").set_index("sample_id")


@pytest.fixture(scope="module")
def filled(carried: Carried) -> pd.DataFrame:
    return carried.ask("SELECT * FROM bi.filled_label ORDER BY item_id").set_index("item_id")


def test_every_bird_is_published_also_of_thin_months(carried: Carried):
    rows = carried.ask("SELECT partition_key, n_published FROM core.partition_audit ORDER BY 1")
    assert list(rows.itertuples(index=False, name=None)) == [
        ("2007-11", 104),
        ("2007-12", 6),
        ("2008-11", 114),
        ("2009-11", 112),
        ("2009-12", 8),
    ]


def test_three_rounds_are_answered_and_the_fourth_is_left_to_people(carried: Carried):
    rounds = carried.ask("SELECT batch_id, status FROM core.review_batch ORDER BY batch_id")
    assert rounds["status"].tolist() == ["answered"] * 3 + ["open"]
    assert carried.said[-3].strip() == "round-004: 40 items wait for people"
    assert carried.ask("SELECT * FROM bi.model_in_production WHERE is_in_production")["problem"].tolist() == [PROBLEM]


def test_what_nobody_named_is_filled_in_and_what_was_named_is_not(
    carried: Carried, filled: pd.DataFrame, birds: pd.DataFrame
):
    named = set(carried.ask("SELECT DISTINCT item_id FROM core.label")["item_id"])
    assert set(filled.index) == set(birds.index) - named
    is_right = filled["label"] == birds.loc[filled.index, "label"]
    assert (len(named), len(filled)) == (120, 224)
    assert is_right.sum() >= 222
    # What is said as a confidence is what is found: within a bird or two of these.
    assert filled["confidence_ratio"].mean() == pytest.approx(is_right.mean(), abs=0.01)


def test_filled_in_labels_are_no_worse_than_the_best_pipeline_of_scikit_learn(
    carried: Carried, filled: pd.DataFrame, birds: pd.DataFrame
):
    classes = load_problem(PROBLEM).label.classes
    named = birds.loc[sorted(set(carried.ask("SELECT DISTINCT item_id FROM core.label")["item_id"]))]
    asked = birds.loc[filled.index]
    targets, _ = read_targets(asked["label"], classes, is_multiple=False)
    ours = row_surprise(targets, np.array([[p[name] for name in classes] for p in filled["class_probabilities"]]))
    losses = {}
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")
        for name, pipeline in pipelines(load_problem(PROBLEM).training).items():
            pipeline.fit(named, named["label"])
            losses[name] = row_surprise(targets, pipeline.predict_proba(asked))
    best = min(losses, key=lambda name: losses[name].mean())
    resamples = draw_blocks(np.arange(len(ours)), np.random.default_rng(0))
    difference = ours - losses[best]
    low, _ = resamples.interval(float(difference.mean()), resamples.mean(difference))
    # A hundredth of a nat more on birds that both name rightly changes no decision.
    assert low <= 0.01, (
        f"ours {ours.mean():.4f}, {best} {losses[best].mean():.4f}: {difference.mean():+.4f} from {low:+.4f}"
    )
