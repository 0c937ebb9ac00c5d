"""Write `include/bi/semantic_model.yaml`: the promised views as one semantic model that other tools read.

    make warehouse

The form is that of Apache Ossie, formerly Open Semantic Interchange, core specification 0.2.0.dev0. A test fails when
the file is stale or leaves that form. What does not belong here: what is promised (`include/bi/contract.yaml`).
"""

from typing import Any

import yaml

from include.names import BI
from include.warehouse.views import FOLDER, View, read_views
from scripts.warehouse.contract import MEASURES, Contract, PromisedView, Role, read_contract

MODEL = FOLDER / "semantic_model.yaml"
VERSION = "0.2.0.dev0"  # of the specification
DATABASE = "mulgil"
_HEAD = "# Written by `make warehouse` from the views' own comments and contract.yaml; do not edit by hand.\n"
_INSTRUCTIONS = {
    Role.RUNNING: "A total so far: sum it over problems, never over the rows of one.",
    Role.NOT_ADDITIVE: "Neither sum nor average it over rows.",
}

Document = dict[str, Any]


def render() -> str:
    """Render the model."""
    return _HEAD + yaml.safe_dump(build_model(), sort_keys=False, allow_unicode=True, width=120)


def build_model() -> Document:
    """Describe every promised view, what joins them, and the sums that may be taken."""
    contract = read_contract()
    views = {view.name: view for view in read_views()}
    return {
        "version": VERSION,
        "semantic_model": [
            {
                "name": DATABASE,
                "description": f"The promised views of Mulgil's warehouse, contract {contract.version}.",
                "datasets": [_dataset(views[name], promise) for name, promise in contract.views.items()],
                "relationships": _relationships(contract),
                "metrics": [
                    _metric(views[name], column)
                    for name, promise in contract.views.items()
                    for column, role in promise.columns.items()
                    if role is Role.ADDITIVE
                ],
            }
        ],
    }


def _dataset(view: View, promise: PromisedView) -> Document:
    return {
        "name": view.name,
        "source": f"{DATABASE}.{BI}.{view.name}",
        "primary_key": promise.key,
        "description": " ".join(view.header.split()),
        "ai_context": {"examples": [promise.question], "instructions": f"Fresh {promise.freshness}."},
        "fields": [_field(name, role, view.columns[name]) for name, role in promise.columns.items()],
    }


def _field(name: str, role: Role, said: str) -> Document:
    field: Document = {"name": name, "expression": _sql(name), "description": said}
    datatype = datatype_of(name)
    if datatype:
        field["datatype"] = datatype
    if role not in MEASURES:
        field["dimension"] = {"is_time": role is Role.MOMENT or name in ("month", "partition_key")}
    if role in _INSTRUCTIONS:
        field["ai_context"] = {"instructions": _INSTRUCTIONS[role]}
    return field


def datatype_of(name: str) -> str | None:
    """Say what type a column's name promises; None where it promises none."""
    if name.endswith("_utc"):
        return "DateTimeTz"
    if name.startswith("is_"):
        return "Boolean"
    if name == "report_date":
        return "Date"
    return "Float" if name.endswith("_ratio") else None


def _relationships(contract: Contract) -> list[Document]:
    """Say which views have the whole key of another within their own: many of their rows belong to one of it."""
    return [
        {
            "name": f"{one}_of_{other}",
            "from": one,
            "to": other,
            "from_columns": theirs.key,
            "to_columns": theirs.key,
        }
        for one, ours in contract.views.items()
        for other, theirs in contract.views.items()
        if set(theirs.key) < set(ours.key)
    ]


def _metric(view: View, column: str) -> Document:
    return {
        "name": f"{view.name}_{column}",
        "expression": _sql(f"SUM({view.name}.{column})"),
        "description": f"Sum of: {view.columns[column]}",
    }


def _sql(expression: str) -> Document:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": expression}]}
