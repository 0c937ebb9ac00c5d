import yaml

from include.warehouse.views import read_views
from scripts.warehouse import dbt
from scripts.warehouse.contract import read_contract


def test_every_view_is_a_source_and_the_promised_ones_have_their_key() -> None:
    (source,) = yaml.safe_load(dbt.render_sources())["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    assert tables.keys() == {view.name for view in read_views()}
    keys = {
        name: table["config"]["meta"]["key"] for name, table in tables.items() if table["config"]["meta"]["is_promised"]
    }
    assert keys == {name: view.key for name, view in read_contract().views.items()}


def test_an_exposure_depends_on_the_views_that_its_code_names_and_no_other() -> None:
    exposures = {one["name"]: one for one in yaml.safe_load(dbt.render_exposures())["exposures"]}
    summary = exposures["mulgil_summary"]["depends_on"]
    assert "source('mulgil_bi', 'experiment_result')" in summary
    assert "source('mulgil_bi', 'data_docs')" not in summary
    assert all(one["depends_on"] for one in exposures.values())
