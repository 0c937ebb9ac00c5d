"""Generated keys and passwords: made once per home, readable by their owner only, never a default."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from include.names import LEAD_ROLE, REVIEWER_ROLE
from scripts.stack.errors import StackError

# Airflow user -> role; what Reviewer and Lead may do stands in `roles.py`.
USERS = {"admin": "Admin", "lead": LEAD_ROLE, "reviewer": REVIEWER_ROLE, "viewer": "Viewer"}


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
    bi_password: str = field(default_factory=_password)
    user_passwords: dict[str, str] = field(default_factory=lambda: {name: _password() for name in USERS})
    signing_key: str = field(default_factory=_key)


# Not in the files of every earlier Mulgil.
_LATER = {"bi_password", "user_passwords", "signing_key"}


def read_keys(path: Path) -> Keys:
    """Return the keys of a home; what an older Mulgil did not know yet is empty, until `make_keys` makes it.

    Raises:
        StackError: the file is missing or damaged.
    """
    try:
        stored = json.loads(path.read_text())
        passwords = {name: str(stored["user_passwords"].get(name, "")) for name in USERS}
        known = {item.name: str(stored[item.name]) for item in fields(Keys) if item.name not in _LATER}
        later = {name: str(stored.get(name, "")) for name in ("bi_password", "signing_key")}
        return Keys(**known, **later, user_passwords=passwords)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StackError(
            f"{path} is missing or damaged ({type(error).__name__}: {error}). Without it the database cannot be "
            "opened: restore it from a backup, or start afresh with make clean, then make run."
        ) from error


def make_keys(path: Path) -> Keys:
    """Return the keys of a home, generating them the first time, and later those that it does not have yet.

    The file appears whole or not at all, so that a killed run never leaves half a password file.
    """
    old = read_keys(path) if path.exists() else Keys()
    keys = replace(
        old,
        bi_password=old.bi_password or _password(),
        signing_key=old.signing_key or _key(),
        user_passwords={name: old.user_passwords[name] or _password() for name in USERS},
    )
    if path.exists() and keys == old:
        return keys
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(keys), file, indent=1)
    draft.replace(path)
    return keys
