"""The Reports page is one click away, and each DAG's tab opens its own problem's Data Docs."""

from reports_plugin import ReportsPlugin


def test_the_tab_of_a_dag_asks_for_that_dag() -> None:
    tab = next(view for view in ReportsPlugin.external_views if view["destination"] == "dag")
    assert tab["href"].format(DAG_ID="flight_delay__ingest") == "/mulgil/reports/audits/flight_delay__ingest"


def test_the_app_answers_below_the_address_that_the_views_open() -> None:
    (app,) = ReportsPlugin.fastapi_apps
    assert all(view["href"].startswith(f"{app['url_prefix']}/") for view in ReportsPlugin.external_views)
