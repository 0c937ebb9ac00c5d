"""Puts model cards into Airflow's navigation and beside each DAG: names and addresses only, the pages lie in
`model_card/`."""

from airflow.plugins_manager import AirflowPlugin

from pages.on_demand import OnDemandApp


class ModelCardPlugin(AirflowPlugin):
    """The model cards and what-if pages, for people who have to trust a model."""

    name = "mulgil_model_cards"
    fastapi_apps = [  # noqa: RUF012 - Airflow reads a plain class attribute
        {
            "name": "Mulgil Model cards",
            "app": OnDemandApp("model_card.app", "create_app"),
            "url_prefix": "/mulgil/models",
        }
    ]
    external_views = [  # noqa: RUF012
        {
            "name": "Models",
            "href": "/mulgil/models/",
            "destination": "nav",
            "url_route": "models",
            "category": "mulgil",
            "icon": "/mulgil/models/icon.svg",
        },
        {
            "name": "Models",
            "href": "/mulgil/models/?dag={DAG_ID}",
            "destination": "dag",
            "url_route": "models-of-dag",
            "icon": "/mulgil/models/icon.svg",
        },
    ]
