"""Health of a component that listens nowhere: did its job, on this host, say within a minute that it works?

    python docker/airflow/check_job.py DagProcessorJob|TriggererJob

One query instead of `airflow jobs check`, which imports all of Airflow, 6 s of a core, every time it is asked.
"""

# ruff: noqa: T201

import os
import socket
import sys

import psycopg

MAX_SILENCE_S = 60
BEATS = """
    SELECT count(*) FROM job
    WHERE job_type = %s AND hostname = %s AND state = 'running'
        AND latest_heartbeat > now() - make_interval(secs => %s)
"""


def count_beating(url: str, job_type: str, host: str) -> int:
    """Count the jobs of a kind on a host that said within a minute that they work.

    Args:
        url: of Airflow's metadata database, as SQLAlchemy writes it.
        job_type: as the table `job` names it.
        host: as the component names its machine.

    Raises:
        psycopg.OperationalError: the database does not answer.
    """
    with psycopg.connect(url.replace("postgresql+psycopg2", "postgresql"), connect_timeout=5) as connection:
        ((n_beating,),) = connection.execute(BEATS, (job_type, host, MAX_SILENCE_S)).fetchall()
    return int(n_beating)


if __name__ == "__main__":
    n_beating = count_beating(os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], sys.argv[1], socket.getfqdn())
    print(f"{n_beating} {sys.argv[1]} on this host works")
    sys.exit(0 if n_beating else 1)
