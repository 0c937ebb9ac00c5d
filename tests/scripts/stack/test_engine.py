"""Whether Spark could start, asked before anything does."""

from pathlib import Path

import pytest

from scripts.stack import engine
from scripts.stack.errors import StackError


def make_java(folder: Path, said: str) -> dict[str, str]:
    """Write a program that answers as `java -version` does."""
    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    return {"JAVA_HOME": str(folder), "PATH": "/usr/bin:/bin"}


def test_duckdb_needs_neither_java_nor_pyspark():
    engine.require_engine("duckdb", {"PATH": ""})


@pytest.mark.parametrize("said", ['openjdk version "17.0.9" 2023-10-17', 'openjdk version "25" 2025-09-16'])
def test_spark_starts_on_java_17_and_newer(tmp_path: Path, said: str):
    engine.require_engine("spark", make_java(tmp_path / "java", said))


@pytest.mark.parametrize(
    ("said", "release"),
    [('java version "1.8.0_292"', "8"), ('openjdk version "11.0.2"', "11"), ("segfault", "unknown")],
)
def test_an_older_java_is_refused_with_its_release(tmp_path: Path, said: str, release: str):
    with pytest.raises(StackError, match=f"needs Java 17 or newer; .*java is release {release}.*apt install"):
        engine.require_engine("spark", make_java(tmp_path / "java", said))


def test_no_java_at_all_is_refused_with_where_it_was_looked_for(tmp_path: Path):
    with pytest.raises(StackError, match="there is no java in PATH"):
        engine.require_engine("spark", {"PATH": str(tmp_path)})
    with pytest.raises(StackError, match=r"there is no java in JAVA_HOME \(/nowhere\)"):
        engine.require_engine("spark", {"PATH": "/usr/bin:/bin", "JAVA_HOME": "/nowhere"})


def test_a_missing_pyspark_is_refused_with_who_installs_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(StackError, match=r"pyspark is not installed\. make run installs requirements-spark.txt"):
        engine.require_engine("spark", {})
