from datetime import timedelta

from include.experiments.metrics.definitions import Measure, covariate_of, metrics_of, with_covariate
from include.problems.reading import load_problem
from include.problems.sections.experiment import Experiment
from include.problems.sections.metrics import Metric as Section

CAMPAIGN = load_problem("campaign").experiment.model_dump(mode="json")
SECTIONS = {
    "money": Section(kind="sum", event="paid", value="dollars", cap=50, direction="lower", margin=2),
    "orders": Section(kind="count", event="paid", window={"from": "P7D", "to": "P8D"}),
    "basket": Section(kind="ratio", numerator="money", denominator="orders"),
    "gone": Section(kind="binary", event="gone"),
}
MONEY = Measure("paid", "dollars", False, timedelta(0), timedelta(days=2), cap=50)
ORDERS = Measure("paid", None, False, timedelta(days=7), timedelta(days=8))


def ask(**changes):
    return metrics_of(SECTIONS, Experiment.model_validate(CAMPAIGN | changes))


def test_a_file_that_asks_nothing_measures_nothing():
    assert ask() == []


def test_a_window_that_is_missing_is_the_experiments_own():
    [money, basket] = ask(primary="money", secondary=["basket"])
    assert (money.numerator, money.denominator, money.role, money.is_lower_better) == (MONEY, None, "primary", True)
    assert (basket.numerator, basket.denominator, basket.role) == (MONEY, ORDERS, "secondary")


def test_a_guardrail_takes_its_own_margin_before_the_metrics():
    guardrails = [{"metric": "money"}, {"metric": "gone", "margin": 0.01, "on_breach": "warn"}]
    money, gone = ask(guardrails=guardrails)
    assert (money.margin, money.is_holding, gone.margin, gone.is_holding) == (2, True, 0.01, False)
    assert ask(guardrails=[{"metric": "money", "margin": 3}])[0].margin == 3


def test_a_covariate_is_its_metric_before_the_exposure_whatever_its_window():
    asked = Experiment.model_validate(CAMPAIGN | {"covariate": {"metric": "orders", "before": "P28D"}})
    before = covariate_of(SECTIONS, asked)
    assert before == Measure("paid", None, False, -timedelta(days=28), timedelta(0))
    [money] = ask(primary="money")
    pair = with_covariate(money, before)
    assert (pair.measures, pair.name) == ((MONEY, before), "money")
    assert covariate_of(SECTIONS, Experiment.model_validate(CAMPAIGN)) is None
