import pytest
from pydantic import ValidationError

from include.problems.sections.layers import End, Layer


def test_a_layer_that_holds_everybody_out_is_refused():
    assert Layer(unit="person_id", salt="mail", holdout=0.99).holdout == 0.99
    with pytest.raises(ValidationError):
        Layer(unit="person_id", salt="mail", holdout=1.0)


def test_an_end_that_never_comes_is_refused():
    assert End(max_units=2).after is None
    with pytest.raises(ValidationError, match="max_units, too"):
        End()
