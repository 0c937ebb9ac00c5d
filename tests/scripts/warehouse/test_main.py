from pathlib import Path

import pytest

from scripts.warehouse import __main__ as command
from scripts.warehouse import contract, dbt, page, semantic


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command write below a temporary folder."""
    for module, name in (
        (contract, "HISTORY"),
        (page, "PAGE"),
        (semantic, "MODEL"),
        (dbt, "SOURCES"),
        (dbt, "EXPOSURES"),
    ):
        monkeypatch.setattr(module, name, tmp_path / getattr(module, name).name)
    monkeypatch.setattr(command, "REPOSITORY", tmp_path)
    return tmp_path


def test_one_command_writes_everything_as_it_is_in_the_repository(elsewhere: Path) -> None:
    kept = [contract.HISTORY.name, page.PAGE.name, semantic.MODEL.name, dbt.SOURCES.name, dbt.EXPOSURES.name]
    assert command.main() == 0
    assert sorted(path.name for path in elsewhere.iterdir()) == sorted(kept)


def test_nothing_is_written_where_a_promise_would_be_broken(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    promised = contract.read_contract()
    less = promised.model_copy(update={"views": {k: v for k, v in promised.views.items() if k != "alert_open"}})
    monkeypatch.setattr(contract, "read_history", lambda: {promised.version: contract.promise_of(promised)})
    monkeypatch.setattr(contract, "read_contract", lambda: less)
    assert command.main() == 1
    assert "alert_open.alert_id" in capsys.readouterr().err
    assert list(elsewhere.iterdir()) == []
