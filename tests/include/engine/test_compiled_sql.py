import importlib.util
from pathlib import Path

import ibis
import pytest

from include.engine import compiled_sql
from include.engine.compiled_sql import compile_once


@pytest.fixture
def asked(house):
    """Give a function that asks for a query, and the list of those that were written."""
    written = []

    def ask(about, name="q", value="1"):
        def write():
            written.append(about)
            return ibis.table({"a": "int64"}, name="t").mutate(b=ibis.literal(value))

        return compile_once(name, about, write)

    return ask, written


def kept(house):
    return sorted(path.name for path in (house.home / "sql").iterdir())


def test_a_query_is_written_once_for_what_it_is_about(asked, house):
    ask, written = asked
    texts = [ask("x", value="line\r\nand \ue000 half") for _ in range(3)]
    assert (len(set(texts)), written) == (1, ["x"])
    assert "line\r\nand \ue000 half" in texts[0]
    assert len(kept(house)) == 1


def test_another_definition_is_written_anew_and_takes_the_place_of_the_one_before(asked, house):
    ask, written = asked
    before = ask("x", value="1")
    assert ask("y", value="2") != before
    ask("x", name="other")
    assert written == ["x", "y", "x"]
    assert [name.split(".")[0] for name in kept(house)] == ["other", "q"]


@pytest.mark.parametrize("damage", [b"", b"SELECT 1", b"SELECT 1\n0000"])
def test_a_text_that_is_not_whole_is_written_again(asked, house, damage):
    ask, written = asked
    text = ask("x")
    (place,) = (house.home / "sql").iterdir()
    place.write_bytes(damage)
    assert (ask("x"), ask("x"), written) == (text, text, ["x", "x"])


def test_where_nothing_can_be_kept_the_query_is_written_each_time(asked, house):
    ask, written = asked
    (house.home / "sql").write_text("a file in the way")
    assert ask("x") == ask("x")
    assert written == ["x", "x"]


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """Load the code that keeps queries in a copy of its files, and give it with a file of them that can be edited."""
    code = tmp_path / "include" / "engine" / "relations.py"
    code.parent.mkdir(parents=True)
    for path in ("lake", "problems", "names.py", "partition_keys.py", "row_key.py"):
        (tmp_path / "include" / path).touch()
    code.write_text("before")
    monkeypatch.setattr("include.settings.REPOSITORY", tmp_path)
    spec = importlib.util.spec_from_file_location("copy_of_compiled_sql", Path(compiled_sql.__file__))
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy, code


def test_what_older_code_writes_after_an_edit_is_not_kept(house, edited):
    copy, code = edited
    code.write_text("after")
    for _ in range(2):
        assert "SELECT" in copy.compile_once("q", "x", lambda: ibis.table({"a": "int64"}, name="t"))
    assert not (house.home / "sql").exists()
    code.write_text("before")
    copy.compile_once("q", "x", lambda: ibis.table({"a": "int64"}, name="t"))
    assert len(kept(house)) == 1


def test_what_was_kept_before_an_edit_is_of_the_code_in_memory(house, edited):
    copy, code = edited
    text = copy.compile_once("q", "x", lambda: ibis.table({"a": "int64"}, name="t"))
    code.write_text("after")
    assert copy.compile_once("q", "x", lambda: ibis.table({"b": "int64"}, name="t")) == text
