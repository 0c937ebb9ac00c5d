"""Data of people, planted wherever a log can hold it, must stand nowhere after landing."""

import json
import logging

import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy import text

from include.errors import BadLanding, PartitionRefused
from include.lake.catalog import find_table
from include.lake.steps import choose_quarantined, publish_partition, publish_replay, stage_partition, stage_replay
from include.landing.steps import find_new_partitions
from include.quality.steps import audit_partition, audit_replay
from tests.include.lake.conftest import PROBLEM

pytestmark = pytest.mark.slow

KEY = {"problem": "flights", "partition_key": "2013-01"}
MAIL, PHONE, ADDRESS = "canary.bird@hidden.example", "+1-212-555-0187", "203.0.113.77"
CARD, IDENTIFIER = "4111 1111 1111 1111", "PERSON-CANARY-77"
TOLD = f"I am {MAIL}, call {PHONE} from {ADDRESS}, pay with {CARD}"
# What would give each of them away, however it is cut or written.
SONGS = ("canary.bird", "hidden.example, call", "555-0187", "5550187", "203.0.113", "1111 1111", "CANARY-77")
COLUMNS = PROBLEM["source"]["columns"] | {
    "passenger": {"type": "string", "pii": "identifier"},
    "age": {"type": "integer", "pii": "identifier"},
    "mail": {"type": "string", "pii": "contact"},
    "note": {"type": "string", "pii": "free_text"},
}
QUALITY = {
    "quarantine_at_most": 0.5,
    "expectations": [
        {
            "expect": "ExpectColumnValuesToBeBetween",
            "column": "gate",
            "severity": "stop",
            "rows": "quarantine",
            "arguments": {"max_value": 50},
        },
        {
            "expect": "ExpectColumnValuesToNotBeInSet",
            "column": "mail",
            "severity": "stop",
            "rows": "quarantine",
            "arguments": {"value_set": ["***"]},
        },
        {"expect": "ExpectColumnValuesToBeUnique", "column": "note", "severity": "warn"},
        {"expect": "ExpectColumnValuesToNotBeNull", "column": "passenger", "severity": "warn"},
        {
            "expect": "ExpectColumnDistinctValuesToBeInSet",
            "column": "mail",
            "severity": "warn",
            "arguments": {"value_set": ["x"]},
        },
        {"expect": "ExpectColumnMaxToBeBetween", "column": "delay", "severity": "stop", "arguments": {"max_value": 50}},
    ],
}


def lines(flight):
    """Write records that hold canaries in every kind of field, and are broken in every way."""
    person = {"passenger": IDENTIFIER, "mail": f"Bird <{MAIL}>", "note": TOLD}
    return [
        flight("a", **person),
        flight("b", **person, **{"comment": TOLD, MAIL: "a field's own name", "nested": {"deep": [TOLD, {"x": MAIL}]}}),
        flight("c", gate=TOLD, **person),
        flight("d", delay=MAIL),
        flight("e", TOLD, **person),
        flight("f", is_cancelled={"by": [PHONE, ADDRESS]}),
        flight("g", age=TOLD, passenger=[IDENTIFIER, MAIL], mail={"a": MAIL}, note=[TOLD]),
        flight(None, **person),
        json.dumps(flight("h", **person))[:-9],
        json.dumps([TOLD, IDENTIFIER]),
        TOLD,
        f'{{"flight_id": "i", "note": "{TOLD}\x00{MAIL}"}}',
        flight("j", gate=99, **person),
        flight("k", passenger=IDENTIFIER, mail=f"ask {PHONE}", note=TOLD),
        *(flight(f"l{i}") for i in range(6)),
        flight("a", **person),
    ]


def everything(home, engine):
    """Give each thing that was written after landing, with where it stands, as text."""
    for path in sorted(home.rglob("*")):
        if not path.is_file() or path.is_relative_to(home / "landing"):
            continue
        yield str(path), str(path)
        if path.suffix == ".parquet" or ".unfinished" in path.name:
            yield str(path), str(pq.read_table(path).to_pylist())
        yield str(path), path.read_bytes().decode("latin-1")
    for name in ("lake.flights", "lake.flights__quarantine"):
        if (table := find_table(name)) is not None:
            yield name, table.metadata.model_dump_json()
            for snapshot in table.snapshots():
                for manifest in snapshot.manifests(table.io):
                    for entry in manifest.fetch_manifest_entry(table.io):
                        yield name, str((entry.data_file.lower_bounds, entry.data_file.upper_bounds))
    with engine.begin() as connection:
        query = (
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, name in connection.execute(text(query)).all():
            for row in connection.execute(text(f'SELECT t::text FROM "{schema}"."{name}" AS t')).scalars():
                yield f"{schema}.{name}", row


def replay():
    """Replay what was quarantined."""
    ours = KEY | {"run_id": "r2"}
    chosen = choose_quarantined(problem="flights", reason="to look again", actor="kim", run_id="r2")
    staged = stage_replay(**ours)
    audit = audit_replay(**ours, staged=staged)
    return chosen, staged, audit, publish_replay(**ours, staged=staged, audit=audit)


def find_songs(found):
    return sorted({(place, song) for place, held in found for song in SONGS if song in held})


@pytest.fixture
def planted(landing, flight, caplog):
    """Drop logs full of canaries into landing."""
    caplog.set_level(logging.DEBUG)
    problem = PROBLEM | {"source": PROBLEM["source"] | {"columns": COLUMNS}, "quality": QUALITY}
    (landing.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))
    landing.drop("a.jsonl", *lines(flight))
    return landing


def test_nothing_of_a_person_stands_anywhere_after_landing(planted, flight, caplog, capfd):
    find_new_partitions(problem="flights")
    staged = stage_partition(**KEY)
    audit = audit_partition(**KEY, staged=staged)
    done = publish_partition(**KEY, staged=staged, audit=audit)
    assert done["n_published"] >= 2
    assert done["n_quarantined"] == staged["n_quarantined"] + 2 >= 10  # expectations named two more
    handed_on = [("XCom", json.dumps([staged, audit, done, *replay()]))]
    planted.drop("b.jsonl", flight("z", delay=99, passenger=IDENTIFIER, mail=MAIL, note=TOLD))
    find_new_partitions(problem="flights")
    staged = stage_partition(**KEY)
    audit = audit_partition(**KEY, staged=staged)
    with pytest.raises(PartitionRefused) as refused:
        publish_partition(**KEY, staged=staged, audit=audit)
    (planted.folder / "flights" / "b.jsonl").write_text(TOLD)
    with pytest.raises(BadLanding) as broken:
        stage_partition(**KEY)
    said = [
        ("errors", f"{refused.value!r} {broken.value!r}"),
        ("log", caplog.text),
        ("output", str(capfd.readouterr())),
    ]
    found = [*everything(planted.house.home, planted.house.engine), *handed_on, *said]
    assert len(found) > 30
    assert find_songs(found) == []


def test_the_search_finds_what_stands_in_a_log_a_file_and_a_table(planted):
    find_new_partitions(problem="flights")
    (planted.house.home / "left.txt").write_text(f"x{PHONE}x")
    with planted.house.engine.begin() as connection:
        connection.execute(text("UPDATE core.landing_object SET flaw = :told"), {"told": TOLD})
    places = {place.rpartition("/")[2] for place, _ in find_songs(everything(planted.house.home, planted.house.engine))}
    assert places == {"left.txt", "core.landing_object"}
