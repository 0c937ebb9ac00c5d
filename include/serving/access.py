"""Who may ask for what, and how often: keys of programs, kept as hashes, and a bucket of tokens for each.

What belongs here: keys, scopes and rates. What does not: which request needs which scope (`web/app.py`).
"""

import hashlib
import json
import math
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from include.engine.durability import write_whole
from include.errors import BadSettings
from include.serving.refusals import RequestRefused

EVALUATE, DECIDE, METRICS = "evaluate", "decide", "metrics"
_SCOPE = re.compile(rf"({EVALUATE}|{DECIDE})(:[a-z][a-z0-9_]*)?|{METRICS}")
DEFAULT_PER_SECOND = 5_000.0


@dataclass(frozen=True)
class ApiKey:
    """What a program that shows a key may do.

    Attributes:
        name: of the program, as metrics and logs show it.
        sha256: of the key; the key itself is kept nowhere.
        scopes: `evaluate`, `decide`, or of one problem only, `decide:cards`; `metrics`.
        per_second: requests a second, and as many at once after a pause.
    """

    name: str
    sha256: str
    scopes: tuple[str, ...]
    per_second: float

    def is_for(self, scope: str, problem: str | None = None) -> bool:
        """Say whether it may be used for something, of all problems or of one."""
        return scope in self.scopes or f"{scope}:{problem}" in self.scopes


def read_keys(path: Path) -> dict[str, ApiKey]:
    """Read the keys that are known, by their hash; none where the file is missing.

    Raises:
        BadSettings: the file is no file of keys.
    """
    try:
        rows = json.loads(path.read_text("utf-8"))["keys"]
        keys = [ApiKey(str(r["name"]), str(r["sha256"]), tuple(r["scopes"]), float(r["per_second"])) for r in rows]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadSettings(
            f"{path} is no file of keys ({type(error).__name__}: {error}). Restore it, or remove it and make the keys "
            "again: make serve-key NAME=name."
        ) from error
    return {key.sha256: key for key in keys}


def add_key(path: Path, name: str, scopes: Iterable[str], per_second: float = DEFAULT_PER_SECOND) -> str:
    """Make a key, and keep its hash; one of the same name is replaced.

    Returns:
        the key, which nobody can read again.

    Raises:
        BadSettings: a scope is none, or the rate is not above 0.
    """
    wanted = tuple(scopes)
    wrong = [scope for scope in wanted if not _SCOPE.fullmatch(scope)]
    if wrong or not wanted or not 0 < per_second < math.inf:
        raise BadSettings(
            f"{wrong[0] if wrong else wanted!r} at {per_second:g} a second is not allowed. Scopes are {EVALUATE}, "
            f"{DECIDE}, either with a problem behind it ({DECIDE}:cards), and {METRICS}; a rate is above 0."
        )
    secret = f"mulgil_{secrets.token_urlsafe(32)}"
    others = [key for key in read_keys(path).values() if key.name != name]
    keys = [*others, ApiKey(name, hash_secret(secret), wanted, per_second)]
    write_whole(path, json.dumps({"keys": [asdict(key) for key in keys]}, indent=1).encode(), path.parent)
    return secret


def hash_secret(secret: str) -> str:
    """Hash a key. It holds 256 random bits: no dictionary helps, so a quick hash is enough."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def find_secret(headers: Mapping[str, str]) -> str:
    """Read the key that a request shows: `Authorization: Bearer` or `X-API-Key`; empty where there is none."""
    kind, _, secret = headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else headers.get("x-api-key", "").strip()


def admit(keys: Mapping[str, ApiKey], secret: str) -> ApiKey:
    """Give what the program that shows a key may do.

    Raises:
        RequestRefused: it shows none, or one that nobody gave it.
    """
    # The look-up is by hash: how long it takes says nothing about the key.
    key = keys.get(hash_secret(secret)) if secret else None
    if key is None:
        shown = "no key" if not secret else "a key that is not known here"
        raise RequestRefused(401, "UNAUTHORIZED", f"The request shows {shown}; send Authorization: Bearer KEY.")
    return key


def require_scope(key: ApiKey, scope: str, problem: str | None = None) -> None:
    """Refuse what a key is not for.

    Raises:
        RequestRefused: it is for something else.
    """
    if not key.is_for(scope, problem):
        wanted = f"{scope}:{problem}" if problem else scope
        raise RequestRefused(403, "FORBIDDEN", f"The key {key.name!r} is for {', '.join(key.scopes)}, not {wanted}.")


class Limiter:
    """A bucket of tokens for each key: one goes with each request, and they come back at the key's rate."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, key: ApiKey, now: float) -> None:
        """Take a token.

        Args:
            now: seconds of a clock that never goes back.

        Raises:
            RequestRefused: there is none left; the answer says when there is.
        """
        size = max(key.per_second, 1.0)
        tokens, at = self._buckets.get(key.sha256, (size, now))
        tokens = min(size, tokens + (now - at) * key.per_second)
        if tokens < 1.0:
            self._buckets[key.sha256] = (tokens, now)
            raise RequestRefused(
                429,
                "TOO_MANY_REQUESTS",
                f"The key {key.name!r} may ask {key.per_second:g} times a second.",
                retry_after_s=(1.0 - tokens) / key.per_second,
            )
        self._buckets[key.sha256] = (tokens - 1.0, now)
