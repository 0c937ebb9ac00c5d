"""The decision service's commands: run it, make a key for a program, show the public half of the signing key.

python -m scripts.serve run [--host 127.0.0.1] [--port 8090]
python -m scripts.serve key NAME [--scopes evaluate,decide] [--per-second 5000]
python -m scripts.serve public-key
"""

import argparse
import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from include.errors import MulgilError
from include.serving import access
from include.serving.refusals import StateInUse
from include.serving.service import KEYS_FILE, Pace, Service
from include.serving.signing import find_public_key, write_public_key
from include.settings import read_settings
from scripts.stack.home import find_home
from scripts.stack.keys import make_keys
from scripts.stack.stack import Stack

HOST, PORT = "127.0.0.1", 8090


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep the folder of a service's state for this process alone; the lock ends with it, however that ends.

    Raises:
        StateInUse: another one has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StateInUse(
                f"Another service keeps its state in {folder}. Stop it, or give this one a folder of its own: --folder."
            ) from error
        yield


def borrow_stack() -> None:
    """Take what this home's stack has made up (addresses, keys) where the environment names no warehouse of its own.

    Nothing is started: without the stack the service answers from what it read last.
    """
    home = find_home()
    if os.environ.get("MULGIL_WAREHOUSE_URL") or not home.secrets.exists():
        return
    stack = Stack(home, make_keys(home.secrets))
    if stack.postgres.is_running():
        stack.postgres.start()  # reads the port of the running server; starts nothing
    own = stack.environment(is_demo_reviewer_on=False)
    os.environ.update({name: value for name, value in own.items() if name.startswith("MULGIL_")})


def run(arguments: argparse.Namespace) -> int:
    """Answer until somebody stops it."""
    import uvicorn

    from include.serving.web.app import make_app

    folder = Path(arguments.folder)
    with held(folder):
        service = Service(read_settings(), folder, Pace(reload_s=arguments.reload_s, ship_s=arguments.ship_s))
        print(f"http://{arguments.host}:{arguments.port} answers; keys: make serve-key NAME=name.", flush=True)
        uvicorn.run(
            make_app(service),
            host=arguments.host,
            port=arguments.port,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    return 0


def make_key(arguments: argparse.Namespace) -> int:
    """Make a key, and show it this once."""
    path = Path(arguments.folder) / KEYS_FILE
    secret = access.add_key(path, arguments.name, arguments.scopes.split(","), arguments.per_second)
    print(secret)
    print(f"Shown this once; {path} keeps its hash, and a running service knows it within a minute.", file=sys.stderr)
    return 0


def show_public_key(_: argparse.Namespace) -> int:
    """Show what MULGIL_VERIFY_KEY is to be where the secret is not wanted."""
    settings = read_settings()
    print(write_public_key(find_public_key(settings.signing_key, settings.verify_key)))
    return 0


def read_arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m scripts.serve", description=__doc__)
    parser.add_argument("--folder", default=str(read_settings().home / "serving"), help="of the service's own state")
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("--host", default=HOST)
    one.add_argument("--port", type=int, default=PORT)
    one.add_argument("--reload-s", type=float, default=Pace.reload_s, help="seconds between two readings of everything")
    one.add_argument("--ship-s", type=float, default=Pace.ship_s, help="seconds between two batches to landing")
    one.set_defaults(do=run)
    two = commands.add_parser("key")
    two.add_argument("name")
    two.add_argument("--scopes", default="evaluate,decide")
    two.add_argument("--per-second", type=float, default=access.DEFAULT_PER_SECOND)
    two.set_defaults(do=make_key)
    commands.add_parser("public-key").set_defaults(do=show_public_key)
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Do one command; return the exit code."""
    # Libraries that each take every core only get in each other's way: one row is nothing to divide.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    borrow_stack()
    arguments = read_arguments(words)
    try:
        return int(arguments.do(arguments))
    except MulgilError as error:
        print(f"{error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
