from typing import Any

import jsonschema
import pytest
from sqlalchemy import create_engine, text

from scripts.warehouse import semantic
from scripts.warehouse.contract import read_contract


def form(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    """Describe an object that has these fields and no others."""
    fields = required | optional
    return {"type": "object", "properties": fields, "required": list(required), "additionalProperties": False}


def several(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": 1}


TEXT, NAMES = {"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}
HINTS = {"type": "object", "properties": {"instructions": TEXT, "synonyms": NAMES, "examples": NAMES}}
SQL = form({"dialects": several(form({"dialect": {"enum": ["ANSI_SQL"]}, "expression": TEXT}, {}))}, {})
TYPES = {
    "enum": ["String", "Integer", "Decimal", "Float", "Boolean", "Date", "Time", "DateTime", "DateTimeTz", "Opaque"]
}
FIELD = form(
    {"name": TEXT, "expression": SQL},
    {
        "description": TEXT,
        "datatype": TYPES,
        "dimension": form({}, {"is_time": {"type": "boolean"}}),
        "ai_context": HINTS,
    },
)
DATASET = form(
    {"name": TEXT, "source": TEXT},
    {"primary_key": NAMES, "description": TEXT, "ai_context": HINTS, "fields": several(FIELD)},
)
RELATIONSHIP = form({"name": TEXT, "from": TEXT, "to": TEXT, "from_columns": NAMES, "to_columns": NAMES}, {})
METRIC = form({"name": TEXT, "expression": SQL}, {"description": TEXT})
# What core-spec/ossie-schema.json of Apache Ossie 0.2.0.dev0 allows of what is used here, in words of our own.
OSSIE = form(
    {
        "version": {"const": "0.2.0.dev0"},
        "semantic_model": several(
            form(
                {"name": TEXT, "datasets": several(DATASET)},
                {"description": TEXT, "relationships": several(RELATIONSHIP), "metrics": several(METRIC)},
            )
        ),
    },
    {},
)


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return semantic.build_model()


def test_the_model_has_the_published_form_and_nothing_beside_it(model: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(OSSIE).validate(model)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(OSSIE).validate(model | {"owner": "us"})


def test_every_promised_column_is_a_field_and_names_are_said_once(model: dict[str, Any]) -> None:
    one = model["semantic_model"][0]
    fields = {dataset["name"]: [field["name"] for field in dataset["fields"]] for dataset in one["datasets"]}
    assert fields == {name: list(view.columns) for name, view in read_contract().views.items()}
    names = [metric["name"] for metric in one["metrics"]]
    assert len(names) == len(set(names)) > 20


def test_only_what_may_be_summed_is_a_metric(model: dict[str, Any]) -> None:
    names = {metric["name"] for metric in model["semantic_model"][0]["metrics"]}
    assert "data_completeness_n_published" in names
    assert not names & {"review_efficiency_n_labels_all", "calibration_monthly_ece_ratio"}


def test_every_metric_and_relationship_runs_as_sql_and_types_are_true(
    model: dict[str, Any], migrated_warehouse_url: str
) -> None:
    one, engine = model["semantic_model"][0], create_engine(migrated_warehouse_url)
    true = {"DateTimeTz": "timestamp with time zone", "Boolean": "boolean", "Date": "date", "Float": "double precision"}
    with engine.connect() as connection:
        for metric in one["metrics"]:
            sql = metric["expression"]["dialects"][0]["expression"]
            view = sql.removeprefix("SUM(").partition(".")[0]
            connection.execute(text(f"SELECT {sql} FROM bi.{view} AS {view}"))
        for joined in one["relationships"]:
            columns = ", ".join(joined["from_columns"])
            connection.execute(text(f"SELECT 1 FROM bi.{joined['from']} JOIN bi.{joined['to']} USING ({columns})"))
        query = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'bi'"
        found = {(view, column): kind for view, column, kind in connection.execute(text(query))}
    engine.dispose()
    said = {
        (dataset["name"], field["name"]): true[field["datatype"]]
        for dataset in one["datasets"]
        for field in dataset["fields"]
        if "datatype" in field
    }
    assert {which: found[which] for which in said} == said
