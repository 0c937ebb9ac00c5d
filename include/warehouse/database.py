"""Opens the warehouse."""

import os

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from include.errors import BadSettings
from include.settings import Settings, read_settings
from include.warehouse.storable import send_clean_texts, storable_json

# By process id: a forked task must not speak on its parent's connections.
_ENGINES: dict[tuple[int, str], Engine] = {}

# SQLSTATEs of a server that is not there (class 08), stops, starts, or lets nobody in.
_AWAY = ("08", "57P01", "57P02", "57P03", "53300")


def engine_for(url: str) -> Engine:
    """Open the warehouse at `url`; one engine for each process, whose connections close when it turns to another URL.

    Raises:
        BadSettings: the URL is empty.
    """
    if not url:
        raise BadSettings(
            "MULGIL_WAREHOUSE_URL is empty, so there is no warehouse to use. "
            "`make info SECRETS=1` prints the URL of the running stack; production sets its own."
        )
    own = (os.getpid(), url)
    if own not in _ENGINES:
        for (process, _), engine in _ENGINES.items():
            engine.dispose(close=process == own[0])
        _ENGINES.clear()
        engine = create_engine(
            url,
            pool_pre_ping=True,
            # Opened only as they are needed: a task has one or two. Pages ask from several threads at once, and opening
            # a connection (with its password's thousands of hashes) takes longer than most questions.
            pool_size=8,
            max_overflow=4,
            hide_parameters=True,  # an error must not carry the values of people into a log
            json_serializer=storable_json,
        )
        event.listen(engine, "connect", lambda connection, _record: send_clean_texts(connection))
        _ENGINES[own] = engine
    return _ENGINES[own]


def open_warehouse(settings: Settings | None = None) -> Engine:
    """Open the warehouse that the settings name.

    Raises:
        BadSettings: they name none.
    """
    return engine_for((settings or read_settings()).warehouse_url)


def is_away(error: SQLAlchemyError) -> bool:
    """Say whether an error means that the warehouse could not be reached; else it answered, and said no.

    A division by zero, a deadlock, a full disk or a statement that took too long are answers: asking whether the
    server runs would lead whoever looks into it astray.
    """
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError):
        return False
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return str(code).startswith(_AWAY)
    # The driver speaks without the server's word only where there is no server: a connection that fails or was lost.
    return error.connection_invalidated or type(error.orig).__name__ == "OperationalError"
