"""What a problem file says about its experiment, in the words of this room.

What belongs here: turning the file's section into a design (who is counted) and rules (what decides). What does not:
counting and deciding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.errors import BadExperiment
from include.experiments.windows import window_end
from include.problems.schema import Problem
from include.problems.sections.experiment import Experiment


@dataclass(frozen=True)
class Design:
    """Who is counted, and where.

    Attributes:
        unit, event, variant, event_time: names of columns.
        exposure, reward: values of the event column.
        variants: what may be sent.
        pilot_end: exposures before it belong to the pilot.
        attribution_window: a reward counts from the exposure on until this has elapsed; the unit counts after that.
        salt, holdback_share: which of the later units are held back.
    """

    unit: str
    event: str
    variant: str
    event_time: str
    exposure: str
    reward: str
    variants: Sequence[str]
    pilot_end: datetime
    attribution_window: timedelta
    salt: str
    holdback_share: float


@dataclass(frozen=True)
class Rules:
    """What decides.

    Attributes:
        variants: in the order of the file, which settles ties.
        control: one of them.
        expected_shares: 0..1 per variant, sum 1.
        sample_ratio_alpha, decide_at_probability, minimum_units, holdback_share: see the checks and the decision.
    """

    variants: Sequence[str]
    control: str
    expected_shares: Mapping[str, float]
    sample_ratio_alpha: float
    decide_at_probability: float
    minimum_units: int
    holdback_share: float


def require_experiment(problem: Problem) -> Experiment:
    """Refuse a problem that tries nothing out.

    Raises:
        BadExperiment: it has no section `experiment`.
    """
    if problem.experiment is None:
        raise BadExperiment(f"{problem.name}.yaml has no section `experiment`; add one, or do not run this stage.")
    return problem.experiment


def design_of(problem: Problem) -> Design:
    """Read who is counted.

    Raises:
        BadExperiment: the problem has no section `experiment`.
        BadPartition: `pilot_until` is not a partition of the problem's grain.
    """
    experiment = require_experiment(problem)
    return Design(
        unit=experiment.unit,
        event=experiment.event,
        variant=experiment.variant,
        event_time=problem.source.event_time,
        exposure=experiment.exposure,
        reward=experiment.reward,
        variants=experiment.variants,
        pilot_end=window_end(experiment.pilot_until, problem.source.grain),
        attribution_window=experiment.attribution_window,
        salt=experiment.salt,
        holdback_share=experiment.holdback_share,
    )


def rules_of(problem: Problem) -> Rules:
    """Read what decides; where the file expects no shares, every variant should get the same.

    Raises:
        BadExperiment: the problem has no section `experiment`.
    """
    experiment = require_experiment(problem)
    equal = dict.fromkeys(experiment.variants, 1.0 / len(experiment.variants))
    return Rules(
        variants=experiment.variants,
        control=experiment.control,
        expected_shares=equal if experiment.expected_shares is None else experiment.expected_shares,
        sample_ratio_alpha=experiment.sample_ratio_alpha,
        decide_at_probability=experiment.decide_at_probability,
        minimum_units=experiment.minimum_units_per_variant,
        holdback_share=experiment.holdback_share,
    )
