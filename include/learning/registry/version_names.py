"""Names of model versions and of what they serve: a training point, and six digits of what was fitted.

What belongs here: taking names apart, with the standard library alone. What does not: making them
(`registry/version_hash.py`).
"""


def point_of(model_version: str) -> str:
    """Give the training point of a version's name."""
    return model_version.rsplit("-", 1)[0]


def seed_of(model_version: str, seed: int) -> list[int]:
    """Give the seed of a version's resamples: the problem's own, and the digits of its name."""
    return [seed, int(model_version.rsplit("-", 1)[1], 16)]
