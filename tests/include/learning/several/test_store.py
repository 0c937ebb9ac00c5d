from sqlalchemy import func, select

from include.learning.several.store import save_classes
from include.warehouse.tables.classes import CLASS_METRIC, CONFUSION

VERSION = {"problem": "p", "model_version": "v1"}
METRIC = {"candidate": "m", "class_name": "a", "metric": "auc", "value": 0.5, "low": None, "high": None, "n_rows": 3}
MIXED = {"true_class": "a", "said_class": "b", "n_rows": 1, "share_ratio": 0.5, "low": 0.1, "high": 0.9}


def test_writing_a_version_again_replaces_its_rows_and_no_others(house):
    for row in (VERSION, VERSION, VERSION | {"model_version": "v2"}):
        with house.engine.begin() as connection:
            save_classes(connection, row, [METRIC], [MIXED])
    with house.engine.connect() as connection:
        counts = [connection.scalar(select(func.count()).select_from(table)) for table in (CLASS_METRIC, CONFUSION)]
    assert counts == [2, 2]
