"""The address of the pages in messages; when the task runs, the DAGs' own tests say."""

import pytest


@pytest.fixture(scope="module")
def told(write_problems):
    file = "monitor: {features: [age_years], reference_partitions: 1, tell: {owner: {webhook: hook}}}\n\nexperiment:"
    return write_problems(campaign=("experiment:", file))


@pytest.mark.parametrize(
    ("base_url", "pages_url"),
    [("https://airflow.example.org/team/", "https://airflow.example.org/team/mulgil/reports"), ("", "")],
)
def test_the_pages_address_is_airflows_own_and_none_where_it_has_none(load, told, base_url, pages_url):
    dags = load(told, AIRFLOW__API__BASE_URL=base_url)
    [called] = dags.run("campaign__alert_watch", "tell_alerts")["called"]
    assert called["arguments"]["pages_url"] == pages_url
