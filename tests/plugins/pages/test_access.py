"""Who may see a problem's first DAG may read its reports, and nobody else."""

from types import SimpleNamespace
from typing import Any

import pytest

from pages import access


@pytest.mark.parametrize("may_see", [True, False])
def test_the_right_to_read_a_problem_is_the_right_to_see_its_first_dag(
    monkeypatch: pytest.MonkeyPatch, may_see: bool
) -> None:
    asked: list[tuple[Any, ...]] = []

    def is_authorized_dag(*, method: str, details: Any, user: Any) -> bool:
        asked.append((method, details.id, user))
        return may_see

    manager = SimpleNamespace(is_authorized_dag=is_authorized_dag)
    monkeypatch.setattr(access, "get_auth_manager", lambda: manager)
    assert access.may_read("ada", "campaign") is may_see  # type: ignore[arg-type]
    assert asked == [("GET", "campaign__land", "ada")]
