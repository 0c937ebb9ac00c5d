"""A mailing with an audience that lands as people's logs do, and the outbox that comes of it."""

import json

import pytest
import yaml
from sqlalchemy import select

from include.engine.object_folder import ObjectFolder
from include.experiments.outbox import filling
from include.experiments.outbox.files import open_outbox
from include.lake.steps import publish_partition, stage_partition
from include.landing.steps import find_new_partitions
from include.names import OUTBOX_FOLDER
from include.quality.steps import audit_partition
from include.settings import read_settings
from include.warehouse.database import engine_for
from include.warehouse.tables.sending import SEND_BATCH, SEND_COUNT, SEND_LIST
from tests.include.experiments.outbox.factories import AUDIENCE, NOW, make_problem


class Mailing:
    """Lands audiences, fills the outbox, and reads what a mailer and an analyst would."""

    def __init__(self, house, problems_dir):
        self.house, self.problems_dir = house, problems_dir

    def write_problem(self, *, columns=None, **changes):
        problem = make_problem(columns or {}, **changes)
        (self.problems_dir / "mailing.yaml").write_text(yaml.safe_dump(problem))

    def land(self, name, *rows, day="2026-06-01", ingest=True):
        """Land rows, of which a text stands for a whole line, as one object of a day's audience."""
        lines = [row if isinstance(row, str) else json.dumps({"day": f"{day}T08:00:00Z"} | row) for row in rows]
        path = self.house.home / "landing" / "audience" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        find_new_partitions(problem=AUDIENCE)
        if ingest:
            self.ingest(day)

    def ingest(self, day="2026-06-01"):
        key = {"problem": AUDIENCE, "partition_key": day}
        staged = json.loads(json.dumps(stage_partition(**key)))
        publish_partition(**key, staged=staged, audit=json.loads(json.dumps(audit_partition(**key, staged=staged))))

    def fill(self, day="2026-06-01", now=NOW):
        return filling.fill(AUDIENCE, day, "r1", now=now)

    def files(self):
        """Give the lines of every file of the outbox, by name."""
        root = self.house.home / "lake" / OUTBOX_FOLDER
        paths = sorted(path for path in root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(root)): [json.loads(line) for line in path.read_text("ascii").splitlines()]
            for path in paths
        }

    def units(self):
        return [line["unit"] for lines in self.files().values() for line in lines]

    def rows(self, table):
        with self.house.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]

    def listed(self):
        return self.rows(SEND_LIST)

    def batches(self):
        return self.rows(SEND_BATCH)

    def counts(self):
        return {(row["partition_key"], row["reason"]): row["n_rows"] for row in self.rows(SEND_COUNT)}

    def outbox(self) -> ObjectFolder:
        return open_outbox(read_settings())


@pytest.fixture
def mailing(house, tmp_path, monkeypatch):
    problems_dir = tmp_path / "problems"
    problems_dir.mkdir()
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(problems_dir))
    mailing = Mailing(house, problems_dir)
    mailing.write_problem()
    yield mailing
    engine_for(house.settings.warehouse_url).dispose()
