"""Write `docs/warehouse.md`: every table and view with its columns, their units and keys, and what hangs on what.

    make warehouse

A test fails when the page is stale. What does not belong here: what a table or view says, which stands beside it.
"""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql

from include.names import BI, CORE
from include.settings import REPOSITORY
from include.warehouse.tables import METADATA
from include.warehouse.views import View, read_views
from scripts.warehouse.contract import Contract, read_contract

PAGE = REPOSITORY / "docs" / "warehouse.md"
# What others hang on; a table hangs on the one with the longest key that its own key has, too.
_HUBS = ("problem", "partition_audit", "model_version", "review_batch", "review_item", "experiment_decision")
_HEAD = f"""# The warehouse

Written by `make warehouse` from the tables' and the views' own comments; do not edit by hand. Rooms write the tables of
`{CORE}`, people and BI tools read the views of `{BI}` as the role `bi_reader`, which reads nothing else and writes
nothing (`make info` has its address). PostgreSQL has every comment, too: `\\d+ {BI}.data_completeness` in psql.
"""
_ROLES = """A measure that is **additive** may be summed over any rows. A **running** one is a total so far: summed over
problems, never over the rows of one. One that is **not additive** is a ratio, an end of an interval or a count of what
several rows share: ask at the grain that is wanted; neither sum nor average it.
"""


def render() -> str:
    """Render the page."""
    contract, views = read_contract(), sorted(read_views(), key=lambda view: view.name)
    tables = [table for table in METADATA.sorted_tables if table.schema == CORE]
    promised = {view.name: view for view in views if view.name in contract.views}
    parts = [
        _HEAD,
        f"## The contract, version {contract.version}\n",
        f"{len(promised)} views are promised: a column of the contract stays, with its meaning, until the next major "
        "version. The other views are details of pages and may change with any version; so may columns that are not in "
        "the contract.\n",
        _contract_table(contract),
        _ROLES,
        "## What hangs on what\n",
        _picture(tables),
        "## Promised views\n",
        *(_view(promised[name], contract) for name in contract.views),
        "## Views for pages\n",
        *(_view(view, contract) for view in views if view.name not in promised),
        "## Tables\n",
        *(_table(table) for table in sorted(tables, key=lambda table: table.name)),
    ]
    return "\n".join(parts)


def _contract_table(contract: Contract) -> str:
    rows = [
        f"| [`{name}`](#bi{name}) | {view.owner} | {', '.join(f'`{column}`' for column in view.key)} "
        f"| {view.freshness} | {view.question} |"
        for name, view in contract.views.items()
    ]
    return "\n".join(["| view | owner | key | fresh | a question it answers |", "|---|---|---|---|---|", *rows, ""])


def _picture(tables: list[Table]) -> str:
    """Draw the tables as they hang together by their keys."""
    lines = []
    for table in tables:
        key = _key(table)
        hubs = [hub for hub in _HUBS if hub != table.name and _key(METADATA.tables[f"{CORE}.{hub}"]) <= key]
        if hubs:
            hub = max(hubs, key=lambda name: len(_key(METADATA.tables[f"{CORE}.{name}"])))
            is_one = _key(METADATA.tables[f"{CORE}.{hub}"]) == key
            lines.append(f"    {hub} ||--o{'|' if is_one else '{'} {table.name} : has")
    return "\n".join(["```mermaid", "erDiagram", *sorted(lines), "```", ""])


def _key(table: Table) -> set[str]:
    return {column.name for column in table.primary_key}


def _view(view: View, contract: Contract) -> str:
    promise = contract.views.get(view.name)
    roles = {name: str(role).replace("_", " ") for name, role in promise.columns.items()} if promise else {}
    rows = [
        f"| `{name}` | {_cell(said)} |" + (f" {roles.get(name, 'not promised')} |" if promise else "")
        for name, said in view.columns.items()
    ]
    head = (
        ["| column | what it says | role |", "|---|---|---|"] if promise else ["| column | what it says |", "|---|---|"]
    )
    return "\n".join([f"### {BI}.{view.name}\n", f"{_paragraph(view.header)}\n", *head, *rows, ""])


def _table(table: Table) -> str:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    rows = [
        f"| `{column.name}` | {column.type.compile(dialect).lower()}{', key' if column.primary_key else ''} "
        f"| {_cell(column.comment or '')} |"
        for column in table.columns
    ]
    head = ["| column | type | what it says |", "|---|---|---|"]
    return "\n".join([f"### {CORE}.{table.name}\n", f"{_paragraph(table.comment or '')}\n", *head, *rows, ""])


def _cell(text: str) -> str:
    """Write a text so that it stays in its cell, and stars in it are stars."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("<", "&lt;")


def _paragraph(header: str) -> str:
    return _cell(" ".join(header.split()))
