#!/usr/bin/env python3
# ruff: noqa: UP032
# Old syntax on purpose: any python3 must be able to read this file, or it cannot say which one is needed.
"""Make the environment `.venv`: find a Python, check the disk, install the pinned requirements.

Belongs here: what must happen before anything is installed, with the standard library alone.
Does not belong here: anything that runs later; that is `scripts/stack`.

Usage: python3 scripts/bootstrap.py run|dev
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 11), (3, 12), (3, 13))
# Measured: the development environment takes 2.0 GB, its package cache as much again; the lake and PostgreSQL 0.5 GB.
NEEDED_GB = 4.0
FILES = {"run": "requirements.txt", "dev": "requirements-dev.txt", "spark": "requirements-spark.txt"}
STAMP = "mulgil.json"


class BootstrapError(Exception):
    """What stands in the way, in one sentence, and what to do about it."""


def say(text: str) -> None:
    """Print one line for the person who waits, at once; on stderr, so that `make info FORMAT=json` stays JSON."""
    print(text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- which Python


def python_version(command: str) -> tuple[int, ...] | None:
    """Return (major, minor, micro) of an interpreter, or None where it does not start or cannot make environments."""
    # venv and ensurepip are packages of their own on Debian, and pyenv's shims exist for versions that do not.
    probe = "import sys, venv, ensurepip; print(*sys.version_info[:3])"
    try:
        answer = subprocess.run([command, "-c", probe], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
        version = tuple(int(part) for part in answer.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return version if answer.returncode == 0 and len(version) == 3 else None


def find_python(current: str = sys.executable) -> tuple[str, str]:
    """Return (path, version) of a supported Python: the one that runs this, else the first on PATH.

    Raises:
        BootstrapError: there is none; the message says which versions work and what was found.
    """
    names = [current, *("python{}.{}".format(*version) for version in SUPPORTED)]
    found = []
    for name in names:
        path = shutil.which(name)
        version = python_version(path) if path else None
        if path and version and version[:2] in SUPPORTED:
            return path, ".".join(str(part) for part in version)
        if version:
            found.append("{} ({}.{}.{})".format(path, *version))
    if sys.version_info[:2] in SUPPORTED:
        raise BootstrapError(
            "Python {}.{} is here, but its modules venv and ensurepip are not. "
            "Install them (on Debian and Ubuntu: apt install python3-venv), then run make again.".format(
                *sys.version_info[:2]
            )
        )
    raise BootstrapError(
        "Mulgil needs Python 3.11, 3.12 or 3.13 with venv; found only {}. "
        "Install one of them so that python3.11, python3.12 or python3.13 is on PATH, then run make again.".format(
            ", ".join(found) or "Python {}.{}".format(*sys.version_info[:2])
        )
    )


# ---------------------------------------------------------------- what is there


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def venv_python(venv: Path) -> Path:
    """Return the interpreter of an environment."""
    return venv / "bin" / "python"


def read_stamp(venv: Path) -> dict[str, Any]:
    """Return what the last finished installation wrote down, or {} where none finished."""
    try:
        return dict(json.loads((venv / STAMP).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def is_current(venv: Path, kind: str, repo: Path = REPO) -> bool:
    """Say whether the environment already holds exactly these pins. Costs two hashes and starts no process."""
    stamp = read_stamp(venv)
    wanted = file_hash(repo / FILES[kind])
    return stamp.get("hashes", {}).get(kind) == wanted and venv_python(venv).exists()


def write_stamp(venv: Path, kind: str, version: str, repo: Path = REPO) -> None:
    """Note which pins are installed; whatever `dev` installs includes `run` and `spark`."""
    hashes = {} if kind == "dev" else dict(read_stamp(venv).get("hashes", {}))
    for name in FILES if kind == "dev" else (kind,):
        hashes[name] = file_hash(repo / FILES[name])
    if kind == "run":
        hashes.pop("dev", None)  # pins may have moved under it
    text = json.dumps({"python": version, "hashes": hashes}, indent=1)
    (venv / (STAMP + ".new")).write_text(text)
    (venv / (STAMP + ".new")).replace(venv / STAMP)


def unfinished_mark(venv: Path) -> Path:
    """Return the file that exists exactly while an environment is being made."""
    return venv.with_name(venv.name + ".unfinished")


def must_be_remade(venv: Path) -> bool:
    """Say whether what is there is the rest of a killed run, or starts no more."""
    if unfinished_mark(venv).exists():
        return True
    return venv.exists() and python_version(str(venv_python(venv))) is None


# ---------------------------------------------------------------- what could go wrong


def check_write(folder: Path) -> None:
    """Raise BootstrapError where files cannot be made in a folder."""
    probe = folder / ".venv.probe-{}".format(os.getpid())
    try:
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise BootstrapError(
            "{} cannot be written ({}). Clone Mulgil into a folder of your own, or ask its owner for write "
            "permission, then run make again.".format(folder, error.strerror)
        ) from error


def check_disk(folder: Path, needed_gb: float = NEEDED_GB) -> None:
    """Raise BootstrapError where the disk has too little room for the environment and the data."""
    free_gb = shutil.disk_usage(str(folder)).free / 1e9
    if free_gb < needed_gb:
        raise BootstrapError(
            "Only {:.1f} GB are free at {}; Mulgil needs {:.0f} GB for its environment, lake and database. "
            "Free some room, or clone it onto a larger disk, then run make again.".format(free_gb, folder, needed_gb)
        )


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Let one bootstrap work at a time; a second waits and says so."""
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another make is making the environment; waiting for it ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# ---------------------------------------------------------------- installing


