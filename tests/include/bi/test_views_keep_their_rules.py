import re

import pytest

from include.warehouse.views import read_views

VIEWS = {view.name: view for view in read_views()}
KEYWORDS = r"\b(select|from|where|group by|order by|join|left|on|and|or|case|when|then|else|end|as|sum|count|with)\b"


@pytest.mark.parametrize("name", VIEWS)
def test_a_header_says_grain_what_is_read_and_units(name):
    header = VIEWS[name].header
    assert [word for word in ("Grain:", "Reads:", "Units:") if word not in header] == []
    said = set(re.findall(r"\b(?:core|bi)\.\w+", header.split("Units:")[0]))
    read = set(re.findall(r"(?:FROM|JOIN) ((?:core|bi)\.\w+)", VIEWS[name].select))
    assert said == read


@pytest.mark.parametrize("name", VIEWS)
def test_keywords_are_upper_case_and_no_column_is_taken_by_a_bare_star(name):
    assert re.findall(KEYWORDS, VIEWS[name].select) == []
    assert re.findall(r"SELECT\s+\*|^\s+\*,?$", VIEWS[name].select, flags=re.MULTILINE) == []


@pytest.mark.parametrize("name", VIEWS)
def test_an_empty_warehouse_gives_an_empty_view(read, name):
    assert read(name, "problem", by="problem") == []
