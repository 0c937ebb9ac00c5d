"""What must exist before Airflow's components start: buckets, tables, the metadata database, roles, the admin.

Run by the service `airflow-init` at every start; each part leaves what exists. Reads the settings of the project and
AIRFLOW_ADMIN_PASSWORD.
"""

# ruff: noqa: T201

import io
import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

from include.settings import Settings, read_settings
from include.warehouse.migrate import upgrade


def bucket_names(settings: Settings) -> list[str]:
    """Name the buckets that the settings point at, each once; folders need none."""
    urls = (settings.landing_url, settings.lake_url, settings.models_url)
    return sorted({url.removeprefix("s3://").split("/")[0] for url in urls if url.startswith("s3://")})


def make_buckets(settings: Settings) -> list[str]:
    """Make the buckets that do not exist.

    Returns:
        the names of those that were made.

    Raises:
        ClientError: the store refuses, for another reason than that the bucket is there already and ours.
    """
    store = boto3.client("s3", endpoint_url=settings.s3_endpoint)
    made = []
    for name in bucket_names(settings):
        try:
            store.head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise
            store.create_bucket(Bucket=name)
            made.append(name)
    return made


def prepare_airflow(admin_password: str) -> None:
    """Migrate the metadata database; make sure of Mulgil's roles, and that the user `admin` has this password."""
    from scripts.stack import metadata

    sys.stdin = io.StringIO(json.dumps({"users": [{"name": "admin", "role": "Admin", "password": admin_password}]}))
    metadata.main()


def main() -> None:
    """Prepare everything, in the order in which it is needed."""
    settings = read_settings()
    print(f"Buckets made: {', '.join(make_buckets(settings)) or 'none, all exist'}", flush=True)
    upgrade(settings.warehouse_url)
    print("Warehouse migrated", flush=True)
    prepare_airflow(os.environ["AIRFLOW_ADMIN_PASSWORD"])
    print("Airflow migrated; roles and the user admin are there", flush=True)


if __name__ == "__main__":
    main()
