"""Every page of ours is one click away in Airflow's navigation, and each address is used once."""

from airflow.api_fastapi.core_api.datamodels.plugins import ExternalViewResponse
from experiment_card_plugin import ExperimentCardPlugin
from model_card_plugin import ModelCardPlugin
from reports_plugin import ReportsPlugin
from review_desk_plugin import ReviewDeskPlugin

PLUGINS = [ExperimentCardPlugin, ModelCardPlugin, ReportsPlugin, ReviewDeskPlugin]
VIEWS = [ExternalViewResponse.model_validate(view) for plugin in PLUGINS for view in plugin.external_views]


def test_no_page_hides_behind_a_menu() -> None:
    """Airflow puts two or more pages that do not ask for the top level into one."""
    shown = {view.name: view.nav_top_level for view in VIEWS if view.destination == "nav"}
    assert shown == {"Experiments": True, "Models": True, "Reports": True, "Desk": True}


def test_no_two_views_share_an_address_and_each_opens_its_own_app() -> None:
    assert len({view.url_route for view in VIEWS}) == len(VIEWS)
    prefixes = [app["url_prefix"] for plugin in PLUGINS for app in plugin.fastapi_apps]
    assert len(set(prefixes)) == len(PLUGINS)
    assert all(any(view.href.startswith(f"{prefix}/") for prefix in prefixes) for view in VIEWS)
