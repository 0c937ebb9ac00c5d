"""What a problem file says about its experiment, in the words of this room.

What belongs here: turning the file's section into a design (who is counted) and rules (what decides). What does not:
counting and deciding.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from include.errors import BadExperiment
from include.experiments.allocation.rules import WaveRule
from include.experiments.sending import Price
from include.partition_keys import partition_bounds
from include.problems.schema import Problem
from include.problems.sections.experiment import Experiment


@dataclass(frozen=True)
class Slice:
    """The part of a layer's units that is an experiment's own: places from low on and below high, 0..1.

    Attributes:
        salt: of the places.
        holdout: share of all units, at the upper end, that no experiment of the layer has.
    """

    salt: str
    low: float
    high: float
    holdout: float


@dataclass(frozen=True)
class Design:
    """Who is counted, and where.

    Attributes:
        unit, event, variant, event_time: names of columns.
        exposure, reward: values of the event column.
        variants: what may be sent.
        cluster: column of what was drawn, where that is not the unit: a household, a school; None without.
        pilot_end: exposures before it belong to the pilot.
        trial_end: exposures before it and after the pilot belong to the waves; the pilot's end where there are none.
        attribution_window: a reward counts from the exposure on until this has elapsed; the unit counts after that.
        salt, holdback_share: which of the later units are held back.
        propensity: column with the probability by which the variant was drawn; without it `shares` of the pilot are.
        shares: 0..1 per variant, by which the pilot is drawn.
        slice: of a layer; None where everybody may take part.
        eligible: SQL predicate over an exposure's row; None where every row may.
        start, end: exposures before the one, and from the other on, are none of the experiment's; None without.
        max_units: so many units may take part; None without a most.
        pauses: exposures from the first moment of one on and before its end are none of the experiment's; None: no end.
        asks_past_rewards: whether rewards before an exposure are its covariate, and so none that came too early.
    """

    unit: str
    event: str
    variant: str
    event_time: str
    exposure: str
    reward: str
    variants: Sequence[str]
    pilot_end: datetime
    trial_end: datetime
    attribution_window: timedelta
    salt: str
    holdback_share: float
    propensity: str | None
    shares: Mapping[str, float]
    cluster: str | None = None
    slice: Slice | None = None
    eligible: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    max_units: int | None = None
    asks_past_rewards: bool = False
    pauses: Sequence[tuple[datetime, datetime | None]] = ()

    def is_over(self, moment: datetime) -> bool:
        """Say whether nobody more takes part from a moment on."""
        return self.end is not None and self.end <= moment

    @property
    def due_at(self) -> datetime:
        """The moment at which every unit of the trial has had its time."""
        return self.trial_end + self.attribution_window


@dataclass(frozen=True)
class Rules:
    """What decides.

    Attributes:
        variants: in the order of the file, which settles ties.
        control: one of them.
        expected_shares: 0..1 per variant, sum 1.
        sample_ratio_alpha, exclusion_limit, minimum_units, minimum_rewards: see the checks.
        claim_level: 0..1; false claims are at most 1 - level.
        price: what sending is worth.
        holdback_share: of the rest.
        wave_rule: by which units are shared out between pilot and decision; None where nobody is sent anything.
    """

    variants: Sequence[str]
    control: str
    expected_shares: Mapping[str, float]
    sample_ratio_alpha: float
    claim_level: float
    price: Price
    minimum_units: int
    minimum_rewards: int
    exclusion_limit: float
    holdback_share: float
    wave_rule: WaveRule | None = None


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
        UnknownPartitionKey: `pilot_until` is not a partition of the problem's grain.
    """
    experiment = require_experiment(problem)
    ends = [partition_bounds(key, problem.source.grain)[1] for key in (experiment.pilot_until, experiment.trial_until)]
    # What is over is over for pilot and waves, too.
    pilot_end, trial_end = (min(end, experiment.ends_at or end) for end in ends)
    return Design(
        unit=experiment.unit,
        event=experiment.event,
        variant=experiment.variant,
        event_time=problem.source.event_time,
        exposure=experiment.exposure,
        reward=experiment.reward,
        variants=experiment.variants,
        pilot_end=pilot_end,
        trial_end=trial_end,
        attribution_window=experiment.attribution_window,
        salt=experiment.salt,
        holdback_share=experiment.holdback_share,
        propensity=experiment.propensity,
        shares=experiment.shares,
        cluster=experiment.cluster,
        slice=_slice_of(problem, experiment),
        eligible=experiment.eligible,
        start=experiment.start,
        end=experiment.ends_at,
        max_units=experiment.end.max_units if experiment.end is not None else None,
        asks_past_rewards=_asks_past_rewards(problem, experiment),
        pauses=[(pause.since, pause.until) for pause in experiment.pauses],
    )


def _asks_past_rewards(problem: Problem, experiment: Experiment) -> bool:
    """Say whether the covariate adds up what the experiment rewards."""
    asked = experiment.covariate
    return asked is not None and problem.metrics[asked.metric].event == experiment.reward


def _slice_of(problem: Problem, experiment: Experiment) -> Slice | None:
    """Read which part of which layer is the experiment's own."""
    if experiment.layer is None:
        return None
    layer = problem.layers[experiment.layer]
    return Slice(layer.salt, experiment.slice_low, experiment.slice_high, layer.holdout)


def rules_of(problem: Problem) -> Rules:
    """Read what decides.

    Raises:
        BadExperiment: the problem has no section `experiment`.
    """
    experiment = require_experiment(problem)
    return Rules(
        variants=experiment.variants,
        control=experiment.control,
        expected_shares=experiment.shares,
        sample_ratio_alpha=experiment.sample_ratio_alpha,
        claim_level=experiment.claim_level,
        price=_price_of(experiment),
        minimum_units=experiment.minimum_units_per_variant,
        minimum_rewards=experiment.minimum_rewards,
        exclusion_limit=experiment.exclusion_limit,
        holdback_share=experiment.holdback_share,
        wave_rule=_wave_rule_of(experiment),
    )


def _wave_rule_of(experiment: Experiment) -> WaveRule | None:
    """Read how waves are shared out."""
    asked = experiment.allocation
    if asked.until is None:
        return None
    return WaveRule(asked.mode, asked.uniform_share, asked.discount, asked.last_windows)


def _price_of(experiment: Experiment) -> Price:
    """Read what sending is worth."""
    asked = experiment.decide
    return Price(
        value=asked.value,
        costs=asked.costs,
        switching_cost=asked.switching_cost,
        units_to_come=asked.units_to_come or 1,
        equivalence=asked.equivalence,
        tie=asked.tie,
    )
