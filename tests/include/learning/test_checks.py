from dataclasses import fields

from include.learning.checks import Check
from include.warehouse.tables.learning import GATE_CHECK


def test_a_check_has_every_column_of_its_table_but_the_version():
    kept = {column.name for column in GATE_CHECK.columns} - {"problem", "model_version"}
    assert {field.name for field in fields(Check)} == kept
