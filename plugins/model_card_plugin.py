"""Puts model cards into Airflow's navigation and beside each DAG: names and addresses only, the pages lie in
`model_card/`."""

from airflow.plugins_manager import AirflowPlugin

from include.names import MODELS_PAGE
from pages.on_demand import OnDemandApp


class ModelCardPlugin(AirflowPlugin):
    """The model cards and what-if pages, for people who have to trust a model."""

    name = "mulgil_model_cards"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {
            "name": "Mulgil Model cards",
            "app": OnDemandApp("model_card.app", "create_app"),
            "url_prefix": MODELS_PAGE,
        }
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Models",
            "href": f"{MODELS_PAGE}/",
            "destination": "nav",
            "url_route": "models",
            "nav_top_level": True,  # two pages or more would else hide behind a menu
            "icon": f"{MODELS_PAGE}/icon.svg",
        },
        {
            "name": "Models",
            "href": f"{MODELS_PAGE}/?dag={{DAG_ID}}",
            "destination": "dag",
            "url_route": "models-of-dag",
            "icon": f"{MODELS_PAGE}/icon.svg",
        },
    ]
