import pytest

from tests.include.problems.conftest import GOOD, OTHER_LOG

EXPECT = "quality.expectations.0"

BROKEN = [
    (f"{EXPECT}.column", "ride", f"field {EXPECT}.column: 'ride' is not declared in source.columns"),
    ("label", "REMOVE", "field training: needs the sections label and value; write them or remove training"),
    ("label.source", "desk", "field label.source: desk needs the section review, or nobody ever gives a label"),
    ("training.features.numeric", ["miles", "distance_miles"], "field training.features.numeric: 'miles' is not decl"),
    (
        "training.features",
        {"numeric": ["started_at"]},
        "field training.features.numeric: 'started_at' is of type timestamp, not a number",
    ),
    (
        "source.columns.origin.known",
        "later",
        "field training.features.categorical: 'origin' is known only later (source",
    ),
    (
        "label.positive_when",
        "distance_miles > 9",
        "field training.features.numeric: 'distance_miles' is what the label",
    ),
    ("training.group", "person", "field training.group: 'person' is not declared in source.columns"),
    ("training.protected", [{"column": "sex"}], "field training.protected.0.column: 'sex' is not declared in source"),
    ("review", {"budget": 1, "max_rounds": 1}, "field review: needs the section training, and label.source: desk"),
    ("experiment.variant", "arm", "field experiment.variant: 'arm' is not declared in source.columns"),
    ("experiment.pilot_until", "2013-02-01", "field experiment.pilot_until: '2013-02-01' names no month; write it"),
    ("monitor.features", ["mile"], "field monitor.features: 'mile' is not declared in source.columns"),
]


@pytest.mark.parametrize(("place", "value", "line"), BROKEN)
def test_one_broken_field_is_named_with_its_remedy(refusal_of, place, value, line):
    assert line in refusal_of(place, value)


def test_only_the_source_and_the_people_are_required(read):
    optional = ("quality", "label", "baseline", "training", "review", "experiment", "monitor")
    problem = read("value", "REMOVE", **dict.fromkeys(optional))
    assert problem.value is None
    assert {getattr(problem, section) for section in optional} == {None}
    assert problem.upkeep.snapshots.days == 7


@pytest.mark.parametrize("field", ["column_A", "column_B"])
def test_a_column_inside_the_arguments_of_an_expectation_must_be_declared(refusal_of, field):
    pair = {"column_A": "distance_miles", "column_B": "distance_miles"} | {field: "miles"}
    suite = {"expectations": [{"expect": "ExpectColumnPairValuesToBeEqual", "severity": "stop", "arguments": pair}]}
    assert f"quality.expectations.0.arguments.{field}: 'miles' is not declared" in refusal_of("", None, quality=suite)


def test_a_quoted_text_in_the_labels_predicate_is_a_value_and_no_column(read, refusal_of):
    assert read("label.positive_when", "a = 'distance_miles'").label
    assert "is what the label is read from" in refusal_of("label.positive_when", "a = 'x' OR distance_miles > 1")


def test_a_feature_must_not_be_derived_from_what_the_label_is_read_from(read, refusal_of):
    derive = {"far": {"type": "boolean", "sql": "distance_miles > 9"}, "near": {"type": "boolean", "sql": "NOT far"}}
    features = {"numeric": ["near"]}
    training = {"model": "scorecard", "features": features}
    said = refusal_of("source.derive", derive, training=training, label=label_read_from("distance_miles > 7"))
    assert "field training.features.numeric: 'near' is what the label is read from" in said
    said = refusal_of(
        "source.derive",
        derive,
        training={"model": "scorecard", "features": {"numeric": ["distance_miles"]}},
        label=label_read_from("near"),
    )
    assert "'distance_miles' is what the label is read from" in said
    assert read("source.derive", derive, training=training, label=label_read_from("origin = 'EWR'"))


def label_read_from(predicate):
    classes = {"classes": ["early", "late"], "positive": "late"}
    return {**classes, "source": "log", "known_when": "TRUE", "positive_when": predicate}


@pytest.mark.parametrize(
    ("name", "change", "line"),
    [
        ("quarantine", {}, "field sources.quarantine: the lake calls another table of the problem 'quarantine'"),
        ("Refunds", {}, "field sources.Refunds: is no name"),
        (
            "refunds",
            {"landing": "rides/refunds"},
            "field sources.refunds.landing: 'rides/refunds' and 'rides' of",
        ),
        ("refunds", {"landing": "rides"}, "share objects, which would be counted twice"),
        ("refunds", {"key": ["id"]}, "field sources.refunds.key: 'id' is not declared"),
        (
            "refunds",
            {"quality": {"expectations": [{"expect": "ExpectColumnToExist", "column": "x", "severity": "stop"}]}},
            "field sources.refunds.quality.expectations.0.column: 'x' is not declared",
        ),
    ],
)
def test_one_broken_field_of_another_log_is_named_with_its_remedy(refusal_of, name, change, line):
    assert line in refusal_of("sources", {name: OTHER_LOG | change})


LAG = {"per": "origin", "over": "P7D", "sql": "count(*)"}


