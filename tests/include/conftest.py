"""A house to test rooms in: a temporary home, an empty warehouse with all tables, and the environment that says so."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from include.settings import Settings, read_settings
from include.warehouse.database import engine_for
from tests.spark_cluster import SHORT_LIVED


@dataclass(frozen=True)
class House:
    """What a room's test needs to know about where it is."""

    home: Path
    settings: Settings
    engine: Engine


@pytest.fixture
def house(mulgil_home: Path, tables_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("MULGIL_HOME", str(mulgil_home))
    monkeypatch.setenv("MULGIL_WAREHOUSE_URL", tables_url)
    monkeypatch.setenv("MULGIL_PII_KEY", "a key for tests only")
    engine = create_engine(tables_url)
    yield House(home=mulgil_home, settings=read_settings(), engine=engine)
    engine.dispose()
    engine_for(tables_url).dispose()  # what the rooms opened


@pytest.fixture
def bucket(house: House, s3_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Put the lake on an S3 server; give the client of the bucket named `bucket`."""
    import boto3

    host, port = s3_server
    for name, value in {
        "MULGIL_LAKE_URL": "s3://bucket/lake",
        "MULGIL_S3_ENDPOINT": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="bucket")
    yield client
    client.close()


# Spark takes seconds to start, so that all tests of it share one, on one worker of pytest-xdist.
SPARK = pytest.mark.xdist_group("spark")
ENGINES = ["duckdb", pytest.param("spark", marks=SPARK)]


@pytest.fixture(scope="session")
def require_java() -> None:
    """Skip loudly where there is no Java."""
    if shutil.which("java") is None:
        pytest.skip("no java: install a Java runtime 17 or newer to test what MULGIL_ENGINE=spark does")


@pytest.fixture(scope="session")
def spark_engine(tmp_path_factory: pytest.TempPathFactory, require_java: None) -> Iterator[Any]:
    """Give the engine of this process on Spark, inside of this machine."""
    from include.engine.session import open_engine

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MULGIL_HOME", str(tmp_path_factory.mktemp("spark")))
        patch.setenv("MULGIL_ENGINE", "spark")
        patch.setenv("MULGIL_SPARK_MASTER", "local[1]")
        for name, value in SHORT_LIVED.items():
            patch.setenv(name, value)
        engine = open_engine()
    yield engine
    engine.session.stop()


@pytest.fixture(params=ENGINES)
def each_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test once on each engine, and name it."""
    monkeypatch.setenv("MULGIL_ENGINE", request.param)
    if request.param == "spark":
        request.getfixturevalue("spark_engine")
    return str(request.param)
