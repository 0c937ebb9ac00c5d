"""What is written from the tables and views is what they say now: it stands here because any room can make it stale."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.warehouse import dbt, page, semantic

GENERATED: dict[Path, Callable[[], str]] = {
    page.PAGE: page.render,
    semantic.MODEL: semantic.render,
    dbt.SOURCES: dbt.render_sources,
    dbt.EXPOSURES: dbt.render_exposures,
}


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.name)
def test_a_file_made_from_tables_and_views_is_not_stale(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == GENERATED[path](), "run `make warehouse`"
