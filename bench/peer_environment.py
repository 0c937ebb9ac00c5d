"""Environments of their own for the peers that a measurement is compared with: they want other versions than we do."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from include.settings import REPOSITORY

PEERS = Path(__file__).parent / "peers"


def peer_python(name: str, *, with_dependencies: bool = True) -> Path:
    """Return the interpreter of a peer's environment, made from `bench/peers/<name>.txt` at first use.

    Args:
        name: of the file.
        with_dependencies: whether what the pinned packages want comes with them; else only what the file names.

    Raises:
        CalledProcessError: the pinned packages cannot be installed; pip has said why.
    """
    pins = PEERS / f"{name}.txt"
    folder = REPOSITORY / ".mulgil" / "peers" / f"{name}-{sha256(pins.read_bytes()).hexdigest()[:8]}"
    python = folder / "bin" / "python"
    finished = folder / "finished"
    if not finished.exists():
        print(f"Making an environment for {name} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        alone = [] if with_dependencies else ["--no-deps"]
        install = [python, "-m", "pip", "install", "--disable-pip-version-check", "-q", *alone, "-r", pins]
        subprocess.run(install, check=True)
        finished.touch()
    return python
