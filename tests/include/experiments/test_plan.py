import dataclasses
import json
from datetime import UTC, datetime
from hashlib import sha256

from include.experiments.design import Slice, design_of, rules_of
from include.experiments.plan import Plan, find_plan, with_plan
from include.problems.reading import load_problem
from include.problems.sections.experiment import Experiment
from include.problems.sections.layers import End, Layer

CAMPAIGN = load_problem("campaign")


def test_a_plan_reads_back_as_what_it_was_written_from():
    plan = Plan.of(CAMPAIGN.experiment)
    changed = CAMPAIGN.model_copy(update={"experiment": CAMPAIGN.experiment.model_copy(update={"salt": "other"})})
    back = with_plan(changed, plan.document)
    assert dataclasses.asdict(design_of(back)) == dataclasses.asdict(design_of(CAMPAIGN))
    assert rules_of(back) == rules_of(CAMPAIGN)


def test_another_value_is_another_name_and_another_order_is_not():
    plan = Plan.of(CAMPAIGN.experiment)
    turned = Experiment.model_validate(dict(reversed(plan.document.items())))
    assert Plan.of(turned).sha256 == plan.sha256
    assert len(plan.sha256) == 64
    assert Plan.of(CAMPAIGN.experiment.model_copy(update={"holdback_share": 0.31})).sha256 != plan.sha256


def test_a_default_that_is_written_out_is_the_same_plan():
    written = Plan.of(CAMPAIGN.experiment).document | {"minimum_rewards": 10}
    assert Plan.of(Experiment.model_validate(written)).sha256 == Plan.of(CAMPAIGN.experiment).sha256


def test_a_plan_with_fewer_fields_is_the_same_plan():
    now = Plan.of(CAMPAIGN.experiment)
    older = Plan({name: value for name, value in now.document.items() if name != "exclusion_limit"}, "a" * 64)
    unread = Plan({"salt": "s"}, "b" * 64)
    other = Plan(now.document | {"exclusion_limit": 0.02}, "c" * 64)
    assert find_plan([unread, other, older], CAMPAIGN.experiment) == older
    assert find_plan([unread, other], CAMPAIGN.experiment) == now


def test_who_is_asked_and_for_how_long_is_no_other_plan():
    section = Plan.of(CAMPAIGN.experiment).document

    def name(approver, timeout):
        decide = section["decide"] | {"tie": "ask", "approval_timeout": timeout}
        plan = Plan.of(Experiment.model_validate(section | {"decide": decide, "approver": approver}))
        assert plan.document["approver"] == approver
        return plan.sha256

    assert name("ada", None) == name("bob", "P2D") != Plan.of(CAMPAIGN.experiment).sha256


def test_a_plan_of_before_questions_keeps_its_name():
    """The name is that of the document which the version before wrote, which knew of no approver."""
    older = dict(Plan.of(CAMPAIGN.experiment).document)
    assert (older.pop("approver"), older["decide"].pop("approval_timeout")) == (None, None)
    text = json.dumps(older, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert Plan.of(CAMPAIGN.experiment).sha256 == sha256(text.encode()).hexdigest()


def test_a_plan_with_settings_of_waves_that_nobody_obeyed_is_still_read():
    older = Plan.of(CAMPAIGN.experiment).document
    older = dict(older) | {"allocation": {"mode": "pilot", "discount": 0.9, "until": None}}
    assert find_plan([Plan(older, "d" * 64)], CAMPAIGN.experiment).sha256 == "d" * 64
    assert with_plan(CAMPAIGN, older).experiment == CAMPAIGN.experiment


def test_a_plan_keeps_its_layer_and_another_salt_of_it_is_another_plan():
    layers = {"mail": Layer(unit="person_id", salt="mail", holdout=0.1), "app": Layer(unit="person_id", salt="app")}
    end = End(after="P28D", max_units=900)
    inside = CAMPAIGN.experiment.model_copy(
        update={"layer": "mail", "traffic": [0.1, 0.4], "start": datetime(2004, 11, 1, tzinfo=UTC), "end": end}
    )
    problem = CAMPAIGN.model_copy(update={"experiment": inside, "layers": layers})
    plan = Plan.of(inside, {}, layers)
    back = with_plan(CAMPAIGN, json.loads(json.dumps(plan.document)))
    assert design_of(back) == design_of(problem)
    assert design_of(back).slice == Slice("mail", 0.1, 0.4, 0.1)
    assert design_of(back).end == datetime(2004, 11, 29, tzinfo=UTC)
    assert find_plan([plan], inside, {}, layers) is plan
    other = layers | {"mail": layers["mail"].model_copy(update={"salt": "post"})}
    assert find_plan([plan], inside, {}, other).sha256 != plan.sha256
    assert find_plan([plan], inside, {}, {"mail": layers["mail"]}) is plan
