from datetime import UTC, datetime
from importlib import import_module

import ibis
import pyarrow as pa
import pytest

from include.engine.ibis_patches import stand_in_for_hotfix
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine

TEXTS = ["1.5", " 7", "x", "\u00c4b1", None]
NUMBERS = [0.5, 1.5, -2.5, float("nan"), None]


@pytest.fixture
def backend():
    """Give the module as `connect` imports it: Ibis asks for a hotfix that nobody needs."""
    stand_in_for_hotfix()
    return import_module("include.engine.spark.backend")


@pytest.mark.usefixtures("each_engine")
def test_texts_numbers_and_order_mean_one_thing_on_both_engines():
    rows = relation_of_arrow(open_engine(), pa.table({"i": range(5), "t": TEXTS, "n": NUMBERS}))
    t, n = rows.t, rows.n
    asked = rows.select(
        "i",
        number=t.try_cast("float64"),
        lower=t.lower(),
        digits=t.re_replace(r"\d", "#"),
        found=t.re_search(r"^\s*\d"),
        whole=ibis.ifelse(n.isnan(), ibis.null("float64"), n).cast("int64"),
        is_there=n.notnull(),
        is_none=n.isnull(),
        is_beyond=(n / 0.25 * 1e308).isinf(),
    )
    answer = asked.order_by("i").drop("i").to_pyarrow().to_pydict()
    assert answer == {
        "number": [1.5, 7.0, None, None, None],
        "lower": ["1.5", " 7", "x", "\u00e4b1", None],
        "digits": ["#.#", " #", "x", "\u00c4b#", None],
        "found": [True, True, False, False, None],
        "whole": [0, 2, -2, None, None],
        "is_there": [True, True, True, True, False],
        "is_none": [False, False, False, False, True],
        "is_beyond": [True, True, True, False, None],
    }


@pytest.mark.usefixtures("each_engine")
def test_the_first_value_by_an_order_is_that_of_the_least_that_is_there():
    rows = relation_of_arrow(open_engine(), pa.table({"at": [3, 1, 2], "v": ["c", None, "b"]}))
    assert rows.aggregate(v=rows.v.first(order_by="at")).to_pyarrow()["v"].to_pylist() == ["b"]


@pytest.mark.usefixtures("each_engine")
def test_times_come_back_in_utc_and_frames_hold_what_tables_hold():
    moment = datetime(2013, 1, 1, 12, tzinfo=UTC)
    rows = relation_of_arrow(open_engine(), pa.table({"at": pa.array([moment], pa.timestamp("us", "UTC"))}))
    assert rows.to_pyarrow()["at"].to_pylist() == [moment]
    assert open_engine().execute(rows)["at"].tolist() == [moment]


def test_only_what_reads_or_writes_a_text_is_asked_of_the_embedded_engine(backend):
    rows = ibis.table({"t": "string", "n": "float64", "i": "int64"})
    embedded = [rows.t.cast("int64"), rows.n.cast("string"), rows.t.try_cast("float64"), rows.t.upper()]
    assert all(backend.is_embedded(value.op()) for value in embedded)
    own = [rows.i.cast("string"), rows.n.cast("int64"), rows.n + 1, rows.t.length()]
    assert not any(backend.is_embedded(value.op()) for value in own)


def test_the_same_operation_has_the_same_name_and_another_constant_another(backend):
    rows = ibis.table({"t": "string", "u": "string"})
    assert backend.embed(rows.t.re_search("a").op()).name == backend.embed(rows.u.re_search("a").op()).name
    assert backend.embed(rows.t.re_search("a").op()).name != backend.embed(rows.t.re_search("b").op()).name
    assert backend.embed(rows.t.re_search("a").op()).arguments == ("arg",)
    assert backend.embed(rows.t.re_search("a").op()).function(pa.array(["cat", "dog", None])).to_pylist() == [
        True,
        False,
        None,
    ]
