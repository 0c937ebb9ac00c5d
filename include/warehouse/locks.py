"""Locks that every process which shares the warehouse sees."""

import hashlib

from sqlalchemy import Connection, text


def lock_number(*parts: str) -> int:
    """Fold names into the signed 64-bit number that PostgreSQL locks by."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def lock_until_commit(connection: Connection, *parts: str) -> None:
    """Wait for everybody else who holds this name, then hold it until the caller's transaction ends."""
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock_number(*parts)})


def try_lock_until_commit(connection: Connection, *parts: str) -> bool:
    """Hold a name until the caller's transaction ends, unless somebody else holds it now; say whether it is held."""
    lock = {"lock": lock_number(*parts)}
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(:lock)"), lock))
