import pytest

from tests.include.problems.conftest import GOOD

IN_SET = "ExpectColumnValuesToBeInSet"


def allow(column, *values, severity="stop"):
    arguments = {"value_set": list(values)}
    return {"expectations": [{"expect": IN_SET, "column": column, "severity": severity, "arguments": arguments}]}


@pytest.mark.parametrize(
    ("place", "value", "line"),
    [
        ("experiment.reward", "cmae", "field experiment.reward: 'cmae' is no value that quality allows in origin"),
        ("experiment.exposure", "Invited", "field experiment.exposure: 'Invited' is no value that quality allows"),
    ],
)
def test_an_event_that_the_audit_would_keep_out_is_refused(refusal_of, place, value, line):
    assert line in refusal_of(place, value, quality=allow("origin", "invited", "came"))


def test_a_misspelt_variant_is_refused_with_what_it_may_mean(refusal_of):
    refusal = refusal_of("experiment.variants", ["none_at_all", "smal"], quality=allow("group", "none_at_all", "small"))
    assert "field experiment.variants: 'smal' is no value that quality allows in group (none_at_all, small)" in refusal
    assert "small" in refusal.rpartition(")")[2]


def test_values_that_are_only_warned_of_or_of_another_column_forbid_nothing(read):
    assert read(quality=allow("origin", "x", severity="warn")).experiment.reward == "came"
    assert read(quality=allow("distance_miles", 1)).experiment.reward == "came"


@pytest.mark.parametrize("key", ["2012-11", "2015-01"])
def test_a_pilot_outside_of_the_log_is_refused(refusal_of, key):
    assert f"field experiment.pilot_until: '{key}' lies outside of source.earliest" in refusal_of(
        "experiment.pilot_until", key
    )


def test_a_month_that_is_none_is_refused(refusal_of):
    assert "'2013-13' is no month" in refusal_of("experiment.pilot_until", "2013-13")


def test_a_window_that_elapses_after_the_log_is_refused(refusal_of, read):
    rule = "307 days after the pilot, 2013-02, elapses after source.latest (2014-01-01), so nothing would ever be"
    assert rule in refusal_of("experiment.attribution_window", "P307D")
    assert read("experiment.attribution_window", "P306D").experiment.attribution_window.days == 306


@pytest.mark.parametrize(
    ("until", "line"),
    [
        ("2013-3", "'2013-3' names no month"),
        ("2015-01", "lies outside of source.earliest and latest (2013-01-01 to 2014-01-01), so the last wave would"),
    ],
)
def test_waves_that_end_in_no_partition_of_the_log_are_refused(refusal_of, until, line):
    assert line in refusal_of("experiment.allocation", {"mode": "waves", "until": until})


def masked():
    columns = GOOD["source"]["columns"]
    return {"source": GOOD["source"] | {"columns": columns | {"ride_id": {"type": "string", "pii": "identifier"}}}}


def test_a_masked_unit_is_refused_where_people_are_held_back(refusal_of):
    said = refusal_of("experiment.holdback_share", 0.3, **masked())
    assert "field experiment.unit: 'ride_id' has pii: identifier; programs place people by the raw id" in said


def test_a_masked_unit_is_refused_where_waves_are_sent(refusal_of):
    waves = GOOD["experiment"] | {"holdback_share": 0, "allocation": {"mode": "waves", "until": "2013-04"}}
    assert "field experiment.unit" in refusal_of("why", "People wait.", **masked(), experiment=waves)


def test_a_masked_unit_is_read_where_nobody_is_placed(read):
    assert read("experiment.holdback_share", 0, **masked()).experiment.unit == "ride_id"


def plain(problem):
    """Write the good experiment as a file has it."""
    return problem.experiment.model_dump(mode="json", exclude_none=True)


def test_as_many_experiments_as_wanted_stand_on_one_log(read):
    mail = plain(read())
    problem = read("experiment", "REMOVE", experiments={"mail": mail, "price-june": mail | {"salt": "other"}})
    assert list(problem.named_experiments) == ["mail", "price-june"]
    assert problem.alone_with("price-june").experiment.salt == "other"
    assert list(read().named_experiments) == ["experiment"]


def test_one_bad_experiment_among_good_ones_is_named(read, refusal_of):
    mail = plain(read())
    bad = {"mail": mail, "price": mail | {"salt": "other", "control": "big"}}
    assert "field experiments.price.control: 'big' is not one" in refusal_of("experiment", "REMOVE", experiments=bad)
    bad["price"] = mail | {"salt": "other", "unit": "rider"}
    assert "field experiments.price.unit: 'rider' is not decl" in refusal_of("experiment", "REMOVE", experiments=bad)
    bad["price"] = mail | {"salt": "other", "pilot_until": "2019-01"}
    assert "field experiments.price.pilot_until: '2019-01' lies" in refusal_of("experiment", "REMOVE", experiments=bad)


def test_two_experiments_that_would_divide_people_alike_are_refused(read, refusal_of):
    mail = plain(read())
    said = refusal_of("experiment", "REMOVE", experiments={"mail": mail, "price": mail})
    assert "field experiments.price.salt: 'pepper' is the salt of mail, too" in said
    assert "stands beside the section experiment" in refusal_of("", None, experiments={"mail": mail})


def test_an_experiments_name_is_part_of_a_flag(read, refusal_of):
    said = refusal_of("experiment", "REMOVE", experiments={"Mail.June": plain(read())})
    assert "is no name of an experiment; write small letters" in said
