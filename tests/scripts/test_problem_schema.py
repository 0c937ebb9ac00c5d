import json

import jsonschema
import pytest
import yaml

from scripts import problem_schema

FILES = sorted(problem_schema.SCHEMA.parent.glob("*.yaml"))


def check(problem):
    jsonschema.Draft202012Validator(json.loads(problem_schema.render())).validate(problem)


def as_an_editor_reads(path):
    """Read YAML as an editor does: times stay text."""
    problem = yaml.safe_load(path.read_text(encoding="utf-8"))
    return json.loads(json.dumps(problem, default=lambda value: value.isoformat()))


def test_the_schema_is_fresh():
    assert problem_schema.SCHEMA.read_text(encoding="utf-8") == problem_schema.render(), "run `make schema`"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_built_in_file_asks_for_the_schema_and_keeps_to_it(path):
    first, _, _ = path.read_text(encoding="utf-8").partition("\n")
    assert first == f"# yaml-language-server: $schema={problem_schema.SCHEMA.name}"
    check(as_an_editor_reads(path))


@pytest.mark.parametrize(
    ("place", "value"), [("colunms", {}), ("event_time", 7), ("key", ["_row"]), ("columns", {"a": {"type": "text"}})]
)
def test_an_editor_is_told_of_a_wrong_key_type_or_value(place, value):
    problem = as_an_editor_reads(FILES[0])
    problem["source"][place] = value
    with pytest.raises(jsonschema.ValidationError):
        check(problem)


def test_the_names_in_the_schema_are_those_of_the_file():
    column = json.loads(problem_schema.render())["$defs"]["Column"]["properties"]
    assert {"from", "path", "missing", "format"} <= column.keys()
