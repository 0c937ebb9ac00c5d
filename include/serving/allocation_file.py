"""The published file of a problem's experiments: made from the shares in force, signed, and read with suspicion.

What belongs here: rows to bytes and back. What does not: where they lie (`store.py`), and who gets what
(`clients/evaluate.py`).
"""

import json
import math
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from include.errors import BadAllocation
from include.serving.clients.evaluate import FORMAT, FORMAT_OF_SLICES, Allocation, Experiment
from include.serving.signing import is_signed, sign

LARGEST_FILE = 1 << 20  # bytes; an experiment takes some hundred


def encode_allocation(
    problem: str,
    experiments: Mapping[str, Experiment],
    *,
    key: Ed25519PrivateKey,
    revision: int,
    before: bytes | None,
) -> bytes:
    """Write the file; what says the same as before stays as it is, to the byte.

    Args:
        problem: name of the problem.
        experiments: by name.
        key: that signs it.
        revision: the number of this one if it is new; more than that of every earlier one, such as a clock's.
        before: the file that is published, if there is one; one that nobody of ours signed counts for nothing.

    Raises:
        BadAllocation: the experiments contradict themselves, or what is published has a later revision.
    """
    require_sound(problem, experiments)
    published = _read_own(problem, before, key.public_key())
    if published is not None and published["experiments"] == experiments and before is not None:
        return before
    if published is not None and published["revision"] >= revision:
        raise BadAllocation(
            f"{problem}: revision {published['revision']} is published, and this one would be {revision}: no service "
            "would take it. Is this machine's clock wrong? Clear the task when it is right."
        )
    # A program that knows no slices must not answer for those whom a slice leaves out: it refuses the second format.
    has_slices = any(one.keys() & {"slice", "start", "end"} for one in experiments.values())
    kind = FORMAT_OF_SLICES if has_slices else FORMAT
    allocation = {"format": kind, "problem": problem, "revision": revision, "experiments": experiments}
    signed = json.dumps(allocation, sort_keys=True, ensure_ascii=False, allow_nan=False)
    envelope = {"signed": signed, "signature": sign(signed.encode(), key)}
    return (json.dumps(envelope, sort_keys=True, ensure_ascii=False, indent=1) + "\n").encode()


def take_back(problem: str, before: bytes | None, key: Ed25519PublicKey) -> dict[str, Experiment]:
    """Give the experiments of the published file without any share, for when no window is left that gives them.

    Args:
        problem: name of the problem.
        before: the file that is published, if there is one; one that nobody of ours signed has no experiments.
        key: of who signs.
    """
    published = _read_own(problem, before, key)
    experiments = published["experiments"] if published is not None else {}
    gone = {"phase": "hold", "ranges": []}
    return {
        name: {**{field: told for field, told in one.items() if field != "paused_since"}, **gone}
        for name, one in experiments.items()
    }


def _read_own(problem: str, content: bytes | None, key: Ed25519PublicKey) -> Allocation | None:
    """Read what is published; None where there is nothing of ours."""
    try:
        return decode_allocation(problem, content, key) if content is not None else None
    except BadAllocation:
        return None


def decode_allocation(problem: str, content: bytes, key: Ed25519PublicKey) -> Allocation:
    """Read a published file, if it is the one that was signed.

    Args:
        problem: whose it must be.
        content: the file's bytes.
        key: of who signs.

    Raises:
        BadAllocation: it was changed, is of another key, problem or format, is larger than 1 MiB, or contradicts
            itself.
    """
    if len(content) > LARGEST_FILE:
        raise BadAllocation(f"{problem}: the file has {len(content):,} bytes; at most {LARGEST_FILE:,} are read.")
    try:
        envelope = json.loads(content)
        signed, signature = str(envelope["signed"]), str(envelope["signature"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadAllocation(
            f"{problem}: the file is no signed allocation ({type(error).__name__}: {error})."
        ) from error
    if not is_signed(signed.encode(errors="surrogatepass"), signature, key):
        raise BadAllocation(
            f"{problem}: the signature is not ours: the file was changed after it was signed, or signed with another "
            "MULGIL_SIGNING_KEY. It is not used. Clear `publish_allocation` to publish it again."
        )
    allocation: Allocation = json.loads(signed)
    kinds = (FORMAT, FORMAT_OF_SLICES)
    if allocation.get("format") not in kinds or allocation.get("problem") != problem:
        raise BadAllocation(
            f"{problem}: the file is {allocation.get('format')!r} of {allocation.get('problem')!r}; needed is "
            f"{' or '.join(kinds)} of this problem. Was it copied?"
        )
    require_sound(problem, allocation["experiments"])
    return allocation


def require_sound(problem: str, experiments: Mapping[str, Experiment]) -> None:
    """Refuse ranges that overlap or leave [0, 1], and a slice or a time that holds nothing.

    Raises:
        BadAllocation: names the experiment and the first range that does.
    """
    for name, experiment in experiments.items():
        part = experiment.get("slice", {"low": 0.0, "high": 1.0})
        start, end = experiment.get("start", 0.0), experiment.get("end", math.inf)
        if not (0.0 <= part["low"] < part["high"] <= 1.0 and start < end):
            raise BadAllocation(
                f"{problem}: experiment {name!r} has the slice from {part['low']} to {part['high']}, from second "
                f"{start} to {end}; a slice lies in 0 to 1, and both must hold something."
            )
        above = 0.0
        for part in sorted(experiment["ranges"], key=lambda part: (part["low"], part["high"])):
            low, high = part["low"], part["high"]
            if not (math.isfinite(low) and math.isfinite(high) and above <= low < high <= 1.0):
                raise BadAllocation(
                    f"{problem}: experiment {name!r} gives {part['variant']!r} the places from {low} to {high}, where "
                    f"those below {above} are taken; ranges must lie in 0 to 1, hold something and not overlap."
                )
            above = high