@pytest.mark.parametrize(
    ("lag", "line"),
    [
        ({"per": "person"}, "field source.lags.busy.per: 'person' is not declared"),
        ({"over": "P0D"}, "field source.lags.busy.over: a period is longer than nothing"),
        ({"gap": "P7D"}, "field source.lags.busy.gap: 7 days, 0:00:00 leaves nothing of over"),
        ({"sql": "sum(distance_miles)"}, "'distance_miles': the label is read from it, and of the row just before"),
        ({"sql": "sum(Distance_Miles)"}, "'distance_miles': the label is read from it, and of the row just before"),
    ],
)
def test_a_lag_that_looks_where_nothing_was_known_is_refused(refusal_of, lag, line):
    label = label_read_from("distance_miles > 7")
    training = {"model": "scorecard", "features": {"categorical": ["origin"]}}
    assert line in refusal_of("source.lags", {"busy": LAG | lag}, label=label, training=training)


def test_a_lag_of_what_is_known_later_needs_a_gap(read, refusal_of):
    columns = GOOD["source"]["columns"] | {"delay": {"type": "number", "known": "later"}}
    source = GOOD["source"] | {"columns": columns}
    lag = LAG | {"sql": "avg(delay)"}
    said = refusal_of("source", source | {"lags": {"late": lag}})
    assert "field source.lags.late.sql: 'delay' is known only later, so of the row just before nobody knew it" in said
    problem = read("source", source | {"lags": {"late": lag | {"gap": "P1D"}}})
    assert (problem.columns["late"].type, problem.columns["late"].known) == ("number", "event")
    taken = refusal_of("source", source | {"lags": {"delay": LAG}})
    assert "field source.lags.delay: a column of the log has this name" in taken


def test_words_of_sql_that_name_no_column_do_not_refuse_a_lag(read):
    label = label_read_from("distance_miles > 7 AND ride_id IS NOT NULL")
    training = {"model": "scorecard", "features": {"categorical": ["origin"]}}
    lag = LAG | {"sql": "count(*) FILTER (WHERE origin IS NOT NULL AND true)"}
    problem = read("source.lags", {"busy": lag}, label=label, training=training)
    assert problem.columns["busy"].type == "number"


def test_a_gap_shorter_than_the_label_takes_is_refused(refusal_of):
    label = label_read_from("distance_miles > 7") | {"delay": "P30D"}
    training = {"model": "scorecard", "features": {"categorical": ["origin"]}}
    lag = LAG | {"sql": "sum(distance_miles)", "over": "P60D", "gap": "PT1H"}
    said = refusal_of("source.lags", {"busy": lag}, label=label, training=training)
    assert "label.delay at least" in said


LOOKUP = {"from": "refunds", "on": {"ride_id": "ride_id"}, "columns": ["reason"]}


@pytest.mark.parametrize(
    ("lookup", "line"),
    [
        ({"from": "customers"}, "field lookups.last.from: 'customers' is not in sources (there are: refunds)"),
        ({"columns": ["cause"]}, "field lookups.last.columns: 'cause' is not declared"),
        ({"columns": {"origin": "reason"}}, "field lookups.last.columns: 'origin' is the name of another column"),
        ({"on": {"ride_id": "id"}}, "field lookups.last.on: 'id' is not declared in sources.refunds.columns"),
        ({"on": {"started_at": "ride_id"}}, "started_at and refunds.ride_id are timestamp (pii: none) and string"),
    ],
)
def test_a_lookup_that_could_find_nothing_is_refused(refusal_of, lookup, line):
    assert line in refusal_of("lookups", {"last": LOOKUP | lookup}, sources={"refunds": OTHER_LOG})


def test_what_is_joined_is_a_feature_and_watched_but_not_audited(read, refusal_of):
    beside = {"sources": {"refunds": OTHER_LOG}, "lookups": {"last": LOOKUP}}
    training = {"model": "scorecard", "features": {"categorical": ["reason"]}}
    monitor = {"features": ["reason"], "reference_partitions": 3}
    assert read("training", training, monitor=monitor, **beside).joined_logs == ["refunds"]
    expectation = {"expect": "ExpectColumnToExist", "column": "reason", "severity": "stop"}
    assert "'reason' is not declared" in refusal_of("quality.expectations", [expectation], **beside)
    lags = OTHER_LOG | {"lags": {"n": LAG | {"per": "ride_id"}}}
    assert "field sources.refunds.lags: lags look back on rows of source" in refusal_of("sources", {"refunds": lags})


def test_another_log_is_a_problem_that_is_only_ingested(read):
    refunds = read(sources={"refunds": OTHER_LOG}).log("refunds")
    assert (refunds.name, refunds.source.landing) == ("rides.refunds", "refunds")
    assert (refunds.label, refunds.training, refunds.monitor, refunds.quality, refunds.logs) == (None,) * 4 + ([],)


def test_every_section_refuses_a_typing_mistake(refusal_of, read):
    problem = read()
    sections = [name for name, section in problem if hasattr(section, "model_fields_set") and name != "upkeep"]
    assert len(sections) >= 6
    for section in sections:
        assert f"field {section}.typo: unknown key" in refusal_of(f"{section}.typo", 1)
