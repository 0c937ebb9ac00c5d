"""Walks into one of Airflow's traps, on a real metadata database, and says on its last line what came of it.

    python tests/deployment/trap_player.py TRAP

Everything that happens is Airflow's own code: DAGs are written as its DAG processor writes them, events registered as
its API registers them, runs made as its scheduler makes them. Not a test file.
"""

# ruff: noqa: T201
import json
import sys
from typing import Any

from airflow import settings
from airflow.dag_processing.collection import update_dag_parsing_results_in_db
from airflow.models.asset import AssetPartitionDagRun
from airflow.models.dag import DagModel
from airflow.models.dagbundle import DagBundleModel
from airflow.models.dagrun import DagRun
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, PartitionedAssetTimetable
from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.session import create_session
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

KEY = "2013-01"
ONE, OTHER = Asset("lake/one"), Asset("labels/one")


def write_dag(session: Session, dag_id: str, schedule: Any) -> None:
    """Write a DAG of one task, unpaused, as the DAG processor does."""
    with DAG(dag_id, schedule=schedule, catchup=False) as dag:
        EmptyOperator(task_id="approve")
    if session.get(DagBundleModel, "traps") is None:
        session.add(DagBundleModel(name="traps"))
        session.flush()
    lazy = LazyDeserializedDAG.from_dag(dag)
    update_dag_parsing_results_in_db("traps", None, [lazy], {}, 0.1, set(), session)
    session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_paused=False))


def set_paused(session: Session, dag_id: str, *, is_paused: bool) -> None:
    """Pause a DAG, or let it run."""
    session.execute(update(DagModel).where(DagModel.dag_id == dag_id).values(is_paused=is_paused))
    session.expire_all()


def announce(session: Session, asset: Asset, key: str = KEY) -> None:
    """Register that a partition of an asset changed."""
    from airflow.assets.manager import asset_manager

    name = SerializedAssetUniqueKey(name=asset.name, uri=asset.uri)
    if asset_manager.register_asset_change(asset=name, session=session, partition_key=key) is None:
        raise SystemExit(f"Airflow does not know the asset {asset.name}.")
    session.flush()


def count_pending(session: Session) -> int:
    """Count the partitions whose run is not made."""
    pending = AssetPartitionDagRun.created_dag_run_id.is_(None)
    return session.scalar(select(func.count()).select_from(AssetPartitionDagRun).where(pending)) or 0


def read_runs(session: Session) -> list[str]:
    """Name the runs that there are."""
    return sorted(f"{run.dag_id} {run.partition_key} {run.state}" for run in session.scalars(select(DagRun)))


def make_runs(session: Session, at_once: int = 500) -> None:
    """Let the scheduler look once at what is pending."""
    from airflow.jobs.job import Job
    from airflow.jobs.scheduler_job_runner import SchedulerJobRunner

    job = Job()
    session.add(job)
    session.flush()
    runner = SchedulerJobRunner(job=job)
    runner._max_partition_dag_runs_per_loop = at_once
    runner._create_dagruns_for_partitioned_asset_dags(session)
    session.flush()


def pause_and_announce(session: Session) -> dict[str, Any]:
    """Announce to a paused consumer, unpause it, look; then announce once more."""
    write_dag(session, "consumer", PartitionedAssetTimetable(assets=ONE))
    set_paused(session, "consumer", is_paused=True)
    announce(session, ONE)
    set_paused(session, "consumer", is_paused=False)
    make_runs(session)
    dropped = read_runs(session)
    announce(session, ONE)
    make_runs(session)
    return {"dropped": dropped, "again": read_runs(session)}


def announce_and_pause(session: Session) -> dict[str, Any]:
    """Pause a consumer that has heard already, then let the scheduler look."""
    write_dag(session, "consumer", PartitionedAssetTimetable(assets=ONE))
    announce(session, ONE)
    set_paused(session, "consumer", is_paused=True)
    make_runs(session)
    return {"runs": read_runs(session)}


def block(session: Session) -> dict[str, Any]:
    """Let one partition wait for an asset that never comes, before another that has all it needs."""
    write_dag(session, "waits", PartitionedAssetTimetable(assets=ONE & OTHER))
    announce(session, ONE)
    write_dag(session, "ready", PartitionedAssetTimetable(assets=ONE))
    set_paused(session, "waits", is_paused=True)
    announce(session, ONE, "2013-02")
    make_runs(session, at_once=1)
    blocked = read_runs(session)
    make_runs(session, at_once=2)
    return {"blocked": blocked, "with_room": read_runs(session)}


def two_producers(session: Session) -> dict[str, Any]:
    """Announce one key from two assets in transactions that overlap, and from one after the other."""
    write_dag(session, "review", PartitionedAssetTimetable(assets=ONE | OTHER))
    session.commit()
    # Airflow's own sessions are one for each thread; two processes have one each.
    with Session(settings.engine) as first, Session(settings.engine) as second:
        announce(first, ONE)
        announce(second, OTHER)
        first.commit()
        second.commit()
    at_once = count_pending(session)
    announce(session, ONE, "2013-02")
    announce(session, OTHER, "2013-02")
    one_by_one = count_pending(session) - at_once
    make_runs(session)
    return {"at_once": at_once, "one_by_one": one_by_one, "runs": read_runs(session)}


def clear_approval(session: Session) -> dict[str, Any]:
    """Ask, answer, clear the task and ask again with other figures."""
    from airflow._shared.timezones import timezone
    from airflow.api_fastapi.execution_api.datamodels.hitl import HITLDetailRequest
    from airflow.api_fastapi.execution_api.routes.hitl import upsert_hitl_detail
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance, clear_task_instances

    write_dag(session, "train", PartitionedAssetTimetable(assets=ONE))
    announce(session, ONE)
    make_runs(session)

    def ask(body: str) -> str:
        task = session.scalars(select(TaskInstance)).one()
        request = HITLDetailRequest(ti_id=task.id, options=["Approve", "Reject"], subject="Promote?", body=body)
        upsert_hitl_detail(task.id, request, session)
        session.flush()
        return str(session.scalars(select(HITLDetail)).one().body)

    asked = ask("earns 100 a day")
    detail = session.scalars(select(HITLDetail)).one()
    detail.responded_at, detail.chosen_options = timezone.utcnow(), ["Approve"]
    task = session.scalars(select(TaskInstance)).one()
    task.state = "success"
    session.flush()
    clear_task_instances([task], session)
    session.flush()
    session.expire_all()
    shown = ask("loses 100 a day")
    return {"asked": asked, "shown_after_clearing": shown}


TRAPS = {trap.__name__: trap for trap in (pause_and_announce, announce_and_pause, block, two_producers, clear_approval)}


if __name__ == "__main__":
    with create_session() as opened:
        print(json.dumps(TRAPS[sys.argv[1]](opened)))
