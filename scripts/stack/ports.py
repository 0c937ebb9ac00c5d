"""Ports on 127.0.0.1: whether one is free, who has it, and which one to take.

A server binds its port up to a minute after it was chosen. Until then the port is reserved: the command that chose it
holds the UDP port of the same number, which nobody else uses, which the system shows to every user and home alike, and
which it frees when the command ends, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator

import psutil

from scripts.stack.errors import PortTaken, StackError

HOST = "127.0.0.1"
# How far above the default to look before giving up.
SPAN = 100


@contextlib.contextmanager
def reserved(port: int) -> Iterator[bool]:
    """Hold a port against every other command that starts servers; give False where one of them holds it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mark:
        try:
            mark.bind((HOST, port))
        except OSError:
            yield False
        else:
            yield True


def is_free(port: int) -> bool:
    """Say whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT is free; one with a listener is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def describe_holder(port: int) -> str:
    """Return who listens on a port, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                name = psutil.Process(connection.pid).name() if connection.pid else "a program of another user"
                return f"{name}, process {connection.pid}" if connection.pid else name
    except psutil.Error:
        pass
    return "another program"


def read_fixed_port(variable: str) -> int | None:
    """Return the port that the user fixed in an environment variable, or None.

    Raises:
        StackError: the value is not a port.
    """
    text = os.environ.get(variable, "").strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise StackError(f"{variable} is {text!r}; allowed is a port from 1 to 65535. Correct it or unset it.")
    return int(text)


@contextlib.contextmanager
def chosen_port(variable: str, default: int, previous: int | None = None) -> Iterator[int]:
    """Give a free port, reserved until the work inside ends: the one the user fixed, last time's, or the next free one.

    Args:
        variable: environment variable in which a user may fix the port.
        default: where to start looking.
        previous: what the last run used; addresses that people bookmarked stay good while it is free.

    Raises:
        PortTaken: the user fixed a port that another program has, or none of the next 100 is free.
    """
    fixed = read_fixed_port(variable)
    candidates = [fixed] if fixed is not None else [previous, *range(default, default + SPAN)]
    for port in candidates:
        if port is None:
            continue
        with reserved(port) as is_reserved:
            if is_reserved and is_free(port):
                yield port
                return
    if fixed is not None:
        holder = "another make run, which is starting" if is_free(fixed) else describe_holder(fixed)
        raise PortTaken(
            f"Port {fixed} ({variable}) is taken by {holder}. Stop that program, set {variable} to "
            "another port, or unset it and the next free port is taken."
        )
    raise PortTaken(
        f"None of the ports {default} to {default + SPAN - 1} is free on {HOST}. Set {variable} to one that is."
    )


@contextlib.contextmanager
def any_port() -> Iterator[int]:
    """Give a port that the system calls free, reserved until the work inside ends; for servers nobody must find again.

    Raises:
        PortTaken: the system named only ports that others are about to take.
    """
    for _ in range(SPAN):
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        with reserved(port) as is_reserved:
            if is_reserved and is_free(port):
                yield port
                return
    raise PortTaken(f"Each of {SPAN} free ports of {HOST} was taken before it could be used. Try again.")
