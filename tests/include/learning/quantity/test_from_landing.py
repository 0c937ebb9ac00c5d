"""From files in landing to figures: every stage of a quantity, with a text and a hole among its numbers."""

from pathlib import Path

import yaml

from include.problems.reading import load_problem
from include.settings import read_settings
from scripts.try_problem import try_problem
from tests.include.learning.quantity.conftest import BIKES, make_bikes

MONTHS = [f"2013-{number:02d}" for number in range(1, 7)]
PROBLEM = BIKES | {
    "source": BIKES["source"] | {"grain": "month", "format": "csv"},
    "training": BIKES["training"] | {"models": ["linear"], "first": 5, "every": 5},
}


def test_files_become_numbers_intervals_and_a_text_is_counted(house, problems_dir):
    (problems_dir / "bikes.yaml").write_text(yaml.safe_dump(PROBLEM))
    folder = Path(read_settings().landing_url) / "bikes"
    folder.mkdir(parents=True)
    n_unknown = 0
    for month in MONTHS:
        parts = [make_bikes(f"{month}-{day:02d}", n_stations=1) for day in range(1, 26)]
        for number, part in enumerate(parts):
            part["n_out"] = part["n_out"].astype("object").where(part["n_out"].notna(), "")
            if number == 0:
                part.loc[0, "n_out"] = "many"
            n_unknown += int((part["n_out"] == "").sum()) if month == MONTHS[-1] else 0
        text = "".join(p.drop(columns="_key").to_csv(index=False, header=at == 0) for at, p in enumerate(parts))
        (folder / f"{month}.csv").write_text(text)
    said: list[str] = []
    try_problem(load_problem("bikes"), said.append)
    told = "\n".join(said)
    assert "599 rows published, 1 in quarantine" in told
    assert "promoted" in told, told
    with house.engine.connect() as connection:
        months = connection.exec_driver_sql("SELECT partition_key, coverage_ratio FROM core.quantity_quality").all()
        reasons = connection.exec_driver_sql("SELECT n_quarantined FROM core.partition_audit").scalars().all()
        filled = connection.exec_driver_sql("SELECT low, high, unit FROM core.filled_label").all()
    assert [row.partition_key for row in months] == [MONTHS[-1]]
    assert 0.8 < months[0].coverage_ratio < 1
    assert sum(reasons) == len(MONTHS)
    assert len(filled) == n_unknown
    assert all(row.low < row.high and row.unit == "bikes" for row in filled)
