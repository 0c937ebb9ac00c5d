"""The models are one click away, and each DAG's tab opens those of its own problem."""

from model_card_plugin import ModelCardPlugin

from include.names import MODELS_PAGE


def test_the_tab_of_a_dag_asks_for_that_dag() -> None:
    tab = next(view for view in ModelCardPlugin.external_views if view["destination"] == "dag")
    assert tab["href"].format(DAG_ID="campaign__land") == f"{MODELS_PAGE}/?dag=campaign__land"


def test_the_app_answers_where_alerts_and_approvals_point_to() -> None:
    (app,) = ModelCardPlugin.fastapi_apps
    assert app["url_prefix"] == MODELS_PAGE
