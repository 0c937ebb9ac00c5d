"""Valid allocations, to change one thing at a time."""

from typing import Any

from include.serving.allocation_file import encode_allocation
from include.serving.signing import make_signer

SECRET = "a secret that is as long as it has to be"
KEY = make_signer(SECRET)
PUBLIC = KEY.public_key()


def make_experiment(**changes: Any) -> dict[str, Any]:
    ranges = [{"variant": "none", "low": 0.0, "high": 0.5}, {"variant": "large", "low": 0.5, "high": 1.0}]
    whole = {"salt": "campaign-2004", "unit": "person_id", "phase": "pilot", "window": "2004-11-01", "ranges": ranges}
    return whole | changes


def make_file(problem: str = "campaign", revision: int = 7, **experiments: dict[str, Any]) -> bytes:
    """Give a published file; one experiment of the single name where none is given."""
    found = experiments or {"experiment": make_experiment()}
    return encode_allocation(problem, found, key=KEY, revision=revision, before=None)
