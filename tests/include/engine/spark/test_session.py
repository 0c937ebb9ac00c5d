import os
from dataclasses import replace

import pytest

from include.engine.spark.session import LEAST_MEMORY_MB, forget_parent, options
from include.settings import REPOSITORY, read_settings


def test_spark_is_told_what_its_driver_may_take_and_where_it_spills(mulgil_home):
    settings = replace(read_settings(), engine_memory_mb=2_048, spark_driver_host="10.0.0.7")
    told = options(settings)
    assert told["spark.driver.memory"] == "2048m"
    assert told["spark.driver.host"] == told["spark.driver.bindAddress"] == "10.0.0.7"
    assert told["spark.local.dir"] == str(mulgil_home / "spill")
    assert told["spark.executorEnv.PYTHONPATH"] == str(REPOSITORY)


def test_spark_is_never_given_less_memory_than_it_starts_with(mulgil_home):
    assert options(replace(read_settings(), engine_memory_mb=1))["spark.driver.memory"] == f"{LEAST_MEMORY_MB}m"


@pytest.mark.xdist_group("spark")
def test_an_overflow_is_an_error_and_the_zone_is_utc(spark_engine):
    from pyspark.errors import PySparkException

    with pytest.raises(PySparkException, match="OVERFLOW"):
        spark_engine.session.sql("SELECT CAST(9223372036854775807 AS BIGINT) + 1 AS n").toArrow()
    assert spark_engine.session.sql("SELECT current_timezone() AS z").toArrow()["z"].to_pylist() == ["UTC"]


@pytest.mark.xdist_group("spark")
def test_a_forked_process_forgets_its_parents_spark_and_leaves_it_running(spark_engine):
    child = os.fork()
    if not child:
        from pyspark.core.context import SparkContext
        from pyspark.sql import SparkSession

        known = (SparkContext._gateway, SparkContext._active_spark_context, SparkSession._instantiatedSession)
        os._exit(0 if known == (None, None, None) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert spark_engine.session.range(3).count() == 3


def test_a_process_that_never_started_spark_has_nothing_to_forget():
    child = os.fork()
    if not child:
        from pyspark.core.context import SparkContext

        SparkContext._gateway = None
        forget_parent()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
