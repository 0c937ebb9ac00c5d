"""Ports: free, taken, and reserved from the moment of choosing on."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from scripts.stack import ports
from scripts.stack.errors import PortTaken, StackError
from scripts.stack.home import REPO


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def choose(default: int, previous: int | None = None) -> int:
    with ports.chosen_port("MULGIL_X_PORT", default, previous) as port:
        return port


def test_a_taken_default_gives_the_next_free_port(taken: int):
    assert taken < choose(taken) < taken + ports.SPAN


def test_a_taken_port_that_the_user_fixed_is_refused_by_name(taken: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MULGIL_X_PORT", str(taken))
    with pytest.raises(PortTaken, match=rf"Port {taken} \(MULGIL_X_PORT\) is taken by .*another port"):
        choose(8080)


def test_the_port_of_last_time_is_preferred_while_it_is_free(taken: int):
    free = choose(taken + 1)
    assert choose(8080, previous=free) == free
    assert choose(taken + 1, previous=taken) != taken


@pytest.mark.parametrize("text", ["80x", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused(text: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MULGIL_X_PORT", text)
    with pytest.raises(StackError, match="allowed is a port from 1 to 65535"):
        choose(8080)


def test_a_chosen_port_is_nobody_elses_until_its_server_listens(taken: int, monkeypatch: pytest.MonkeyPatch):
    with ports.chosen_port("MULGIL_X_PORT", taken + 1) as first:
        with ports.chosen_port("MULGIL_X_PORT", taken + 1) as second:
            assert first != second
        with socket.socket() as server:  # what it is reserved for still gets it
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", first))
            server.listen()
        monkeypatch.setenv("MULGIL_X_PORT", str(first))
        with pytest.raises(PortTaken, match="another make run, which is starting"):
            choose(8080)
    monkeypatch.delenv("MULGIL_X_PORT")
    assert choose(first) == first


def test_a_reservation_ends_with_a_killed_command(taken: int):
    code = f"from scripts.stack import ports\nwith ports.chosen_port('X', {taken + 1}) as port: print(port); input()"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        held = int(child.stdout.readline())
        assert choose(held) != held
        child.kill()
    assert choose(held) == held
