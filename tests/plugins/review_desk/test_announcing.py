"""What Airflow does not take is announced later: the answers are stored, and the batch says that nobody was told."""

import pytest
from sqlalchemy import Engine

from include.names import labels_asset
from include.warehouse.tables.review import REVIEW_BATCH
from review_desk import announcing
from tests.laid_desk import BATCH, PROBLEM, lay_out, make_choice, rows


def test_a_batch_that_airflow_was_told_of_is_marked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(announcing, "_register", lambda asset, key: told.append((asset, key)))
    lay_out(engine, [make_choice(1)])
    assert announcing.announce_labels(engine, PROBLEM, BATCH)
    assert told == [(labels_asset(PROBLEM), BATCH)]
    assert rows(engine, REVIEW_BATCH)[0]["announced_at_utc"] is not None


def test_whatever_is_wrong_with_airflow_never_looks_as_if_answers_were_lost(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(asset: str, key: str) -> None:
        raise LookupError(f"Airflow knows no asset {asset!r}")

    monkeypatch.setattr(announcing, "_register", refuse)
    lay_out(engine, [make_choice(1)])
    assert not announcing.announce_labels(engine, PROBLEM, BATCH)
    assert rows(engine, REVIEW_BATCH)[0]["announced_at_utc"] is None
