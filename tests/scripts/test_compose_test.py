"""What can be asked of `make compose-test` without an engine: its questions, its words, which container is well."""

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from scripts import compose_test


def test_every_question_can_be_asked_of_a_warehouse_and_equal_ones_say_nothing(migrated_warehouse_url: str):
    assert compose_test.compare(migrated_warehouse_url, migrated_warehouse_url) == []


def test_a_figure_that_differs_between_two_stacks_is_told_with_its_row(warehouse_url: str, migrated_warehouse_url: str):
    for url, n_flights in ((warehouse_url, 7), (migrated_warehouse_url, 8)):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(
                text("CREATE TABLE public.figure AS SELECT 'flights' AS problem, :n AS n"), {"n": n_flights}
            )
        engine.dispose()
    question = {"figures": "SELECT * FROM public.figure"}
    assert compose_test.compare(warehouse_url, migrated_warehouse_url, question) == [
        "figures: 2 rows differ, such as ('flights', 7)"
    ]
    twice = {"figures": "SELECT * FROM public.figure UNION ALL SELECT * FROM public.figure WHERE n = 7"}
    assert compose_test.compare(warehouse_url, warehouse_url, twice) == []
    as_one = {"figures": "SELECT 1 FROM public.figure, generate_series(7, n)"}
    assert compose_test.compare(warehouse_url, migrated_warehouse_url, as_one) == [
        "figures: 1 rows differ, such as (1,)"
    ]


@pytest.mark.parametrize(
    ("state", "is_well"),
    [
        ({"Status": "running", "Health": {"Status": "healthy"}}, True),
        ({"Status": "running", "Health": {"Status": "starting"}}, False),
        ({"Status": "exited", "ExitCode": 0}, True),
        ({"Status": "exited", "ExitCode": 1}, False),
        ({"Status": "exited", "ExitCode": 0, "Health": {"Status": "unhealthy"}}, False),
        ({"Status": "running", "ExitCode": 0}, False),
    ],
)
def test_a_container_is_well_when_healthy_or_ended_well(state: dict[str, object], is_well: bool):
    assert compose_test._is_well(state) is is_well


def test_a_machine_without_an_engine_is_told_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    words = "missing here: dockerd, docker, docker-compose, debootstrap"
    with pytest.raises(compose_test.Failed, match=words), compose_test.engine(tmp_path):
        pass
