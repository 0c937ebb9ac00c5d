"""What a Celery worker imports at its start is there in the packages that are pinned."""

import os
import subprocess
import sys


def test_a_worker_of_the_pinned_packages_can_import_its_app():
    # In a process of its own, as a worker starts: the executor reads Airflow's settings when it is imported.
    code = "from airflow.providers.celery.executors.celery_executor import app; print(app.conf.broker_url)"
    environment = {**os.environ, "AIRFLOW__CELERY__BROKER_URL": "redis://:word@redis:6379/0"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1] == "redis://:word@redis:6379/0"
