"""Whether what MULGIL_ENGINE asks for is there: asked before anything starts, not by each task after three tries."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts.stack.errors import StackError

SPARK = "spark"
NEEDED_JAVA = 17  # of Spark 4


def find_java(environment: Mapping[str, str]) -> str | None:
    """Return the Java that Spark would start: JAVA_HOME's, else the first on PATH; None without one."""
    home = environment.get("JAVA_HOME")
    return shutil.which(str(Path(home) / "bin" / "java") if home else "java", path=environment.get("PATH"))


def read_java_version(java: str) -> int | None:
    """Return a Java's feature release, such as 17; None where it does not say."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(found.group(1)) if found else None


def require_engine(engine: str, environment: Mapping[str, str] | None = None) -> None:
    """Refuse an engine that cannot start here.

    Args:
        engine: `duckdb` or `spark`.
        environment: names to values; the process's own when None.

    Raises:
        StackError: Spark is asked for, and PySpark or a Java that it runs on is missing.
    """
    if engine != SPARK:
        return
    env = os.environ if environment is None else environment
    for package in ("pyspark", "grpc_status"):  # without the second, PySpark ends its process without a word
        if importlib.util.find_spec(package) is None:
            raise StackError(
                f"MULGIL_ENGINE is spark, and the package {package} is not installed. make run installs "
                "requirements-spark.txt where MULGIL_ENGINE=spark is set for it, too; else unset MULGIL_ENGINE."
            )
    java = find_java(env)
    version = read_java_version(java) if java else None
    if version is None or version < NEEDED_JAVA:
        place = f"JAVA_HOME ({env['JAVA_HOME']})" if env.get("JAVA_HOME") else "PATH"
        found = f"{java} is release {version or 'unknown'}" if java else f"there is no java in {place}"
        raise StackError(
            f"MULGIL_ENGINE is spark, which needs Java {NEEDED_JAVA} or newer; {found}. Install it (on Debian and "
            "Ubuntu: apt install openjdk-17-jre-headless) or point JAVA_HOME at it; else unset MULGIL_ENGINE."
        )
