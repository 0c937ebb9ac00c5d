import subprocess
import sys

import ibis
import pyarrow as pa
import pytest
import sqlglot as sg
import sqlglot.expressions as sge
from sqlglot.generator import Generator

from include.engine.ibis_patches import WithOldNames, mend_drop
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine


def test_a_drop_is_written_alike_by_the_older_key_and_the_newer(mulgil_home):
    mend_drop()
    for dropped in ("t", sg.to_table("t")):
        assert sge.Drop(kind="TABLE", this=dropped, exists=True).sql("duckdb") == "DROP TABLE IF EXISTS t"
    assert sg.parse_one("DROP TABLE IF EXISTS t", read="duckdb").sql("duckdb") == "DROP TABLE IF EXISTS t"


def test_a_drop_is_mended_also_where_sql_was_written_before():
    code = (
        "import sqlglot as sg, sqlglot.expressions as sge; sg.parse_one('SELECT 1').sql('duckdb')\n"
        "from include.engine.ibis_patches import mend_drop; mend_drop()\n"
        "print(sge.Drop(kind='TABLE', this='t', exists=True).sql('duckdb'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("DROP TABLE IF EXISTS t\n", "")


def test_mending_twice_is_mending_once():
    mend_drop()
    mended = Generator.drop_sql
    mend_drop()
    assert Generator.drop_sql is mended


def test_a_missing_hotfix_is_stood_in_for_before_ibis_asks():
    code = (
        "import importlib.util, sys; find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'pyarrow_hotfix' else find(name, *more)\n"
        "from include.engine.ibis_patches import stand_in_for_hotfix; stand_in_for_hotfix()\n"
        "import pyarrow_hotfix; assert not hasattr(pyarrow_hotfix, 'install'), vars(pyarrow_hotfix)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.usefixtures("mulgil_home")
def test_a_stream_comes_in_pieces_and_who_stops_early_leaves_the_engine_usable():
    rows = relation_of_arrow(open_engine(), pa.table({"n": range(10_000)}))
    with rows.to_pyarrow_batches(chunk_size=2_048) as stream:
        assert [stream.read_next_batch().num_rows for _ in range(2)] == [2_048, 2_048]
    with rows.to_pyarrow_batches(limit=3) as stream:
        assert stream.read_all()["n"].to_pylist() == [0, 1, 2]
    assert rows.aggregate(n=ibis._.n.sum()).to_pyarrow()["n"].to_pylist() == [49_995_000]


def test_the_older_names_answer_on_relations_and_results_and_others_pass_through():
    class Held:
        rows = pa.table({"n": [1]})

        def sql(self, _query):
            return self

        execute = sql

        def to_arrow_table(self):
            return self.rows

    old = WithOldNames(Held())
    assert old.sql("q").fetch_arrow_table() is old.execute("q").fetch_arrow_table() is Held.rows
    assert old.rows is Held.rows
    with pytest.raises(AttributeError, match="nothing"):
        _ = old.nothing