def pip_options(python: Path) -> dict[str, str]:
    """Return pip's own settings as the variables uv reads: uv does not read pip.conf.

    A machine that reaches packages through a mirror says so to pip; a second place to say it would be forgotten.
    """
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "cert": "SSL_CERT_FILE",
    }
    answer = subprocess.run([str(python), "-m", "pip", "config", "list"], stdout=subprocess.PIPE, check=False)
    options = {}
    for line in answer.stdout.decode(errors="replace").splitlines():
        key, _, value = line.partition("=")
        variable = names.get(key.rpartition(".")[2])
        if variable and variable not in os.environ:
            # A later line (environment) outranks an earlier one (file), as in pip.
            options[variable] = value.strip("'\"").replace("\\n", " ")
    # pip takes the best match of all its indexes; every version here is pinned, so uv may do the same.
    options.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if "UV_FIND_LINKS" in options:  # uv separates by commas, pip by blanks
        options["UV_FIND_LINKS"] = ",".join(options["UV_FIND_LINKS"].split())
    return options


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for installers.

    PYTHONDONTWRITEBYTECODE would make every later start twice as slow; PYTHONPATH and VIRTUAL_ENV point elsewhere.
    """
    drop = ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    env = {key: value for key, value in os.environ.items() if key not in drop}
    env.update(extra or {})
    return env


def pinned_uv(repo: Path = REPO) -> str:
    """Return the lines of requirements.txt that pin uv, with its hashes; raise BootstrapError where none do."""
    lines = (repo / FILES["run"]).read_text().splitlines()
    for start, line in enumerate(lines):
        if line.startswith("uv=="):
            end = start
            while lines[end].endswith("\\"):
                end += 1
            return "\n".join(lines[start : end + 1]) + "\n"
    raise BootstrapError("requirements.txt does not pin uv. Restore the file from git, then run make again.")


def run_tool(command: Sequence[object], what: str, extra: Mapping[str, str] | None = None) -> None:
    """Run an installer quietly; raise BootstrapError with its last lines where it fails."""
    answer = subprocess.run(
        [str(part) for part in command],
        env=clean_environment(extra),
        cwd=str(REPO),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if answer.returncode != 0:
        tail = answer.stdout.decode(errors="replace").strip().splitlines()[-12:]
        raise BootstrapError(
            "{} failed:\n  {}\nCheck that this machine reaches its package index (pip download pip), "
            "then run make again.".format(what, "\n  ".join(tail))
        )


def install(venv: Path, kind: str, repo: Path = REPO) -> None:
    """Install the pinned packages with uv; with pip, some minutes slower, where uv cannot.

    Both refuse a file whose hash is not one of the pinned ones.
    """
    python = venv_python(venv)
    requirements = repo / FILES[kind]
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    uv = venv / "uv.txt"  # pip takes hashes from a file alone
    uv.write_text(pinned_uv(repo))
    run_tool([*pip, "-r", uv], "Installing uv")
    command = [python, "-m", "uv", "pip", "install", "--python", python, "--compile-bytecode", "--quiet"]
    try:
        run_tool([*command, "-r", requirements], "Installing {}".format(requirements.name), pip_options(python))
    except BootstrapError as error:
        say("{}\nTrying once more with pip, which takes some minutes longer ...".format(error))
        run_tool([*pip, "-r", requirements], "Installing {} with pip".format(requirements.name))


def make_environment(venv: Path, kind: str, repo: Path = REPO) -> None:
    """Make or complete the environment; after this it holds the pins, or BootstrapError was raised."""
    started = time.monotonic()
    check_write(repo)
    remake = must_be_remade(venv)
    mark = unfinished_mark(venv)
    if remake:
        say("{} is the rest of a run that was killed, or no longer starts: making it anew.".format(venv.name))
        mark.touch()
        shutil.rmtree(str(venv), ignore_errors=True)
    if not venv.exists():
        check_disk(repo)
        python, version = find_python()
        mark.touch()
        say("Making {} with Python {} ...".format(venv.name, version))
        run_tool([python, "-m", "venv", venv], "Making the environment")
    n_packages = sum("==" in line for line in (repo / FILES[kind]).read_text().splitlines())
    say("Installing {} packages from {} ...".format(n_packages, FILES[kind]))
    install(venv, kind, repo)
    version = ".".join(str(part) for part in python_version(str(venv_python(venv))) or ())
    write_stamp(venv, kind, version, repo)
    mark.unlink(missing_ok=True)
    say("Environment ready in {:.0f} s.".format(time.monotonic() - started))


def wanted_kinds(kind: str, environment: Mapping[str, str]) -> list[str]:
    """Return what must be installed, in order; with MULGIL_ENGINE=spark PySpark is part of what runs."""
    is_spark = environment.get("MULGIL_ENGINE", "").strip() == "spark"
    return [kind, "spark"] if is_spark and kind == "run" else [kind]


def make_current(venv: Path, kind: str) -> None:
    """Install the pins of one kind where they are not there yet."""
    if is_current(venv, kind) and not unfinished_mark(venv).exists():
        return
    check_write(venv.parent)
    with lock(venv.with_name(venv.name + ".lock")):
        if not is_current(venv, kind) or unfinished_mark(venv).exists():
            make_environment(venv, kind)


def main(arguments: list[str]) -> int:
    """Make the environment of the kind asked for, and what the engine needs on top; return the exit code."""
    kind = arguments[0] if arguments else "run"
    if kind not in ("run", "dev"):
        say("Unknown environment {!r}: say run or dev.".format(kind))
        return 2
    venv = Path(os.environ.get("MULGIL_VENV") or REPO / ".venv")
    # A terminated bootstrap must reach `finally` blocks too, and leaves its mark so that the next one starts afresh.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        for wanted in wanted_kinds(kind, os.environ):
            make_current(venv, wanted)
    except BootstrapError as error:
        say("\n{}".format(error))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. The next make starts the environment afresh.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
