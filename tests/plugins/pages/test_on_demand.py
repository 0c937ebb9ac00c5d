"""The page's app is made once, at its first request."""

import asyncio
import os
import subprocess
import sys
import types
from typing import Any

import pytest

from include.settings import REPOSITORY
from pages.on_demand import OnDemandApp


def test_nothing_is_imported_before_the_first_request_and_the_app_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "told", "path": scope["path"]})

    module = types.ModuleType("an_app")
    module.make = lambda: made.append("made") or answer  # type: ignore[attr-defined]
    app = OnDemandApp("an_app", "make")
    assert made == []
    monkeypatch.setitem(sys.modules, "an_app", module)
    told: list[str] = []

    async def send(message: dict[str, str]) -> None:
        told.append(message["path"])

    for path in ("/a", "/b"):
        asyncio.run(app({"path": path}, None, send))  # type: ignore[arg-type]
    assert (made, told) == (["made"], ["/a", "/b"])


def test_the_plugin_file_imports_no_page() -> None:
    """Scheduler and DAG processor load the plugin too."""
    code = "import reports_plugin, sys; assert 'reports.app' not in sys.modules and 'pandas' not in sys.modules"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command, folder = [sys.executable, "-c", code], REPOSITORY / "plugins"
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]
