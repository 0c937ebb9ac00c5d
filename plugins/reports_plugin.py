"""Puts the Reports page into Airflow's navigation: names and addresses only, the page itself lies in `reports/`."""

from airflow.plugins_manager import AirflowPlugin

from pages.on_demand import OnDemandApp


class ReportsPlugin(AirflowPlugin):
    """The Reports page, for people who look rather than query."""

    name = "mulgil_reports"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {"name": "Mulgil Reports", "app": OnDemandApp("reports.app", "create_app"), "url_prefix": "/mulgil/reports"}
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Reports",
            "href": "/mulgil/reports/",
            "destination": "nav",
            "url_route": "reports",
            "nav_top_level": True,  # two pages or more would else hide behind a menu
            "icon": "/mulgil/reports/icon.svg",
        },
        {
            "name": "Data Docs",
            "href": "/mulgil/reports/audits/{DAG_ID}",
            "destination": "dag",
            "url_route": "data_docs",
        },
    ]
