"""Puts the Experiments page into Airflow's navigation: names and addresses only, the page lies in
`experiment_card/`."""

from airflow.plugins_manager import AirflowPlugin

from include.names import EXPERIMENTS_PAGE
from pages.on_demand import OnDemandApp


class ExperimentCardPlugin(AirflowPlugin):
    """The Experiments page, for people who decide what other people get."""

    name = "mulgil_experiments"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {
            "name": "Mulgil Experiments",
            "app": OnDemandApp("experiment_card.app", "create_app"),
            "url_prefix": EXPERIMENTS_PAGE,
        }
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Experiments",
            "href": f"{EXPERIMENTS_PAGE}/",
            "destination": "nav",
            "url_route": "experiments",
            "nav_top_level": True,  # two pages or more would else hide behind a menu
            "icon": f"{EXPERIMENTS_PAGE}/icon.svg",
        }
    ]
