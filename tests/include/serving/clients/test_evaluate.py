import hashlib
import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from sqlalchemy import create_engine, text

from include.experiments.assignment import HashRange, assign_units, place_units
from include.serving.clients.evaluate import FORMAT, evaluate, place, read_allocation
from include.settings import REPOSITORY
from tests.include.conftest import SPARK

FOLDER = Path(REPOSITORY) / "include" / "serving" / "clients"
VECTORS = json.loads((FOLDER / "vectors.json").read_text("utf-8"))
PAGE = (REPOSITORY / "docs" / "assignment.md").read_text("utf-8")
SQL = dict(re.findall(r"^(\w+)[^\n]*:\n\n```sql\n(.*?)```", PAGE, re.MULTILINE | re.DOTALL))
UNITS = pa.table({name: [vector[name] for vector in VECTORS["places"]] for name in ("unit", "salt")})
PLACES = {(vector["salt"], vector["unit"]): vector["place"] for vector in VECTORS["places"]}


def told(rows) -> dict[tuple[str, str], float]:
    """Give the answers of an engine: one for each unit and salt."""
    return {(row["salt"], row["unit"]): row["place"] for row in rows}


def test_the_vectors_hold_what_is_hard_and_are_the_first_52_bits_of_md5():
    units = {unit for _, unit in PLACES}
    assert {"", "사용자-17", "👩‍🚀", "a:b", "x" * 55, "x" * 56, "x" * 64, "long-" * 200} <= units
    for vector in VECTORS["places"]:
        digest = hashlib.md5(f"{vector['salt']}:{vector['unit']}".encode(), usedforsecurity=False).hexdigest()
        assert vector["md5_start"] == digest[:13]
        assert vector["place"] == int(digest[:13], 16) / 2**52


def test_python_says_what_the_vectors_say():
    assert {key: place(unit, salt) for key in PLACES for salt, unit in [key]} == PLACES
    for case in VECTORS["assignments"]:
        assert evaluate(VECTORS["experiments"][case["experiment"]], case["unit"]) == case["variant"]


def test_a_place_on_the_border_of_two_ranges_belongs_to_the_upper_one():
    edge = VECTORS["experiments"]["edge"]
    assert edge["ranges"][1]["low"] == place("p0001", edge["salt"])
    assert evaluate(edge, "p0001") == "from"


def test_numpy_says_what_the_vectors_say():
    for name, experiment in VECTORS["experiments"].items():
        cases = [case for case in VECTORS["assignments"] if case["experiment"] == name]
        ranges = [HashRange(**part) for part in experiment["ranges"]]
        variants = assign_units([case["unit"] for case in cases], experiment["salt"], ranges)
        assert variants.tolist() == [case["variant"] for case in cases]
    for salt in {salt for salt, _ in PLACES}:
        units = [unit for of, unit in PLACES if of == salt]
        assert place_units(units, salt).tolist() == [PLACES[salt, unit] for unit in units]


def test_python_asks_slice_and_time_before_the_variant():
    parts = VECTORS["parts"]
    for case in parts["answers"]:
        assert evaluate(parts["experiments"][case["experiment"]], case["unit"], case["now"]) == case["variant"]
    assert {case["variant"] is None for case in parts["answers"]} == {True, False}


def test_a_place_on_the_border_of_two_slices_belongs_to_the_upper_one():
    parts = VECTORS["parts"]["experiments"]
    assert parts["from_edge"]["slice"]["low"] == place("p0001", "mail")
    assert (evaluate(parts["from_edge"], "p0001") is None, evaluate(parts["below_edge"], "p0001")) == (False, None)


def test_without_a_moment_the_clock_says_whether_it_has_begun_and_is_over():
    june = VECTORS["parts"]["experiments"]["june"]
    now = time.time()
    open_now = {**june, "start": now - 60, "end": now + 60}
    assert evaluate(open_now, "p0001") == evaluate(june, "p0001", june["start"])
    assert evaluate({**open_now, "start": now + 30}, "p0001") is None
    assert evaluate({**open_now, "end": now - 30}, "p0001") is None


def test_duckdb_says_what_the_vectors_say():
    with duckdb.connect() as connection:
        connection.register("units", UNITS)
        query = SQL["DuckDB"].replace("SELECT unit", "SELECT salt, unit")
        assert told(connection.sql(query).to_arrow_table().to_pylist()) == PLACES


def test_postgresql_says_what_the_vectors_say(warehouse_url):
    engine = create_engine(warehouse_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE units (unit TEXT, salt TEXT)"))
        connection.execute(text("INSERT INTO units VALUES (:unit, :salt)"), UNITS.to_pylist())
        query = SQL["PostgreSQL"].replace("SELECT unit", "SELECT salt, unit")
        found = told(connection.exec_driver_sql(query).mappings())
    engine.dispose()
    assert found == PLACES


@SPARK
def test_spark_says_what_the_vectors_say(spark_engine):
    spark_engine.session.createDataFrame(UNITS.to_pandas()).createOrReplaceTempView("units")
    query = SQL["Spark"].replace("SELECT unit", "SELECT salt, unit")
    assert told(spark_engine.session.sql(query).toArrow().to_pylist()) == PLACES


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("no node: install Node.js to test that JavaScript assigns alike")
    return found


def test_javascript_says_what_the_vectors_say(node, tmp_path):
    asks = tmp_path / "ask.mjs"
    asks.write_text(
        f"""import fs from "node:fs";
        import {{ evaluate, place, readAllocation }} from {json.dumps(str(FOLDER / "evaluate.mjs"))};
        const {{ places, experiments, assignments, parts }} = JSON.parse(fs.readFileSync(process.argv[2]));
        const signed = JSON.stringify({{ format: {json.dumps(FORMAT)}, experiments }});
        const read = readAllocation(JSON.stringify({{ signed, signature: "" }})).experiments;
        const answers = assignments.map((one) => evaluate(read[one.experiment], one.unit));
        const inParts = parts.answers.map((one) => evaluate(parts.experiments[one.experiment], one.unit, one.now));
        console.log(JSON.stringify({{ places: places.map((one) => place(one.unit, one.salt)), answers, inParts }}));""",
        encoding="utf-8",
    )
    run = subprocess.run([node, asks, FOLDER / "vectors.json"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answers = json.loads(run.stdout)
    assert answers["places"] == [vector["place"] for vector in VECTORS["places"]]
    assert answers["answers"] == [case["variant"] for case in VECTORS["assignments"]]
    assert answers["inParts"] == [case["variant"] for case in VECTORS["parts"]["answers"]]


def test_a_file_of_another_format_is_refused():
    with pytest.raises(ValueError, match="mulgil-allocation/9"):
        read_allocation(json.dumps({"signed": json.dumps({"format": "mulgil-allocation/9"})}))


@pytest.mark.parametrize("name", ["evaluate.py", "evaluate.mjs"])
def test_an_evaluator_is_short_enough_to_copy(name):
    assert len((FOLDER / name).read_text("utf-8").splitlines()) <= 60
