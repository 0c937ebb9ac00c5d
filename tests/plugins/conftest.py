"""A browser, and apps served on a port of this machine."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI

from scripts.pictures import FLAGS, find_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Give a real Chromium; where there is none, the test is skipped and says so."""
    try:
        executable = find_chromium()
    except SystemExit as reason:
        pytest.skip(f"the pages are not looked at in a browser: {reason}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[FastAPI], str]]:
    """Serve apps; gives the address of each, and ends them with the file."""
    import uvicorn

    ends: list[Callable[[], None]] = []

    def start(app: FastAPI) -> str:
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        started = threading.Event()
        # Uvicorn says that it listens by a flag that nobody can wait for.
        startup = server.startup

        async def begin(sockets: Any = None) -> None:
            await startup(sockets)
            started.set()

        server.startup = begin  # type: ignore[method-assign]
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        assert started.wait(20)

        def end() -> None:
            server.should_exit = True
            thread.join(20)

        ends.append(end)
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield start
    for end in ends:
        end()
