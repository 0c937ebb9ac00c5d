import gzip
import json

import pytest
import yaml

PROBLEM = {
    "name": "flights",
    "title": "t",
    "why": "w",
    "owner": "o",
    "escalation": "e",
    "source": {
        "landing": "flights",
        "format": "jsonl",
        "grain": "month",
        "key": ["flight_id"],
        "event_time": "at",
        "earliest": "2013-01-01T00:00:00Z",
        "latest": "2014-01-01T00:00:00Z",
        "columns": {
            "flight_id": {"type": "string"},
            "at": {"type": "timestamp"},
            "delay": {"type": "number"},
            "gate": {"type": "integer"},
            "is_cancelled": {"type": "boolean"},
        },
    },
}


class Landing:
    """A problem of its own, and a landing folder to drop logs into."""

    def __init__(self, house, problems_dir):
        self.house, self.problems_dir = house, problems_dir
        self.folder = house.home / "landing"

    def write_problem(self, **source):
        problem = PROBLEM | {"source": PROBLEM["source"] | source}
        (self.problems_dir / "flights.yaml").write_text(yaml.safe_dump(problem))

    def drop(self, name, *records):
        """Drop records (dicts, or lines as they are) as one object; gzip when the name says so."""
        lines = [record if isinstance(record, str) else json.dumps(record) for record in records]
        content = "".join(line + "\n" for line in lines).encode()
        path = self.folder / "flights" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
        return f"flights/{name}"


@pytest.fixture
def landing(house, tmp_path, monkeypatch):
    problems_dir = tmp_path / "problems"
    problems_dir.mkdir()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(problems_dir))
    landing = Landing(house, problems_dir)
    landing.write_problem()
    return landing


def make_flight(flight_id="a", at="2013-01-05T10:00:00Z", **more):
    return {"flight_id": flight_id, "at": at, "delay": 5.0, "gate": 3, "is_cancelled": False} | more


@pytest.fixture
def flight():
    return make_flight
