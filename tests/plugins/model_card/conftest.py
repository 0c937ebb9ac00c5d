"""A house whose warehouse has its views, with a problem whose model was really trained and described in it."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient

from include.learning import steps
from model_card import app as page
from tests.include.conftest import house
from tests.include.learning.conftest import LATE, problems_dir, publish, trips
from tests.include.learning.test_steps import MONTHS, train

__all__ = ["house", "problems_dir", "publish", "trips"]

SCRIPT = "<script>alert(1)</script>"
TRAINING = LATE["training"] | {"protected": [{"column": "line"}], "changeable": {"hour": [5, 22], "rain_mm": [0, 4]}}
TRIPS = LATE | {"training": TRAINING, "title": f"Trips {SCRIPT}", "why": f"{SCRIPT} waits", "owner": f'"{SCRIPT}'}


@pytest.fixture
def tables_url(migrated_warehouse_url: str) -> str:
    """Let the house stand on a warehouse with views."""
    return migrated_warehouse_url


@pytest.fixture
def readable(house: Any, problems_dir: Any, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the names of the problems that the signed-in person may read, to be changed by the test."""
    (problems_dir / "late.yaml").write_text(yaml.safe_dump(TRIPS))
    names = {"late"}
    monkeypatch.setattr(page, "may_read", lambda user, problem: problem in names)
    return names


@pytest.fixture
def fitted(readable: set[str], trips: Callable[..., Any]) -> str:
    """Give the name of a version of `late` that was fitted, judged and described."""
    trips(MONTHS[:3])
    version = str(train("late", MONTHS[2])["model_version"])
    versions = {"versions": [version], "model_version": version}
    steps.describe_model(problem="late", partition_key=MONTHS[2], fitted=versions)
    return version


@pytest.fixture
def signed_in() -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
    with TestClient(app, headers={"Origin": "http://testserver"}) as client:
        yield client
