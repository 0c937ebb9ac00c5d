from datetime import timedelta

import numpy as np
import pytest

from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import BadProblem
from include.experiments import steps
from include.experiments.assignment import place_units
from include.experiments.design import Slice
from include.experiments.evaluation.policies import PropensitySum
from include.experiments.metrics.definitions import Measure, Metric
from include.experiments.metrics.log import sum_log
from include.experiments.participation import end_at, end_when_full
from include.experiments.propensity_log import sum_cells
from include.experiments.rewards import COUNTED_REWARD, find_pilot_units
from include.experiments.running_sums import carry_on, count_log, touched_rows
from include.problems.reading import load_problem
from include.problems.sections.experiment import Experiment
from include.problems.sections.layers import Layer
from include.serving.clients.evaluate import evaluate
from include.warehouse.tables.experiments import (
    ALLOCATION,
    EXPERIMENT_CHECK,
    EXPERIMENT_EXCLUSION,
    EXPERIMENT_PLAN,
    VARIANT_SUM,
)
from tests.include.experiments.conftest import PROBLEM
from tests.include.experiments.factories import START, came, invited, make_design, make_events
from tests.include.experiments.test_steps import DAYS, PEOPLE, Clock, everything, send, update

LATE = START + timedelta(days=30)
UNITS = [f"u{number}" for number in range(400)]
HALF = Slice("mail", 0.25, 0.75, 0.1)


@pytest.fixture
def log(mulgil_home):
    return lambda *rows: relation_of_arrow(open_engine(), make_events(*rows))


@pytest.fixture
def count(log):
    """Count log rows: units in the sums, and what was left out by reason."""

    def count(*rows, as_of=LATE, **design):
        running = count_log(log(*rows), make_design(**design), as_of=as_of, decided_at=None)
        left_out: dict[str, int] = {}
        for part in running.exclusions:
            if part.reason != COUNTED_REWARD:
                left_out[part.reason] = left_out.get(part.reason, 0) + part.n_rows
        return sum(part.n_units for part in running.sums), left_out

    return count


def test_a_slice_has_whom_its_places_say_and_everybody_else_is_counted_by_cause(count):
    places = place_units(UNITS, "mail")
    inside, held = ((places >= 0.25) & (places < 0.75)).sum(), (places >= 0.9).sum()
    assert min(inside, held) > 20
    found = count(*(invited(unit, 1) for unit in UNITS), slice=HALF)
    assert found == (inside, {"unit_in_holdout": held, "unit_outside_slice": 400 - inside - held})


def test_two_slices_of_one_layer_share_nobody_and_have_everybody_between_them(count):
    rows = [invited(unit, 1) for unit in UNITS]
    parts = [count(*rows, slice=Slice("mail", *ends, 0.0))[0] for ends in [(0.0, 0.4), (0.4, 1.0)]]
    assert sum(parts) == 400
    assert min(parts) > 100


def test_who_is_counted_is_who_the_evaluators_answer(log):
    experiment = {"salt": "s", "slice": {"salt": "mail", "low": 0.25, "high": 0.75}}
    experiment["ranges"] = [{"variant": "none", "low": 0.0, "high": 1.0}]
    asked = {unit for unit in UNITS if evaluate(experiment, unit) is not None}
    design = make_design(slice=Slice("mail", 0.25, 0.75, 0.0))
    units = find_pilot_units(log(*(invited(unit, 1) for unit in UNITS)), design, as_of=LATE)
    counted = {row["unit"] for row in open_engine().to_pyarrow(units).to_pylist()}
    assert counted == asked
    assert 20 < len(counted) < 380


def test_only_exposures_outside_of_a_pause_count_and_one_after_it_does(count):
    pauses = {"pauses": [(START + timedelta(hours=10), START + timedelta(hours=20)), (START + timedelta(days=3), None)]}
    rows = [invited("before", 9), invited("first", 10), invited("last", 19), invited("after", 20), invited("open", 72)]
    assert count(*rows, **pauses) == (2, {"exposure_while_paused": 3})
    assert count(invited("again", 11, "large"), invited("again", 21, "none"), **pauses) == (1, {})


def test_a_layer_does_not_move_the_shares_of_an_experiment_inside_it():
    units = [f"u{number}" for number in range(40_000)]
    inside = place_units(units, "mail") < 0.3
    share = (place_units(units, "june")[inside] < 0.5).mean()
    assert abs(share - 0.5) < 4 * 0.5 / np.sqrt(inside.sum())


def test_only_exposures_in_time_count_and_a_later_one_inside_does(count):
    time = {"start": START + timedelta(hours=10), "end": START + timedelta(hours=20)}
    rows = [invited("early", 9), invited("first", 10), invited("last", 19), invited("late", 20)]
    assert count(*rows, **time) == (2, {"exposure_before_start": 1, "exposure_after_end": 1})
    assert count(invited("again", 9, "large"), invited("again", 12, "none"), **time) == (1, {})


