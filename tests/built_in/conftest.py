"""Built-in problems, carried through the steps as `make try` does: no Airflow, a home and a warehouse of their own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, create_engine, text

from include.problems.reading import load_problem
from include.settings import REPOSITORY
from include.warehouse.database import engine_for
from scripts.drop_logs import drop_logs
from scripts.try_problem import try_problem

DATA = REPOSITORY / "include" / "problems" / "data"


@dataclass(frozen=True)
class Carried:
    """What a problem left behind.

    Attributes:
        said: the lines of the command.
    """

    engine: Engine
    said: list[str]

    def ask(self, query: str, **values: Any) -> pd.DataFrame:
        """Give the rows of a query."""
        with self.engine.connect() as connection:
            return pd.read_sql(text(query), connection, params=values)


@pytest.fixture(scope="module")
def carried(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, module_warehouse_url: str
) -> Iterator[Carried]:
    """Carry the problem that the test file names as PROBLEM once, for all tests of the file."""
    home: Path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "HOME": str(home),
            "WAREHOUSE_URL": module_warehouse_url,
            "PII_KEY": "a key for tests only",
            "DEMO_REVIEWER": "1",
        }.items():
            patch.setenv(f"MULGIL_{name}", value)
        drop_logs(request.module.PROBLEM, home / "landing")
        said: list[str] = []
        try_problem(load_problem(request.module.PROBLEM), said.append)
        engine = create_engine(module_warehouse_url)
        yield Carried(engine, said)
        engine.dispose()
        engine_for(module_warehouse_url).dispose()
