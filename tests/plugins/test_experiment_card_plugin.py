"""The Experiments page is one click away."""

from experiment_card_plugin import ExperimentCardPlugin

from include.names import EXPERIMENTS_PAGE


def test_the_app_answers_below_the_address_that_the_view_opens() -> None:
    (app,) = ExperimentCardPlugin.fastapi_apps
    (view,) = ExperimentCardPlugin.external_views
    assert app["url_prefix"] == EXPERIMENTS_PAGE
    assert view["href"] == f"{EXPERIMENTS_PAGE}/"