def test_what_came_before_a_unit_took_part_is_no_early_reward(count):
    rows, start = [invited("a", 1), came("a", 2), invited("a", 12), came("a", 13)], START + timedelta(hours=10)
    assert count(*rows, start=start) == (1, {"reward_before_taking_part": 1})
    # Nobody left it out at hour 11: then the clocks are wrong.
    assert count(*rows, came("b", 11), invited("b", 12), start=start)[1]["reward_before_exposure"] == 1
    said = {"reward_before_taking_part": 1, "reward_before_exposure": 1}
    rows = [came("a", 0), invited("a", 1, "large"), came("a", 2), invited("a", 12)]
    assert count(*rows, eligible="variant = 'none'") == (1, said)


@pytest.mark.parametrize(("hour", "is_trial"), [(9, False), (10, True), (19, True), (20, False)])
def test_nameless_rows_outside_of_its_time_are_not_of_the_trial(log, hour, is_trial):
    start, end = START + timedelta(hours=10), START + timedelta(hours=20)
    design = end_at(make_design(start=start), end)
    running = count_log(log(invited(None, hour)), design, as_of=LATE, decided_at=None)
    assert [part.is_trial for part in running.exclusions] == [is_trial]


def test_a_unit_of_which_no_row_is_eligible_is_left_out_by_name(count):
    rows = [invited("a", 1, "none"), invited("b", 1, "large"), came("b", 2), invited(None, 1)]
    said = {"unit_not_eligible": 1, "reward_of_left_out_unit": 1, "record_without_unit": 1}
    assert count(*rows, eligible="variant = 'none'") == (1, said)
    assert count(invited("a", 1, None), eligible="variant = 'none'") == (0, {"unit_not_eligible": 1})


def test_another_experiments_variant_outside_the_slice_is_no_unknown_one(count):
    places = place_units(UNITS, "mail")
    outside = UNITS[int(np.argmin(places))]
    assert count(invited(outside, 1, "theirs"), slice=HALF) == (0, {"unit_outside_slice": 1})


def test_a_predicate_over_a_column_that_is_not_there_is_refused(count):
    with pytest.raises(BadProblem, match="colour"):
        count(invited("a", 1), eligible="colour = 'red'")


@pytest.mark.parametrize(("most", "n_units", "n_late"), [(2, 2, 2), (3, 4, 0), (9, 4, 0)])
def test_it_ends_with_the_unit_that_makes_it_full_and_who_came_that_moment(log, most, n_units, n_late):
    events = log(invited("a", 1), invited("a", 5), invited("b", 2), invited("c", 3), invited("d", 3), invited(None, 1))
    design = end_when_full(events, make_design(max_units=most), as_of=LATE)
    running = count_log(events, design, as_of=LATE, decided_at=None)
    assert sum(part.n_units for part in running.sums) == n_units
    late = sum(part.n_rows for part in running.exclusions if part.reason == "exposure_after_end")
    assert late == n_late
    is_full = most < 9
    assert (design.end is not None, design.pilot_end < make_design().pilot_end) == (is_full, is_full)


def test_who_does_not_take_part_does_not_fill_it(log):
    places = place_units(UNITS, "mail")
    order = np.argsort(places)  # the first hundred or so are outside the slice
    events = log(*(invited(UNITS[unit], hour / 100) for hour, unit in enumerate(order)))
    design = end_when_full(events, make_design(max_units=5, slice=HALF), as_of=LATE)
    running = count_log(events, design, as_of=LATE, decided_at=None)
    assert sum(part.n_units for part in running.sums) == 5


def test_what_lies_behind_the_window_fills_nothing_yet(log):
    events = log(invited("a", 1), invited("b", 30))
    assert end_when_full(events, make_design(max_units=2), as_of=START + timedelta(hours=30)).end is None


def test_sums_that_go_on_are_those_that_are_counted_anew(log):
    design = make_design(slice=HALF, eligible="variant = 'none' OR person_id > 'u2'", start=START + timedelta(hours=2))
    old = [invited(unit, 1 + place % 7, "none" if place % 3 else "large") for place, unit in enumerate(UNITS[:200])]
    new = [invited(unit, 30, "large") for unit in UNITS[150:300]] + [came(unit, 31) for unit in UNITS[100:160]]
    middle, end = START + timedelta(hours=24), START + timedelta(hours=48)
    window = design.attribution_window
    base = count_log(log(*old), design, as_of=middle, decided_at=None)
    rows = touched_rows(log(*old, *new), log(*new), log(*old), design, since=middle - window, until=end - window)
    names = {row["person_id"] for row in open_engine().to_pyarrow(rows).to_pylist()}
    before = count_log(log(*(row for row in old if row["person_id"] in names)), design, as_of=middle, decided_at=None)
    now = count_log(rows, design, as_of=end, decided_at=None)
    assert carry_on(base, before, now) == count_log(log(*old, *new), design, as_of=end, decided_at=None)


