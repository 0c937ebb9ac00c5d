from typing import get_args

import numpy as np
import pytest

from include.learning.calibration.calibrators import Calibrated
from include.learning.data.features import FeatureSpec
from include.learning.protocols import Classifier
from include.learning.training.estimators import make_classifier
from include.problems.sections.learning import Features, ModelName

SPEC = FeatureSpec(("x",), {}, ())


@pytest.mark.parametrize("name", get_args(ModelName))
def test_every_candidate_is_what_the_room_calls_a_classifier(name: ModelName):
    made = make_classifier(name, SPEC, Features(numeric=["x"]), 1)
    assert isinstance(made, Classifier)
    encoded = np.array([[0.0], [1.0], [2.0], [3.0]] * 10)
    answers = made.fit(encoded, np.array([0, 0, 1, 1] * 10)).predict_proba(encoded)
    assert answers.shape == (40, 2)
    assert isinstance(Calibrated(made), Classifier)


def test_what_cannot_give_probabilities_is_none():
    assert not isinstance(object(), Classifier)
