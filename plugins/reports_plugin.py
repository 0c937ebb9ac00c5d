"""Puts the Reports page into Airflow's navigation: names and addresses only, the page itself lies in `reports/`."""

from airflow.plugins_manager import AirflowPlugin

from include.names import REPORTS_PAGE
from pages.on_demand import OnDemandApp


class ReportsPlugin(AirflowPlugin):
    """The Reports page, for people who look rather than query."""

    name = "mulgil_reports"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {"name": "Mulgil Reports", "app": OnDemandApp("reports.app", "create_app"), "url_prefix": REPORTS_PAGE}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Reports",
            "href": f"{REPORTS_PAGE}/",
            "destination": "nav",
            "url_route": "reports",
            "nav_top_level": True,  # two pages or more would else hide behind a menu
            "icon": f"{REPORTS_PAGE}/icon.svg",
        },
        {
            "name": "Data Docs",
            "href": f"{REPORTS_PAGE}/audits/{{DAG_ID}}",
            "destination": "dag",
            "url_route": "data_docs",
        },
    ]
