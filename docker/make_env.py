"""Write `.env` for docker-compose.yaml: every empty name of `.env.example`, filled with a fresh secret.

    python3 docker/make_env.py [target]

Needs the standard library only. An existing file is never touched: the databases on the volumes know its passwords.
"""

# ruff: noqa: T201

import base64
import os
import secrets
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# Airflow wants 32 bytes in URL-safe base64; every other secret is letters and digits, which need no quoting in URLs.
FERNET_NAMES = frozenset({"AIRFLOW_FERNET_KEY"})
# S3 keeps to 20 characters for the name of a key and 40 for the key; a store may refuse longer ones.
STORE_BYTES = {"S3_ACCESS_KEY": 10, "S3_SECRET_KEY": 20}


def fill_template(template: str) -> str:
    """Give every `NAME=` without a value a fresh secret; keep every other line.

    Args:
        template: lines of `.env.example`.

    Returns:
        the same lines, in the same order.
    """
    lines = []
    for line in template.splitlines():
        name, sign, value = line.partition("=")
        if sign and not value and not line.startswith("#"):
            line = f"{name}={make_secret(name)}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def make_secret(name: str) -> str:
    """Make one secret in the form that its reader wants; 160 random bits or more, where the name is not the secret."""
    if name in FERNET_NAMES:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(STORE_BYTES.get(name, 24))


def write_env(target: Path) -> None:
    """Write the file for its owner only.

    Raises:
        FileExistsError: it exists.
    """
    text = fill_template((REPOSITORY / ".env.example").read_text(encoding="utf-8"))
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def main(arguments: list[str]) -> int:
    """Write the file that the arguments name, `.env` in the repository if none."""
    target = Path(arguments[0]) if arguments else REPOSITORY / ".env"
    try:
        write_env(target)
    except FileExistsError:
        print(
            f"{target} exists and stays as it is: the databases know its passwords. To start over, remove the volumes "
            "(docker compose down --volumes, which deletes all data) and the file first.",
            file=sys.stderr,
        )
        return 1
    print(f"Wrote {target}, readable by you only. Keep a copy where secrets are kept.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
