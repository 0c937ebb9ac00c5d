"""Ports on 127.0.0.1: whether one is free, who has it, and which one to take."""

from __future__ import annotations

import os
import socket

import psutil

from scripts.stack.errors import PortTaken, StackError

HOST = "127.0.0.1"
# How far above the default to look before giving up.
SPAN = 100


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


def choose_port(variable: str, default: int, previous: int | None = None) -> int:
    """Return a free port: the one the user fixed, else the one used last time, else the next free from the default.

    Args:
        variable: environment variable in which a user may fix the port.
        default: where to start looking.
        previous: what the last run used; addresses that people bookmarked stay good while it is free.

    Raises:
        PortTaken: the user fixed a port that another program has, or none of the next 100 is free.
    """
    fixed = read_fixed_port(variable)
    if fixed is not None:
        if is_free(fixed):
            return fixed
        raise PortTaken(
            f"Port {fixed} ({variable}) is taken by {describe_holder(fixed)}. Stop that program, set {variable} to "
            "another port, or unset it and the next free port is taken."
        )
    for port in [previous, *range(default, default + SPAN)]:
        if port is not None and is_free(port):
            return port
    raise PortTaken(
        f"None of the ports {default} to {default + SPAN - 1} is free on {HOST}. Set {variable} to one that is."
    )