def test_metrics_and_propensities_are_of_the_same_people(log):
    rows = [invited(unit, 1) for unit in UNITS] + [came(unit, 2) for unit in UNITS]
    n_inside = int(((place_units(UNITS, "mail") >= 0.25) & (place_units(UNITS, "mail") < 0.75)).sum())
    design = make_design(slice=HALF)
    metric = Metric("visits", "secondary", "count", Measure("came", None, False, timedelta(0), timedelta(days=2)))
    measured = sum_log(log(*rows), design, [metric], as_of=LATE)[0]["none"]
    cells = open_engine().to_pyarrow(sum_cells(log(*rows), design, as_of=LATE)).to_pylist()
    assert (measured.n_mature, measured.sums.sum_y) == (n_inside, n_inside)
    assert [PropensitySum(**row).n for row in cells] == [n_inside]


def change_experiment(monkeypatch, layers=None, **changes):
    """Have the step read a file with other values in its experiment."""
    problem = load_problem(PROBLEM)
    changed = Experiment.model_validate(problem.experiment.model_dump() | changes)
    whole = problem.model_copy(update={"experiment": changed, "layers": layers or {}})
    monkeypatch.setattr(steps, "load_problem", lambda _name: whole)


def phases_of(outreach):
    """Say what each window's shares are of."""
    return {row["partition_key"]: row["phase"] for row in outreach.rows(ALLOCATION)}


@pytest.fixture
def run(outreach, monkeypatch):
    """A pilot on the first day, the rest on the sixth; the clock stands where the log begins."""
    monkeypatch.setattr(steps, "datetime", Clock)
    outreach.publish(*send("p", 1), *send("r", 5 * 24 + 1), days=DAYS)
    return outreach


def test_an_experiment_that_is_full_is_decided_early_and_then_sends_nothing(run, monkeypatch):
    change_experiment(monkeypatch, end={"max_units": 1000})
    outcome = update("2004-11-01")
    # The thousandth came on the first day: who comes later is none of it, and nobody waits for the fourth.
    assert (outcome["outcome"], outcome["variant"], outcome["n_rows"]) == ("send", "large", 1000)
    assert run.outcomes == {day: ("wait", None) if day < "2004-11-03" else ("send", "large") for day in DAYS}
    assert phases_of(run) == dict.fromkeys(DAYS, "ended")
    late = [row for row in run.rows(EXPERIMENT_EXCLUSION) if row["reason"] == "exposure_after_end"]
    assert sum(row["n_rows"] for row in late if row["partition_key"] == DAYS[-1]) == 1000
    before = everything(run)
    update("2004-11-01")
    assert everything(run) == before


def test_a_slice_decides_on_its_own_people_and_tells_of_the_others(run, monkeypatch):
    layer = Layer(unit="person_id", salt="mail", holdout=0.2)
    change_experiment(monkeypatch, {"mail": layer}, layer="mail", traffic=[0.0, 0.5])
    update("2004-11-01")
    people = [f"{prefix}-{name}-{i}" for prefix in "pr" for name, n in PEOPLE.items() for i in range(n)]
    places = place_units(people, "mail")
    sums = [row for row in run.rows(VARIANT_SUM) if row["partition_key"] == DAYS[-1]]
    assert sum(row["n_units"] for row in sums) == int((places < 0.5).sum())
    left_out = dict.fromkeys(("unit_in_holdout", "unit_outside_slice"), 0)
    for row in run.rows(EXPERIMENT_EXCLUSION):
        if row["partition_key"] == DAYS[-1] and row["reason"] in left_out:
            left_out[row["reason"]] += row["n_rows"]
    assert left_out == {
        "unit_in_holdout": int((places >= 0.8).sum()),
        "unit_outside_slice": int(((places >= 0.5) & (places < 0.8)).sum()),
    }
    [check] = [
        row
        for row in run.rows(EXPERIMENT_CHECK)
        if (row["partition_key"], row["check_name"]) == (DAYS[-1], "exclusions")
    ]
    assert check["is_pass"]
    assert "Left out by the file: unit_in_holdout" in check["detail"]
    assert run.outcomes[DAYS[-1]] == ("send", "large")


def test_another_end_is_another_version_of_the_plan(run, monkeypatch):
    change_experiment(monkeypatch, start="2004-11-01T00:00:00Z", end={"after": "P10D"})
    update("2004-11-01")
    assert phases_of(run)[DAYS[-1]] == "rest"
    change_experiment(monkeypatch, start="2004-11-01T00:00:00Z", end={"after": "P2D"})
    run.publish(days=("2004-11-09",))
    update("2004-11-09")
    assert (phases_of(run)[DAYS[-1]], phases_of(run)["2004-11-09"]) == ("rest", "ended")
    assert [row["version"] for row in run.rows(EXPERIMENT_PLAN)] == [1, 2]
