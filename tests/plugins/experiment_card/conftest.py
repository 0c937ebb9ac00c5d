"""A warehouse with its views, in which the campaign was really run: pilot, decision, and the rest with a holdback."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.api_fastapi.core_api.security import get_user
from fastapi.testclient import TestClient
from sqlalchemy import create_engine

from experiment_card import app as page
from include.experiments.steps import update_experiment
from include.settings import read_settings
from include.warehouse.database import engine_for
from tests.include.conftest import House, house
from tests.include.experiments.conftest import Outreach, outreach
from tests.include.experiments.test_steps import DAYS, send

__all__ = ["house", "outreach"]


@pytest.fixture
def tables_url(migrated_warehouse_url: str) -> str:
    """Let the house stand on a warehouse with views."""
    return migrated_warehouse_url


@pytest.fixture
def readable(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Give the names of the problems that the signed-in person may read, to be changed by the test."""
    names = {"campaign"}
    monkeypatch.setattr(page, "may_read", lambda user, problem: problem in names)
    return names


def run_campaign(outreach: Outreach) -> None:
    """Run the campaign: `large` brings 8 of 10, `none` 3; one person of the pilot got two variants."""
    twice = [row | {"variant": "small"} for row in send("p", 3)[:2]]
    outreach.publish(*send("p", 1), *twice, *send("r", 5 * 24 + 1), days=DAYS)
    update_experiment(problem="campaign", partition_key=DAYS[0], run_id="r1")


@pytest.fixture
def run(outreach: Any, readable: set[str]) -> Any:
    """Give the campaign that was run, to be changed by the test."""
    run_campaign(outreach)
    return outreach


@pytest.fixture(scope="module")
def _shared(module_warehouse_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run the campaign once for all tests of a file that only look."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULGIL_HOME", str(home))
        patch.setenv("MULGIL_WAREHOUSE_URL", module_warehouse_url)
        patch.setenv("MULGIL_PII_KEY", "a key for tests only")
        engine = create_engine(module_warehouse_url)
        run_campaign(Outreach(House(home, read_settings(), engine)))
        yield
        engine.dispose()
        engine_for(module_warehouse_url).dispose()


@pytest.fixture
def seen(_shared: None, readable: set[str]) -> set[str]:
    """Give what may be read of the campaign that was run once; it must not be changed."""
    return readable


@pytest.fixture
def signed_in() -> Iterator[TestClient]:
    app = page.create_app()
    app.dependency_overrides[get_user] = lambda: SimpleNamespace(get_name=lambda: "ada")
    with TestClient(app) as client:
        yield client
