import numpy as np
import pytest

from include.learning.data.features import FeatureSpec
from include.learning.explain.model_parts import take_apart
from include.learning.live.answers import _probes, frame_of
from include.learning.live.trees import is_like, read_trees
from include.learning.training.estimators import positive_probability
from tests.include.serving.live_factories import SPEC, make_model

NUMBERS = FeatureSpec(("rain_mm", "hour", "snow_mm"), {}, ())


def ways(spec):
    model = make_model(spec=spec)
    fast = read_trees(take_apart(model), spec, model[-1].score_map)
    return fast, lambda rows: positive_probability(model, frame_of(spec, rows))


@pytest.mark.parametrize("spec", [SPEC, NUMBERS])
def test_the_quick_way_says_what_the_model_says_also_of_the_unknown(spec):
    fast, slow = ways(spec)
    rows = _probes(spec)
    assert np.abs(fast(rows) - slow(rows)).max() < 1e-12
    assert len(set(fast(rows).round(6))) > 10


def test_a_quick_way_that_says_something_else_on_one_row_is_not_taken():
    fast, slow = ways(SPEC)
    rows = _probes(SPEC)
    off = np.zeros(len(rows))
    off[7] = 1e-6
    assert is_like(fast, slow, rows)
    assert not is_like(lambda some: fast(some) + off, slow, rows)


def test_a_way_that_fails_is_not_taken():
    def fail(rows):
        raise ValueError(rows)

    assert not is_like(fail, ways(SPEC)[1], _probes(SPEC))


def test_what_is_no_tree_or_reads_text_goes_its_own_way():
    linear = make_model("scorecard")
    assert read_trees(take_apart(linear), SPEC, None) is None
    trees = make_model()
    assert read_trees(take_apart(trees), FeatureSpec(("hour",), {}, ("note",)), None) is None
