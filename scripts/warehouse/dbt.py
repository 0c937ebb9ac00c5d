"""Write `include/bi/dbt/`: the views as sources of a dbt project, and what reads them as exposures.

    make warehouse

A test fails when the files are stale. What does not belong here: a dbt project; copy or link the two files into one.
"""

import re
from typing import Any

import yaml

from include.names import BI
from include.settings import REPOSITORY
from include.warehouse.views import FOLDER, View, read_views
from scripts.warehouse.contract import Contract, read_contract
from scripts.warehouse.semantic import DATABASE

SOURCES = FOLDER / "dbt" / "sources.yml"
EXPOSURES = FOLDER / "dbt" / "exposures.yml"
SOURCE = "mulgil_bi"
_HEAD = "# Written by `make warehouse`; do not edit by hand.\n"
# What reads views, and the folders or files whose queries those are.
_READERS = {
    "pages": ("The pages inside Airflow: Reports, Models and the cards", ["plugins", "include/warehouse"]),
    "summary": ("What `make run` shows at its end", ["scripts/stack/summary.py"]),
    "results": ("docs/results.md", ["scripts/results.py"]),
}

Document = dict[str, Any]


def render_sources() -> str:
    """Render every view as a table of one source, promised ones with their key."""
    contract = read_contract()
    source = {
        "name": SOURCE,
        "database": DATABASE,
        "schema": BI,
        "description": f"The views of Mulgil's warehouse; contract {contract.version} says which are promised.",
        "tables": [_table(view, contract) for view in sorted(read_views(), key=lambda view: view.name)],
    }
    return _dump({"version": 2, "sources": [source]})


def render_exposures() -> str:
    """Render what reads the views, as found in the code."""
    return _dump({"version": 2, "exposures": [_exposure(name, *reader) for name, reader in _READERS.items()]})


def _table(view: View, contract: Contract) -> Document:
    promise = contract.views.get(view.name)
    meta: Document = {"is_promised": promise is not None}
    if promise:
        meta |= {"owner": promise.owner, "key": promise.key, "freshness": promise.freshness}
    columns = [
        {"name": name, "description": said}
        | ({"config": {"meta": {"role": str(promise.columns[name])}}} if promise and name in promise.columns else {})
        for name, said in view.columns.items()
    ]
    header = " ".join(view.header.split())
    return {"name": view.name, "description": header, "config": {"meta": meta}, "columns": columns}


def _exposure(name: str, description: str, places: list[str]) -> Document:
    return {
        "name": f"mulgil_{name}",
        "type": "application",
        "description": description,
        "owner": {"name": "mulgil"},
        "depends_on": [f"source('{SOURCE}', '{view}')" for view in views_read_in(places)],
    }


def views_read_in(places: list[str]) -> list[str]:
    """Find the views that queries below some folders name, in the order of the alphabet."""
    known = {view.name for view in read_views()}
    paths = [REPOSITORY / place for place in places]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))]
    found = {view for file in files for view in re.findall(rf"\b{BI}\.(\w+)", file.read_text(encoding="utf-8"))}
    return sorted(found & known)


def _dump(document: Document) -> str:
    return _HEAD + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
