"""Opens the warehouse."""

import os

from sqlalchemy import Engine, create_engine

from include.errors import BadSettings
from include.settings import Settings, read_settings

# By process id: a forked task must not speak on its parent's connections.
_ENGINES: dict[tuple[int, str], Engine] = {}


def engine_for(url: str) -> Engine:
    """Open the warehouse at `url`; one engine for each process, whose connections close when it turns to another URL.

    Raises:
        BadSettings: the URL is empty.
    """
    if not url:
        raise BadSettings(
            "MULGIL_WAREHOUSE_URL is empty, so there is no warehouse to use. "
            "`make info` prints the URL of the running stack; production sets its own."
        )
    own = (os.getpid(), url)
    if own not in _ENGINES:
        for (process, _), engine in _ENGINES.items():
            engine.dispose(close=process == own[0])
        _ENGINES.clear()
        _ENGINES[own] = create_engine(
            url,
            pool_pre_ping=True,
            # Opened only as they are needed: a task has one or two. Pages ask from several threads at once, and opening
            # a connection (with its password's thousands of hashes) takes longer than most questions.
            pool_size=8,
            max_overflow=4,
            hide_parameters=True,  # an error must not carry the values of people into a log
        )
    return _ENGINES[own]


def open_warehouse(settings: Settings | None = None) -> Engine:
    """Open the warehouse that the settings name."""
    return engine_for((settings or read_settings()).warehouse_url)
