"""Write `.env` for docker-compose.yaml: every empty name of `.env.example`, filled with a fresh secret.

    python3 docker/make_env.py [target]

Needs the standard library only. In an existing file no line is changed, for the databases on the volumes know its
passwords; names that a newer version asks for are added at its end.
"""

# ruff: noqa: T201

import base64
import hashlib
import os
import secrets
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# Airflow wants 32 bytes in URL-safe base64; every other secret is letters and digits, which need no quoting in URLs.
FERNET_NAMES = frozenset({"AIRFLOW_FERNET_KEY"})
# S3 keeps to 20 characters for the name of a key and 40 for the key; a store may refuse longer ones.
STORE_BYTES = {"S3_ACCESS_KEY": 10, "S3_SECRET_KEY": 20}
SIGNING_KEY, VERIFY_KEY = "MULGIL_SIGNING_KEY", "MULGIL_VERIFY_KEY"
# Ed25519, RFC 8032 section 5.1: the field, the curve's constant, and the base point.
PRIME = 2**255 - 19
CURVE = -121665 * pow(121666, -1, PRIME) % PRIME
BASE = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)


def fill_template(template: str, signing_key: str | None = None) -> str:
    """Give every `NAME=` without a value a fresh secret, or what follows from one; keep every other line.

    Args:
        template: lines of `.env.example`.
        signing_key: the one that there is already; a fresh one where there is none.

    Returns:
        the same lines, in the same order.
    """
    signing_key = signing_key or make_secret(SIGNING_KEY)
    bound = {SIGNING_KEY: signing_key, VERIFY_KEY: derive_verify_key(signing_key)}
    lines = []
    for line in template.splitlines():
        name, sign, value = line.partition("=")
        if sign and not value and not line.startswith("#"):
            line = f"{name}={bound.get(name) or make_secret(name)}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def make_secret(name: str) -> str:
    """Make one secret in the form that its reader wants; 160 random bits or more, where the name is not the secret."""
    if name in FERNET_NAMES:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(STORE_BYTES.get(name, 24))


def derive_verify_key(signing_key: str) -> str:
    """Derive the public half of the key that allocations are signed with, as `include/serving/signing.py` does.

    Here without a library, for the machine of who starts the containers has none; a test compares the two.

    Source: RFC 8032, section 5.1.5.
    """
    seed = hashlib.sha256(f"mulgil allocation:{signing_key}".encode()).digest()
    digest = hashlib.sha512(seed).digest()[:32]
    scalar = int.from_bytes(digest, "little") & ((1 << 254) - 8) | (1 << 254)
    point, power = (0, 1), BASE
    for bit in range(255):
        point = _add_points(point, power) if scalar >> bit & 1 else point
        power = _add_points(power, power)
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little").hex()


def _add_points(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Add two points of the curve -x² + y² = 1 + d x² y²."""
    (x1, y1), (x2, y2) = one, other
    cross = CURVE * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + cross, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, -1, PRIME)
    return x % PRIME, y % PRIME


def add_missing(text: str, template: str) -> tuple[str, list[str]]:
    """Add to a file what its template asks for and it does not name.

    Args:
        text: the file, as it is.
        template: lines of `.env.example`.

    Returns:
        the same lines, and behind them the missing names with fresh secrets; and these names.
    """
    pairs = (line.partition("=") for line in text.splitlines() if not line.startswith("#"))
    known = {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}
    filled_lines = fill_template(template, known.get(SIGNING_KEY)).splitlines()
    filled = [line for line in filled_lines if "=" in line and not line.startswith("#")]
    missing = [line for line in filled if line.partition("=")[0] not in known]
    joint = "" if not missing or not text or text.endswith("\n") else "\n"
    return text + joint + "".join(f"{line}\n" for line in missing), [line.partition("=")[0] for line in missing]


def write_env(target: Path) -> list[str]:
    """Write the file for its owner only, or add to an existing one what it lacks; name what was added."""
    template = (REPOSITORY / ".env.example").read_text(encoding="utf-8")
    before = target.read_text(encoding="utf-8") if target.exists() else None
    text, added = (fill_template(template), []) if before is None else add_missing(before, template)
    if text != before:
        draft = target.with_name(target.name + ".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(target)
    return added


def main(arguments: list[str]) -> int:
    """Write the file that the arguments name, `.env` in the repository if none."""
    target = Path(arguments[0]) if arguments else REPOSITORY / ".env"
    is_new = not target.exists()
    added = write_env(target)
    if is_new:
        print(f"Wrote {target}, readable by you only. Keep a copy where secrets are kept.")
    elif added:
        print(f"Added {', '.join(added)} to {target}; every other line is as it was.")
    else:
        print(
            f"{target} lacks nothing and stays as it is: the databases know its passwords. To start over, remove the "
            "volumes (docker compose down --volumes, which deletes all data) and the file first."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
