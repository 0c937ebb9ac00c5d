"""Generated keys and passwords: made once per home, readable by their owner only, never a default."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from scripts.stack.errors import StackError

# Airflow user -> role. Answering at the Review desk needs the right to edit the DAG of the problem, which Op has.
USERS = {"admin": "Admin", "reviewer": "Op", "viewer": "Viewer"}


def _password() -> str:
    """Return 96 random bits as text that survives URLs, shells and double clicks."""
    return secrets.token_hex(12)


def _key() -> str:
    return secrets.token_hex(32)


def _fernet_key() -> str:
    # Fernet's own format: 32 bytes, URL-safe base64.
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


@dataclass(frozen=True)
class Keys:
    """Every secret of one home."""

    fernet_key: str = field(default_factory=_fernet_key)
    jwt_secret: str = field(default_factory=_key)
    api_secret: str = field(default_factory=_key)
    pii_key: str = field(default_factory=_key)
    postgres_password: str = field(default_factory=_password)
    airflow_database_password: str = field(default_factory=_password)
    warehouse_password: str = field(default_factory=_password)
    user_passwords: dict[str, str] = field(default_factory=lambda: {name: _password() for name in USERS})


def read_keys(path: Path) -> Keys:
    """Return the keys of a home.

    Raises:
        StackError: the file is missing or damaged.
    """
    try:
        stored = json.loads(path.read_text())
        names = {item.name for item in fields(Keys)}
        return Keys(**{name: stored[name] for name in names})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(
            f"{path} is missing or damaged ({type(error).__name__}: {error}). Without it the database cannot be "
            "opened: restore it from a backup, or start afresh with make clean, then make run."
        ) from error


def make_keys(path: Path) -> Keys:
    """Return the keys of a home, generating them the first time.

    The file appears whole or not at all, so that a killed run never leaves half a password file.
    """
    if path.exists():
        return read_keys(path)
    keys = Keys()
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(keys), file, indent=1)
    draft.replace(path)
    return keys
