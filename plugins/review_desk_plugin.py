"""Puts the Review desk into Airflow's navigation: names and addresses only, the page itself lies in `review_desk/`."""

from airflow.plugins_manager import AirflowPlugin

from pages.on_demand import OnDemandApp


class ReviewDeskPlugin(AirflowPlugin):
    """The Review desk, for people who answer."""

    name = "mulgil_review_desk"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {
            "name": "Mulgil Review desk",
            "app": OnDemandApp("review_desk.app", "create_app"),
            "url_prefix": "/mulgil/desk",
        }
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Desk",
            "href": "/mulgil/desk/",
            "destination": "nav",
            "url_route": "desk",
            "nav_top_level": True,  # two pages or more would else hide behind a menu
            "icon": "/mulgil/desk/static/icon.svg",
        }
    ]
