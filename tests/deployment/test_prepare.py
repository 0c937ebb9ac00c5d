"""What `airflow-init` does before Airflow starts, against a real S3 server on this machine."""

from dataclasses import replace

import boto3
import pytest

from include.settings import Settings, read_settings
from tests.deployment import compose

prepare = compose.load_script("docker/airflow/prepare.py")
WRITTEN = compose.read_services(compose.COMPOSE_FILE.read_text(encoding="utf-8"))["airflow-init"]["environment"]
# What the file's own default fills in.
ENVIRONMENT = WRITTEN | {"MULGIL_ENGINE": "duckdb"}


@pytest.fixture
def settings(s3_server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", ENVIRONMENT["AWS_DEFAULT_REGION"])
    host, port = s3_server
    return replace(read_settings(ENVIRONMENT), s3_endpoint=f"http://{host}:{port}")


def test_the_buckets_of_the_file_are_made_once(settings: Settings):
    assert prepare.make_buckets(settings) == ["mulgil-lake", "mulgil-landing"]
    assert prepare.make_buckets(settings) == []
    store = boto3.client("s3", endpoint_url=settings.s3_endpoint)
    assert [bucket["Name"] for bucket in store.list_buckets()["Buckets"]] == ["mulgil-lake", "mulgil-landing"]


def test_folders_need_no_bucket_and_a_bucket_used_twice_is_named_once(settings: Settings):
    shared = replace(settings, landing_url="s3://one/landing", lake_url="s3://one/lake", models_url="/var/models")
    assert prepare.bucket_names(shared) == ["one"]
