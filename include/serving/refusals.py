"""Requests that are not answered, each with the status and the code that the protocol has for it."""

from include.errors import MulgilError


class RequestRefused(MulgilError):
    """A request that cannot be answered; the message says why to whoever wrote the program that asks.

    Attributes:
        status: of HTTP.
        code: of OpenFeature's remote evaluation protocol where that has one.
        retry_after_s: when it makes sense to ask again; None where that would help nobody.
    """

    def __init__(self, status: int, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s


class StateInUse(MulgilError):
    """Another service keeps its state in the same folder."""
