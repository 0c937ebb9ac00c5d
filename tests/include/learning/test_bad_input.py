"""What the train stage refuses, on a real lake and a real warehouse: each names problem, field and remedy, and whatever
serves goes on serving."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from sqlalchemy import select

from include.errors import BadProblem, MulgilError, NotEnoughLabels, TamperedModel
from include.learning import steps
from include.learning.errors import BadFeatures, BadLabels
from include.learning.registry import versions
from include.learning.scoring import score_partitions
from include.problems.reading import load_problem
from include.warehouse.tables.explaining import MODEL_NOTE
from include.warehouse.tables.learning import GATE_CHECK
from tests.include.learning.conftest import LATE, make_trips

MONTHS = ["2013-01", "2013-02", "2013-03", "2013-04"]


def train(problem: str, key: str) -> dict[str, Any]:
    plan = steps.plan_training(problem=problem, partition_key=key)
    fitted = steps.fit_candidates(problem=problem, partition_key=key, plan=plan)
    return steps.decide_promotion(problem=problem, partition_key=key, fitted=fitted)


@pytest.fixture
def champion(house: Any, trips: Callable[..., Any]) -> Callable[[], str | None]:
    """Train a model that serves; give a function that names what serves now."""
    trips(MONTHS[:3])
    train("late", "2013-03")

    def serving() -> str | None:
        with house.engine.connect() as connection:
            return versions.serving_version(connection, "late", "2013-05")

    assert serving() is not None
    return serving


def spoil(change: Callable[[pd.DataFrame], pd.DataFrame], publish: Callable[..., None]) -> None:
    """Publish all months anew, spoiled the same way."""
    for month in MONTHS:
        publish("late", "trip_id", change(make_trips(month)), month)


BAD = [
    ("infinite", lambda rows: rows.assign(rain_mm=rows["rain_mm"] / (rows.index > 3)), BadFeatures, "infinite in"),
]


@pytest.mark.parametrize(("change", "error", "sentence"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_bad_rows_are_refused_with_problem_and_point_and_the_champion_stays(
    champion: Callable[[], str | None], publish: Any, change: Any, error: type[MulgilError], sentence: str
):
    before = champion()
    spoil(change, publish)
    with pytest.raises(error, match=sentence) as raised:
        train("late", "2013-04")
    assert str(raised.value).startswith("late, training point 2013-04: ")
    assert str(raised.value).endswith("The model in production stays.")
    assert champion() == before


@pytest.mark.parametrize(("value", "fault"), [(1.0, "is 1.0 in every row"), (np.nan, "is missing in every row")])
def test_a_version_does_without_a_feature_that_teaches_nothing_and_says_so(
    house: Any, trips: Callable[..., Any], publish: Any, value: float, fault: str
):
    for month in MONTHS[:3]:
        publish("late", "trip_id", make_trips(month).assign(rain_mm=value), month)
    decided = train("late", "2013-03")
    version = decided["model_version"]
    with house.engine.connect() as connection:
        row = versions.read_version(connection, "late", version)
        note = connection.scalar(select(MODEL_NOTE.c.note).where(MODEL_NOTE.c.topic == "left_out"))
        checks = set(connection.execute(select(GATE_CHECK.c.check_name)).scalars())
    assert row["features"] == ["hour", "line"]
    assert note.startswith(f"'rain_mm' (training.features.numeric) {fault} of ")
    assert "keeps_directions" not in checks
    described = steps.describe_model(problem="late", partition_key="2013-03", fitted={"versions": [version]})
    assert described["versions"] == [version]
    trips(MONTHS[3:])  # where the feature is there again, and is not asked for
    assert score_partitions.score_partitions(load_problem("late"), version, MONTHS[3:]) == 400


@pytest.mark.parametrize(
    ("delay_min", "sentence"), [(2.0, "0 of 400 rows to measure on are positive"), (np.nan, "0 of 0 rows to")]
)
def test_a_point_without_labels_is_passed_over_and_the_next_one_says_so(
    house: Any, champion: Callable[[], str | None], publish: Any, trips: Any, delay_min: float, sentence: str
):
    before = champion()
    publish("late", "trip_id", make_trips("2013-04").assign(delay_min=delay_min), "2013-04")
    plan = steps.plan_training(problem="late", partition_key="2013-04")
    fitted = steps.fit_candidates(problem="late", partition_key="2013-04", plan=plan)
    assert (fitted["versions"], fitted["model_version"]) == ([], None)
    assert fitted["reason"].startswith("late, training point 2013-04: ")
    assert sentence in fitted["reason"]
    assert champion_serves("2013-04") == champion() == before
    trips(["2013-05", "2013-06"])
    decided = train("late", "2013-06")  # that of 2013-05 would have nothing but 2013-04 to calibrate on
    assert [version[:7] for version in decided["decisions"]] == ["2013-06"]
    with house.engine.connect() as connection:
        assert sentence in connection.scalar(select(MODEL_NOTE.c.note).where(MODEL_NOTE.c.topic == "passed_over"))


def champion_serves(partition_key: str) -> str | None:
    """Score a partition, and say by which version."""
    version: str | None = steps.score_partition(problem="late", partition_key=partition_key)["model_version"]
    return version


def test_one_item_with_two_labels_in_two_partitions_is_refused(champion: Callable[[], str | None], publish: Any):
    before = champion()
    for month in MONTHS[1:]:
        rows = make_trips(month)
        if month == "2013-04":
            rows.loc[0, ["trip_id", "delay_min"]] = ["2013-02-00007", 99.0]
        if month == "2013-02":
            rows.loc[7, "delay_min"] = 1.0
        publish("late", "trip_id", rows, month)
    with pytest.raises(BadLabels, match=r"'2013-02-00007' in partitions 2013-02, 2013-04\)"):
        train("late", "2013-04")
    assert champion() == before


def test_a_label_outside_the_declared_classes_is_refused(mails: Any, answer: Any):
    _, truth = mails
    answer(dict(list(truth.items())[:60]), "round-001")
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    answer({"m0119": "spam"}, "round-001")
    with pytest.raises(BadLabels, match=r"mail, training point round-001: 1 of 61 labels .*'m0119' is 'spam'.*stays"):
        steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)
    with pytest.raises(BadLabels, match=r"^mail, mining a rule: 1 of 61 labels .*'m0119' is 'spam'.*The rule in force"):
        steps.mine_rule(problem="mail")


def test_a_class_that_nobody_has_ever_seen_is_refused_by_name(mails: Any, answer: Any):
    _, truth = mails
    wanted = [mail for mail, label in truth.items() if label == "wanted"]
    answer(dict.fromkeys(wanted[:50], "wanted"), "round-001")
    plan = {"is_due": True, "points": ["round-001"]}
    with pytest.raises(
        NotEnoughLabels, match=r"mail, training point round-001: 'junk' .*label.classes.* 0 of 50 labels"
    ):
        steps.fit_candidates(problem="mail", partition_key="round-001", plan=plan)


def test_people_who_contradict_each_other_nearly_everywhere_teach_nothing(mails: Any, answer: Any):
    _, truth = mails
    items = dict(list(truth.items())[:60])
    answer(items, "round-001")
    answer(
        {item: "junk" if label == "wanted" else "wanted" for item, label in items.items()},
        "round-001",
        labelled_by="bob",
    )
    plan = steps.plan_training(problem="mail", partition_key="round-001")
    assert not plan["is_due"]
    assert plan["reason"].startswith("0 items are labelled up to round-001")
    assert "60 of 60 items (100%) have as many people for as against the positive class" in plan["reason"]


def test_a_tampered_champion_stops_the_gate_and_stays_registered(
    house: Any, champion: Callable[[], str | None], trips: Callable[..., Any]
):
    before = champion()
    path = next((house.home / "models" / "late").glob(f"{before}.*.skops"))
    path.write_bytes(path.read_bytes() + b" ")
    trips(["2013-04"])
    with pytest.raises(
        TamperedModel, match=r"was not loaded\. Restore it from a copy, or train the version again"
    ) as raised:
        train("late", "2013-04")
    assert str(raised.value).startswith("late, version 2013-04-")
    assert str(raised.value).endswith("The model in production stays.")
    assert champion() == before


def test_a_tampered_model_or_infinity_is_refused_with_problem_and_partition(
    house: Any, champion: Callable[[], str | None], publish: Any
):
    before = champion()
    rows = make_trips("2013-04")
    rows.loc[3, "rain_mm"] = np.inf
    publish("late", "trip_id", rows, "2013-04")
    with pytest.raises(
        BadFeatures, match=r"^late, partition 2013-04: 1 of 400 values of feature 'rain_mm' are infinite"
    ):
        steps.score_partition(problem="late", partition_key="2013-04")
    path = next((house.home / "models" / "late").glob(f"{before}.*.skops"))
    path.write_bytes(path.read_bytes() + b" ")
    publish("late", "trip_id", make_trips("2013-05"), "2013-05")
    with pytest.raises(
        TamperedModel, match=r"^late, partition 2013-05: The bytes of .*The model in production stays\.$"
    ):
        steps.score_partition(problem="late", partition_key="2013-05")
    assert champion() == before


def test_held_out_answers_that_were_made_better_promote_nothing(
    house: Any, champion: Callable[[], str | None], trips: Callable[..., Any]
):
    before = champion()
    trips(["2013-04"])
    plan = steps.plan_training(problem="late", partition_key="2013-04")
    fitted = steps.fit_candidates(problem="late", partition_key="2013-04", plan=plan)
    [path] = (house.home / "models" / "late").glob(f"{fitted['model_version']}.*.heldout.parquet")
    heldout = pd.read_parquet(path)
    heldout.assign(p_model=heldout["_is_positive"] * 0.98 + 0.01).to_parquet(path, index=False)
    with pytest.raises(
        TamperedModel, match=r"^late, version 2013-04-.* held-out answers .* nothing was judged by them"
    ):
        steps.decide_promotion(problem="late", partition_key="2013-04", fitted=fitted)
    assert champion() == before


def rewrite(problems_dir: Any, **changed: Any) -> None:
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(LATE | changed))


def test_a_rule_that_does_not_parse_is_refused_by_its_field(champion: Callable[[], str | None], trips, problems_dir):
    before = champion()
    rewrite(problems_dir, baseline={"name": "evening", "positive_when": "hour >="})
    trips(["2013-04"])
    with pytest.raises(BadProblem, match=r"late: baseline.positive_when.* cannot be used: 'hour >='.*Columns are: "):
        train("late", "2013-04")
    assert champion() == before


def test_a_champion_that_was_trained_on_other_features_still_answers(
    champion: Callable[[], str | None], trips, problems_dir
):
    before = champion()
    features = {"numeric": ["hour"], "categorical": ["line"]}
    rewrite(problems_dir, training={"model": "gradient_boosting", "first": 3, "features": features})
    trips(["2013-04"])
    assert train("late", "2013-04")["decisions"].keys() != {before}
    trips(["2013-05"])
    assert steps.score_partition(problem="late", partition_key="2013-05")["n_rows"] == 400


def test_a_column_the_lake_lacks_is_refused_by_name(champion: Callable[[], str | None], trips, problems_dir):
    before = champion()
    columns = LATE["source"]["columns"] | {"wind": {"type": "number"}}
    features = {"numeric": ["rain_mm", "hour", "wind"], "categorical": ["line"]}
    rewrite(
        problems_dir,
        source=LATE["source"] | {"columns": columns},
        training={"model": "gradient_boosting", "first": 3, "features": features},
    )
    trips(["2013-04"])
    with pytest.raises(
        BadFeatures, match=r"^late, training point 2013-04: 1 of 4 .* missing from lake\.late: wind\. Ingest"
    ):
        train("late", "2013-04")
    assert champion() == before


def test_a_model_whose_features_are_not_the_registered_ones_is_not_loaded(
    house: Any, champion: Callable[[], str | None]
):
    from sqlalchemy import update

    from include.warehouse.tables.learning import MODEL_VERSION

    with house.engine.begin() as connection:
        connection.execute(update(MODEL_VERSION).values(features=["hour", "wind"]))
    with pytest.raises(TamperedModel, match=r"rain_mm, hour, line.*registered are hour, wind.*[Tt]rain"):
        steps.score_partition(problem="late", partition_key="2013-04")
