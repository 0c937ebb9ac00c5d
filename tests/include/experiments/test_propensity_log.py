from datetime import timedelta

import pyarrow as pa
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.experiments.evaluation.policies import PropensitySum
from include.experiments.propensity_log import read_cells, sum_cells
from include.experiments.waves import WaveRange
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, came, invited, make_design, make_events

LATE = START + timedelta(days=30)


@pytest.fixture
def cells(mulgil_home):
    def cells(rows, propensities=None, as_of=LATE, waves=(), **design):
        events = make_events(*rows)
        if propensities is not None:
            events = events.append_column("drawn_with", pa.array(propensities, pa.float64()))
            design["propensity"] = "drawn_with"
        found = sum_cells(relation_of_arrow(open_engine(), events), make_design(**design), as_of=as_of, waves=waves)
        rows = open_engine().to_pyarrow(found).to_pylist()
        return sorted((PropensitySum(**row) for row in rows), key=lambda part: (part.variant, part.propensity))

    return cells


def test_units_are_summed_by_variant_and_the_propensity_of_their_exposure(cells):
    rows = [invited("a", 1), came("a", 2), invited("b", 1), invited("c", 1), invited("d", 3, "large")]
    found = cells(rows, [0.5, None, 0.5, 0.2, 0.8])
    assert found == [
        PropensitySum("large", 0.8, 1, 0),
        PropensitySum("none", 0.2, 1, 0),
        PropensitySum("none", 0.5, 2, 1),
    ]


def test_a_later_exposure_and_its_propensity_change_nothing(cells):
    assert cells([invited("a", 1), invited("a", 9)], [0.5, 0.1]) == [PropensitySum("none", 0.5, 1, 0)]


def test_a_row_that_is_not_eligible_lends_no_propensity(cells):
    rows = [invited("a", 1), invited("a", 1, "large")]
    assert cells(rows, [0.5, 0.1], eligible="variant = 'none'") == [PropensitySum("none", 0.5, 1, 0)]


def test_a_missing_propensity_is_nought_and_never_lost(cells):
    assert cells([invited("a", 1)], [None]) == [PropensitySum("none", 0.0, 1, 0)]


def test_who_is_not_mature_yet_is_not_summed(cells):
    rows = [invited("a", 1), invited("b", 30)]
    assert cells(rows, [0.5, 0.5], as_of=START + timedelta(hours=50)) == [PropensitySum("none", 0.5, 1, 0)]


def test_without_a_column_the_pilots_shares_count_and_only_the_pilot(cells):
    rows = [invited("a", 1), invited("b", 1, "large"), came("b", 2), invited("after", 97, "large")]
    shares = {"none": 0.3, "large": 0.7}
    found = cells(rows, shares=shares)
    assert [(part.variant, part.n, part.n_rewarded) for part in found] == [("large", 1, 1), ("none", 1, 0)]
    assert [part.propensity for part in found] == pytest.approx([0.7, 0.3])


def test_cells_come_from_the_published_partitions_asked(outreach):
    outreach.publish(invited("a", 1), came("a", 2), invited("b", 30))
    found = read_cells(PROBLEM, ["2004-11-01"], make_design(), as_of=LATE)
    assert found == [PropensitySum("none", 0.5, 1, 1)]


def test_who_is_reached_again_by_a_later_wave_counts_once_by_its_first(cells):
    wave = WaveRange(START + timedelta(days=5), START + timedelta(days=6), "none", 0.0, 1.0)
    rows = [invited("a", 97), invited("a", 130, "large")]
    design = {"trial_end": START + timedelta(days=6)}
    assert cells(rows, [0.5, 0.1], **design) == []  # one wave without an edge: a unit in two variants
    assert cells(rows, [0.5, 0.1], waves=[wave], **design) == [PropensitySum("none", 0.5, 1, 0)]
