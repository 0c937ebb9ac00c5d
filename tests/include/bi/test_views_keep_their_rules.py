import re

import pytest
from sqlalchemy import text

from include.warehouse.views import read_views

VIEWS = {view.name: view for view in read_views()}
KEYWORDS = r"\b(select|from|where|group by|order by|join|left|on|and|or|case|when|then|else|end|as|sum|count|with)\b"

# What a number may be counted in, or how it is known to be in nothing.
UNIT = (
    r"count|rows\b|0\.\.|-1\.\.1|from [01]\b|1 (matters|moved)|nats|log-odds|second|hours|bytes|\bunit\b|value_unit"
    r"|\w+'s unit|factor"
)


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


def test_a_column_that_is_a_number_or_a_time_says_its_unit(read, house):
    query = """
        SELECT table_name, column_name, data_type
        FROM information_schema.columns
        WHERE table_schema = 'bi' AND data_type NOT IN ('text', 'boolean', 'jsonb')
    """
    with house.engine.connect() as connection:
        columns = connection.execute(text(query)).all()
    without = {
        f"{view}.{column}": VIEWS[view].columns[column]
        for view, column, kind in columns
        if not re.search({"date": "day"}.get(kind, "UTC" if "time" in kind else UNIT), VIEWS[view].columns[column])
    }
    assert without == {}
    assert len(columns) > 400
