"""Reads the parts of a page one by one, so that one that fails takes no other with it.

What belongs here: what becomes of a page when the warehouse answers with an error. What does not: queries.
"""

import logging
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from include.warehouse.database import is_away

T = TypeVar("T")
P = ParamSpec("P")
log = logging.getLogger(__name__)


class PageParts:
    """The parts of one page about one thing, read over one connection.

    Attributes:
        missing: names of the parts that could not be read.
    """

    def __init__(self, connection: Connection, about: str) -> None:
        self._connection = connection
        self._about = about
        self.missing: list[str] = []

    def read(
        self,
        name: str,
        query: Callable[Concatenate[Connection, P], T],
        instead: T,
        *arguments: P.args,
        **more: P.kwargs,
    ) -> T:
        """Read one part; where the warehouse answers with an error, log it and give `instead`.

        Args:
            arguments: what the query asks for beside the connection.

        Raises:
            SQLAlchemyError: the warehouse could not be reached; no other part could be read either.
        """
        try:
            return query(self._connection, *arguments, **more)
        except SQLAlchemyError as error:
            if is_away(error):
                raise
            self._connection.rollback()  # or every later part would meet "current transaction is aborted"
            log.exception("The part %r of the page about %r could not be read and is missing there.", name, self._about)
            self.missing.append(name)
            return instead
