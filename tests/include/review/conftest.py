"""A desk problem small enough to count on fingers: twenty mails in two months, ten items a batch, three rounds."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from sqlalchemy import Engine, create_engine, insert, select

from include import names
from include.lake.writing import replace_partition
from include.names import Coverage, Stage
from include.review.steps import choose_batch, watch_desk
from include.settings import REPOSITORY
from include.warehouse import coverage
from include.warehouse.database import engine_for
from include.warehouse.tables.learning import MODEL_VERSION
from include.warehouse.tables.review import LABEL, REVIEW_BATCH, REVIEW_ITEM
from tests.include.conftest import House
from tests.laid_desk import clear

PROBLEM = "ad_review"
MONTHS = ("2002-08", "2002-09")
MAILS = {f"mail-{index:02d}": MONTHS[index // 10] for index in range(20)}


class Desk:
    """Puts a small `ad_review` in place, and reads what stands in the warehouse."""

    def __init__(self, house: House) -> None:
        self.engine: Engine = house.engine
        self.problems_dir = house.home / "problems"
        self.problems_dir.mkdir()
        self.write_problem()
        self.write_truth(dict.fromkeys(MAILS, "wanted"))

    def write_problem(self, **review: Any) -> None:
        problem = yaml.safe_load((REPOSITORY / "include" / "problems" / f"{PROBLEM}.yaml").read_text(encoding="utf-8"))
        problem["review"] = {"budget": 10, "random_share": 0.3, "max_rounds": 3} | review
        (self.problems_dir / f"{PROBLEM}.yaml").write_text(yaml.safe_dump(problem), encoding="utf-8")

    @property
    def truth_path(self) -> Path:
        return self.problems_dir / "data" / PROBLEM / "truth.parquet"

    def write_truth(self, labels: Mapping[str, str | None]) -> None:
        self.truth_path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"mail_id": list(labels), "label": list(labels.values())}), self.truth_path)

    def publish(self, *months: str) -> None:
        for month in months:
            mails = [mail for mail, where in MAILS.items() if where == month]
            rows = {names.PARTITION_KEY: [month] * len(mails), names.ROW_KEY: mails, "subject": ["hello"] * len(mails)}
            replace_partition(names.events_table(PROBLEM), month, pa.table(rows))
            self.mark(Stage.LAND, month, Coverage.DONE)
            self.mark(Stage.INGEST, month, Coverage.DONE)

    def mark(self, stage: Stage, key: str, status: Coverage) -> None:
        with self.engine.begin() as connection:
            coverage.mark(connection, PROBLEM, stage, key, status)

    def predict(
        self, p_positive: Mapping[str, float], model_version: str = "v1", table: Callable[[str], str] | None = None
    ) -> None:
        for month in MONTHS:
            mails = [mail for mail in p_positive if MAILS[mail] == month]
            rows = {
                names.PARTITION_KEY: pa.array([month] * len(mails), pa.string()),
                names.ROW_KEY: pa.array(mails, pa.string()),
                "model_version": pa.array([model_version] * len(mails), pa.string()),
                "p_positive": pa.array([p_positive[mail] for mail in mails], pa.float64()),
            }
            replace_partition((table or names.predictions_table)(PROBLEM), month, pa.table(rows))

    def rows(self, table: Any) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            query = select(table).order_by(*table.primary_key)
            return [dict(row) for row in connection.execute(query).mappings()]

    @property
    def batches(self) -> list[dict[str, Any]]:
        return self.rows(REVIEW_BATCH)

    @property
    def items(self) -> list[dict[str, Any]]:
        return self.rows(REVIEW_ITEM)

    @property
    def labels(self) -> list[dict[str, Any]]:
        return self.rows(LABEL)


@pytest.fixture
def desk(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    desk = Desk(house)
    monkeypatch.setenv("MULGIL_PROBLEMS_DIR", str(desk.problems_dir))
    monkeypatch.setenv("MULGIL_DEMO_REVIEWER", "1")
    yield desk
    engine_for(house.settings.warehouse_url).dispose()


@pytest.fixture(scope="module")
def _engine(module_warehouse_url: str) -> Iterator[Engine]:
    engine = create_engine(module_warehouse_url, pool_size=8)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(_engine: Engine) -> Iterator[Engine]:
    yield _engine
    clear(_engine)


@pytest.fixture
def opened(desk: Desk, mulgil_home: Path) -> Desk:
    """A desk with one open batch of ten mails, and a landing where label files can be dropped."""
    (mulgil_home / "landing").mkdir()
    desk.write_problem(overlap_share=0.0)
    desk.publish(*MONTHS)
    choose_batch(problem=PROBLEM, partition_key="2002-09")
    return desk


def drop(mulgil_home: Path, *lines: str, name: str = "monday.jsonl") -> None:
    folder = mulgil_home / "landing" / "labels" / PROBLEM
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join(lines), encoding="utf-8")


def answers_of(desk: Desk, *, labelled_by: str = "kim", label: str = "wanted") -> list[str]:
    return [
        json.dumps({"batch_id": "round-001", "item_id": item["item_id"], "label": label, "labelled_by": labelled_by})
        for item in desk.items
    ]


def watch() -> dict[str, Any]:
    return watch_desk(problem=PROBLEM)


@pytest.fixture
def make_version(desk: Desk) -> Callable[..., None]:
    """Register a model version with a threshold, as training would."""

    def make(version: str, *, threshold_ratio: float) -> None:
        row = {column.name: _ANY[type(column.type).__name__] for column in MODEL_VERSION.columns if not column.nullable}
        row |= {"problem": PROBLEM, "model_version": version, "threshold_ratio": threshold_ratio}
        with desk.engine.begin() as connection:
            connection.execute(insert(MODEL_VERSION), [row])

    return make


_ANY = {
    "Text": "x",
    "Float": 0.5,
    "Integer": 1,
    "JSONB": {},
    "Boolean": False,
    "DateTime": datetime(2002, 10, 1, tzinfo=UTC),
}
