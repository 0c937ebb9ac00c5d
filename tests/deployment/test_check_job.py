"""Health of the components that listen nowhere, asked of Airflow's own table."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from tests.deployment.compose import load_script

check_job = load_script("docker/airflow/check_job.py")
TABLE = "CREATE TABLE job (job_type text, hostname text, state text, latest_heartbeat timestamptz)"


@pytest.mark.parametrize(
    ("job_type", "hostname", "state", "silent_s", "n_beating"),
    [
        ("TriggererJob", "here", "running", 5, 1),
        ("TriggererJob", "here", "running", 90, 0),
        ("TriggererJob", "here", "failed", 5, 0),
        ("TriggererJob", "elsewhere", "running", 5, 0),
        ("SchedulerJob", "here", "running", 5, 0),
    ],
)
def test_only_a_job_of_this_kind_on_this_host_that_beats_counts(
    warehouse_url: str, job_type: str, hostname: str, state: str, silent_s: int, n_beating: int
):
    engine = create_engine(warehouse_url)
    values = {"job": job_type, "host": hostname, "state": state, "at": datetime.now(UTC) - timedelta(seconds=silent_s)}
    with engine.begin() as connection:
        connection.execute(text(TABLE))
        connection.execute(text("INSERT INTO job VALUES (:job, :host, :state, :at)"), values)
    engine.dispose()
    url = warehouse_url.replace("+psycopg:", "+psycopg2:")
    assert check_job.count_beating(url, "TriggererJob", "here") == n_beating
