import numpy as np
import pytest

from include.stats.wilson import wilson_interval

KEYS = [f"2026-{month:02}" for month in range(1, 13)]


def told(key, actual, *, estimate=0.2, error=0.01, **changes):
    known = {"labelled_estimate": estimate, "labelled_standard_error": error, "actual": actual, "n_labelled": 100}
    said = {"partition_key": key, "metric": "positive_ratio", "label_arm": "log", "model_version": "v1"}
    return said | {"estimate": estimate, "standard_error": error, "n_rows": 100} | known | changes


def test_no_interval_before_three_partitions_were_held_against_labels(fill, read):
    fill("model_version", model_version="v1", trained_through="2025-12")
    fill("performance_estimate", *(told(key, 0.2) for key in KEYS[:4]), told(KEYS[4], None, n_labelled=0))
    found = read("performance_estimate", "partition_key", "n_audited", "low IS NULL", "is_covered")
    assert found == [
        (KEYS[0], 0, True, None),
        (KEYS[1], 1, True, None),
        (KEYS[2], 2, True, None),
        (KEYS[3], 3, False, True),
        (KEYS[4], 4, False, None),
    ]


def test_the_interval_is_worked_by_hand(fill, read):
    fill("model_version", model_version="v1", trained_through="2025-12")
    fill("problem", value_unit="euros")
    fill("performance_estimate", *(told(key, 0.2 + off) for key, off in zip(KEYS, (0.03, -0.02, 0.04), strict=False)))
    fill("performance_estimate", told(KEYS[3], 0.29, standard_error=0.02))
    extra = (0.03**2 + 0.02**2 + 0.04**2) / 3 - 0.01**2
    ((low, high, labelled_high, unit, is_covered),) = read(
        "performance_estimate", "low", "high", "labelled_high", "value_unit", "is_covered", by="n_audited DESC LIMIT 1"
    )
    reach = 3.1786170 * (extra + 0.02**2) ** 0.5
    assert (low, high) == pytest.approx((0.2 - reach, 0.2 + reach), abs=1e-6)
    assert labelled_high == pytest.approx(0.2 + 3.1786170 * (extra + 0.01**2) ** 0.5, abs=1e-6)
    assert (unit, is_covered) == ("euros", True)


def test_no_end_of_an_interval_is_a_share_that_cannot_be(fill, read):
    fill("model_version", model_version="v1", trained_through="2025-12")
    offs = (0.3, -0.4, 0.5)
    fill("performance_estimate", *(told(key, 0.5 + off) for key, off in zip(KEYS, offs, strict=False)))
    fill("performance_estimate", told(KEYS[3], 0.5))
    columns = ("low", "high", "labelled_low", "labelled_high")
    assert read("performance_estimate", *columns, by="n_audited DESC LIMIT 1") == [(0.0, 1.0, 0.0, 1.0)]


def test_what_a_model_was_trained_on_audits_nothing(fill, read):
    fill("model_version", model_version="v1", trained_through=KEYS[2])
    fill("performance_estimate", *(told(key, 0.2) for key in KEYS[:6]))
    assert read("performance_estimate", "n_audited", by="partition_key") == [0, 0, 0, 0, 1, 2]
    fill("performance_estimate", *(told(key, 0.2, label_arm="random", metric="profit") for key in KEYS[:6]))
    assert read("performance_estimate", "n_audited", by="metric, partition_key")[6:] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("spread", [0.0, 0.01, 0.05])
def test_intervals_cover_what_labels_say_as_often_as_stated(fill, read, spread):
    rng = np.random.default_rng(7)
    fill("model_version", *({"problem": f"p{i}"} for i in range(200)), model_version="v1", trained_through="2025-12")
    rows = []
    for i in range(200):
        error = rng.uniform(0.005, 0.03)
        off = rng.normal(0, spread, len(KEYS)) + rng.normal(0, error, len(KEYS))
        rows += [told(key, 0.2 + by, error=error, problem=f"p{i}") for key, by in zip(KEYS, off, strict=True)]
    fill("performance_estimate", *rows)
    covered = read("performance_estimate", "is_covered", by="problem, partition_key")
    known = [one for one in covered if one is not None]
    assert len(known) == 200 * 9
    # Partitions of a problem are judged by the same earlier ones: they are not 1,800 draws, so that the bound is wide.
    assert wilson_interval(sum(known), len(known), 4.0)[1] > 0.95
