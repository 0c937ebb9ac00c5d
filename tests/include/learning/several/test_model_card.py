import numpy as np

from include.learning.data.features import build_features
from include.learning.registry.artifacts import StoredModel
from include.learning.several.heldout import targets_in
from include.learning.several.model_card import rank_features
from tests.include.learning.several.conftest import KINDS, make_rows


def test_what_kinds_differ_by_matters_more_than_the_soil(fitted_plants):
    stored = StoredModel(fitted_plants.model, fitted_plants.spec, "v")
    heldout = fitted_plants.heldout
    rows = make_rows().set_index("_row_key").loc[heldout["_row_key"]].reset_index()
    targets = targets_in(heldout, KINDS, is_multiple=False)
    ranked = rank_features(stored, build_features(rows, stored.spec), heldout, targets, np.random.default_rng(0))
    assert [row["feature"] for row in ranked][-1] == "soil"
    assert ranked[0]["rank"] == 1.0
    assert ranked[0]["low"] > 0
