"""Say before anything is sent what a problem's experiments can find, in how many days, and with how large a pilot.

    make plan PROBLEM=name [EXPERIMENT=name] [PER_DAY=n] [RATE=share] [LIFT=share] [UNITS=n]
    python -m scripts.plan_experiment NAME [--experiment NAME] [--per-day N] [--rate SHARE] [--lift SHARE] [--units N]

Traffic and base rate are read from the lake of the running stack, or of what MULGIL_WAREHOUSE_URL names; where nothing
landed yet, or where they are given, they are PER_DAY and RATE. What belongs here: the command and its words. What does
not: the numbers (`include/experiments/planning.py`).
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from include.errors import BadExperiment, MulgilError

if TYPE_CHECKING:
    from include.experiments.planning import PilotSize
    from include.experiments.traffic import Traffic
    from include.problems.schema import Problem
    from include.problems.sections.experiment import Experiment

MOST_DAYS = 28  # of traffic are all units, where nothing else says how many there will be


def describe_plan(problem: Problem, name: str, traffic: Traffic, lift: float, n_units: int | None) -> Iterator[str]:
    """Say what one experiment can find, in lines of at most 80 characters.

    Args:
        problem: with this experiment alone.
        name: of the experiment.
        traffic: what it can count on.
        lift: relative, of the one better variant that is imagined.
        n_units: in all; None takes `decide.units_to_come`, or four weeks of traffic.

    Raises:
        BadExperiment: there is nothing to find with such numbers.
    """
    from include.experiments.design import require_experiment, rules_of
    from include.experiments.planning import N_RUNS, PILOT_SHARES, recommend_size, size_pilots

    rules, experiment = rules_of(problem), require_experiment(problem)
    total, cut_by = _count_units(experiment, traffic, n_units)
    if cut_by is not None and total * min(PILOT_SHARES) < len(rules.variants):
        rule = f"{total} units are too few to plan with, and {cut_by} lets no more take part"
        raise BadExperiment(f"{problem.name}, {name}: {rule}; write a larger one, or plan with more units a day.")
    sizes = size_pilots(rules, traffic.base_rate, lift, total)
    chosen = recommend_size(sizes)
    yield f"{problem.name}, {name}: {', '.join(rules.variants)} (control: {rules.control})"
    rate = f"{100 * traffic.base_rate:.3g} of 100 rewarded"
    yield f"  {traffic.n_units_per_day:,.0f} units a day, {rate}; {total:,} in all"
    yield f"  Imagined: one variant brings {100 * lift:.3g} % more, the others what the control does."
    yield ""
    yield "   pilot    units    days   smallest   finds the      rewards"
    yield "                           effect *    best **       in all **"
    yield from (_write_size(one, traffic, is_chosen=one == chosen) for one in sizes)
    yield ""
    yield f"  *  above the control, of 100 units; claimed in 80 of 100 experiments at {rules.claim_level:g}"
    yield f"  ** simulated {N_RUNS:,} times, with the simulation's standard error"
    days = experiment.attribution_window.total_seconds() / 86_400
    yield f"  days until the pilot is full; the last unit has {days:.3g} days more for its reward"
    yield f"  Recommended: a pilot of {100 * chosen.share:.3g} of 100, {chosen.n_units:,} units."


def _count_units(experiment: Experiment, traffic: Traffic, n_units: int | None) -> tuple[int, str | None]:
    """Say how many units there will be in all, and which field of the file lets no more of them take part."""
    total = n_units or experiment.decide.units_to_come or round(traffic.n_units_per_day * MOST_DAYS)
    most: dict[str | None, int] = {None: total}
    if experiment.end is not None and experiment.end.max_units is not None:
        most["end.max_units"] = experiment.end.max_units
    if experiment.ends_at is not None and experiment.start is not None:
        days = (experiment.ends_at - experiment.start).total_seconds() / 86_400
        most["end.after"] = math.floor(days * traffic.n_units_per_day)
    cut_by = min(most, key=lambda field: most[field])
    return most[cut_by], cut_by


def _write_size(one: PilotSize, traffic: Traffic, *, is_chosen: bool) -> str:
    """Write one size of pilot as a line."""
    effect = "none" if one.smallest_effect is None else f"{100 * one.smallest_effect:.2f}"
    found = f"{100 * one.finds_best:.1f} ± {100 * one.finds_best_error:.1f}"
    rewards = f"{one.conversions:,.0f} ± {one.conversions_error:,.1f}"
    days = one.n_units / traffic.n_units_per_day
    mark = ">" if is_chosen else " "
    return f" {mark}{100 * one.share:5.3g} % {one.n_units:9,} {days:7.1f} {effect:>10} {found:>12} {rewards:>16}"


def find_traffic(problem: Problem, per_day: float | None, rate: float | None) -> Traffic:
    """Take what was given, and read the rest.

    Raises:
        BadExperiment: something is missing, and nothing of it landed yet.
    """
    from include.experiments.traffic import Traffic, read_traffic

    if per_day is not None and rate is not None:
        return Traffic(per_day, rate)
    if not os.environ.get("MULGIL_WAREHOUSE_URL"):
        from scripts.stack.home import find_home
        from scripts.stack.stack import open_stack

        os.environ |= open_stack(find_home()).environment(is_demo_reviewer_on=False)
    read = read_traffic(problem)
    if read is None:
        raise BadExperiment(
            f"{problem.name}: nobody of this experiment landed yet whose time is up, so that its traffic is not known. "
            "Write how many units a day there will be, and which share of them is rewarded: PER_DAY=500 RATE=0.05."
        )
    return Traffic(read.n_units_per_day if per_day is None else per_day, read.base_rate if rate is None else rate)


def choose_experiments(problem: Problem, name: str | None) -> list[str]:
    """Name the experiment that is asked for, or all of the problem's.

    Raises:
        BadExperiment: there is none, or none of that name.
    """
    named = list(problem.named_experiments)
    if not named:
        raise BadExperiment(f"{problem.name}.yaml tries nothing out; write a section `experiment`, and plan then.")
    if name not in (None, *named):
        raise BadExperiment(f"{problem.name} has no experiment {name}; there are: {', '.join(named)}.")
    return named if name is None else [name]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the plan of each experiment."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem")
    parser.add_argument("--experiment", help="one of several; all of them without")
    parser.add_argument("--per-day", type=float, help="units a day")
    parser.add_argument("--rate", type=float, help="share of the control's units that are rewarded, 0..1")
    parser.add_argument(
        "--lift", type=float, default=0.2, help="how much more the better variant brings; 0.2 is a fifth"
    )
    parser.add_argument("--units", type=int, help="how many there will be in all")
    asked = parser.parse_args(arguments)
    from include.problems.reading import load_problem

    try:
        problem = load_problem(asked.problem)
        for name in choose_experiments(problem, asked.experiment):
            alone = problem.alone_with(name)
            traffic = find_traffic(alone, asked.per_day, asked.rate)
            print("\n".join(describe_plan(alone, name, traffic, asked.lift, asked.units)))
    except MulgilError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
