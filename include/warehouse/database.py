"""Opens the warehouse."""

from functools import lru_cache

from sqlalchemy import Engine, create_engine

from include.errors import BadSettings
from include.settings import Settings, read_settings


@lru_cache(maxsize=4)
def engine_for(url: str) -> Engine:
    """Open the warehouse at `url`; one engine for each URL and process.

    Raises:
        BadSettings: the URL is empty.
    """
    if not url:
        raise BadSettings(
            "MULGIL_WAREHOUSE_URL is empty, so there is no warehouse to use. "
            "`make info` prints the URL of the running stack; production sets its own."
        )
    return create_engine(url, pool_pre_ping=True, pool_size=2, max_overflow=4)


def open_warehouse(settings: Settings | None = None) -> Engine:
    """Open the warehouse that the settings name."""
    return engine_for((settings or read_settings()).warehouse_url)
