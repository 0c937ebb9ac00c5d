"""Loads a web app when its first request comes.

Airflow's scheduler, DAG processor and triggerer load plugins too; none of them should pay for a page it never serves.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from importlib import import_module
from typing import Any

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]


class OnDemandApp:
    """An ASGI app that is made by `module.factory()` at its first request."""

    def __init__(self, module: str, factory: str) -> None:
        self._module = module
        self._factory = factory
        self._app: App | None = None

    async def __call__(
        self, scope: Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]
    ) -> None:
        """Hand the request to the app."""
        if self._app is None:
            self._app = getattr(import_module(self._module), self._factory)()
        await self._app(scope, receive, send)
