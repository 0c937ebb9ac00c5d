"""Tells Airflow that a batch is answered, which starts training.

The desk runs inside Airflow's API server, outside of any task: it registers the asset's event as the server's own route
for asset events does. If Airflow does not take it, the batch stays marked as unannounced, and is announced later.
"""

import logging

from sqlalchemy import Engine

from include.names import labels_asset
from include.review.desk import service

log = logging.getLogger(__name__)


def announce_labels(engine: Engine, problem: str, batch_id: str) -> bool:
    """Emit the asset `labels/<problem>` with the batch as its partition; say whether Airflow took it."""
    try:
        _register(labels_asset(problem), batch_id)
    except Exception:  # the answers are stored; whatever is wrong with Airflow must not look as if they were not
        log.exception("The labels of %s %s are stored, and Airflow could not be told yet.", problem, batch_id)
        return False
    service.mark_announced(engine, problem, batch_id)
    return True


def _register(asset: str, partition_key: str) -> None:
    """Register an asset event.

    Raises:
        LookupError: Airflow does not know the asset.
    """
    # Airflow's own machinery, imported when the first batch is finished: tests of the page need none of it.
    from airflow.assets.manager import asset_manager
    from airflow.models.asset import AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        model = session.scalar(select(AssetModel).where(AssetModel.name == asset).limit(1))
        event = model and asset_manager.register_asset_change(
            asset=model, partition_key=partition_key, source_is_api=True, session=session
        )
        if event is None:
            raise LookupError(f"Airflow knows no asset {asset!r}: is its DAG parsed?")
