import os
import subprocess
import sys
from datetime import UTC, datetime

import ibis
import pyarrow as pa
import pytest

from include.engine import session
from include.engine.session import open_engine
from include.errors import BadSettings


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MULGIL_HOME", str(tmp_path))
    return tmp_path


def test_one_process_has_one_engine():
    assert open_engine() is open_engine()


def test_the_engine_keeps_time_in_utc_whatever_the_machine_says():
    ((shown,),) = open_engine().raw_sql("SELECT CAST(TIMESTAMPTZ '2013-01-01T00:30:00+02:00' AS VARCHAR)").fetchall()
    assert shown == "2012-12-31 22:30:00+00"
    ((day,),) = open_engine().raw_sql("SELECT date_trunc('day', TIMESTAMPTZ '2013-01-01T00:30:00+02:00')").fetchall()
    assert day == datetime(2012, 12, 31, tzinfo=UTC)


def test_the_engine_spills_below_the_home_folder(home):
    ((folder,),) = open_engine().raw_sql("SELECT current_setting('temp_directory')").fetchall()
    assert folder == str(home / "spill")


def test_the_engine_takes_no_more_threads_than_the_process_may():
    ((threads,),) = open_engine().raw_sql("SELECT current_setting('threads')").fetchall()
    assert threads == len(os.sched_getaffinity(0))


def test_another_process_gets_another_engine(home):
    ours = session._engine_of(os.getpid(), str(home / "spill"), 256)
    assert session._engine_of(os.getpid() + 1, str(home / "spill"), 256) is not ours


def test_spark_without_its_package_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    monkeypatch.setattr(session, "_SPARK", {})
    monkeypatch.setitem(sys.modules, "include.engine.spark.backend", None)
    with pytest.raises(BadSettings, match=r"PySpark is not installed.*requirements-spark\.txt"):
        open_engine()


def test_spark_without_java_is_refused_with_what_it_needs(home):
    """In a process of its own: Spark, once started, is there for good."""
    code = "from include.engine.session import open_engine\nopen_engine()"
    environment = os.environ | {"MULGIL_ENGINE": "spark", "MULGIL_HOME": str(home), "JAVA_HOME": str(home / "nowhere")}
    refused = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "BadSettings: Spark does not start at MULGIL_SPARK_MASTER='local[*]'" in refused.stderr
    assert "needs a Java runtime, 17 or newer" in refused.stderr


def test_rows_come_back_whole_and_in_batches():
    numbers = open_engine().sql("SELECT * FROM range(5) AS r(n)")
    assert numbers.alias("numbers").sql("SELECT sum(n) AS total FROM numbers").to_pyarrow().to_pydict() == {
        "total": [10]
    }
    assert [batch.num_rows for batch in numbers.to_pyarrow_batches(chunk_size=5)] == [5]
    assert isinstance(open_engine().list_tables(), list)


def test_tables_of_the_session_are_made_cached_and_dropped():
    engine = open_engine()
    made = engine.create_table("made_here", pa.table({"n": [1, 2]}), temp=True)
    with made.mutate(twice=made.n * 2).cache() as cached:
        assert cached.twice.sum().to_pyarrow().as_py() == 6
    engine.drop_table("made_here")
    assert "made_here" not in engine.list_tables()


def test_rows_of_memory_and_pandas_can_be_asked():
    rows = ibis.memtable(pa.table({"n": [1, 2], "s": ["a", None]}))
    assert open_engine().execute(rows.n.sum()) == 3
    assert open_engine().execute(rows)["s"].tolist()[0] == "a"


def test_it_holds_no_more_in_memory_than_it_is_allowed(home, monkeypatch):
    monkeypatch.setenv("MULGIL_ENGINE_MEMORY_MB", "200")
    limit = session.open_engine().raw_sql("SELECT current_setting('memory_limit')").fetchall()
    assert limit == [("200.0 MiB",)]


@pytest.mark.parametrize("text", ["0", "64", "1GB", "-1", "1.5"])
def test_a_memory_that_cannot_be_meant_is_refused(monkeypatch, text):
    monkeypatch.setenv("MULGIL_ENGINE_MEMORY_MB", text)
    with pytest.raises(BadSettings, match="MULGIL_ENGINE_MEMORY_MB"):
        session.read_settings()
