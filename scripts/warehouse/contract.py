"""The contract: which views are promised, with which columns, and that no promise is broken without a major version.

`include/bi/contract.yaml` is written by hand; `include/bi/contract_history.yaml` keeps what each version promised and
is written by `make warehouse`. What does not belong here: what a column says, which stands in its view's file.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from include.errors import MulgilError
from include.warehouse.views import FOLDER, View, read_views

CONTRACT = FOLDER / "contract.yaml"
HISTORY = FOLDER / "contract_history.yaml"
_HEAD = "# What each version promised. Written by `make warehouse`; a version that is here stays as it is.\n"


class ContractBroken(MulgilError):
    """A promise names what is not there, or would be broken without a major version."""


class Role(StrEnum):
    """What a column is for whoever adds up rows."""

    KEY = "key"
    ATTRIBUTE = "attribute"
    MOMENT = "moment"
    ADDITIVE = "additive"
    RUNNING = "running"
    NOT_ADDITIVE = "not_additive"


MEASURES = (Role.ADDITIVE, Role.RUNNING, Role.NOT_ADDITIVE)


class PromisedView(BaseModel):
    """One view of the contract."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str
    key: list[str] = Field(min_length=1)  # columns whose values no two rows share
    freshness: str
    question: str
    columns: dict[str, Role]


class Contract(BaseModel):
    """What is promised, and since which version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    views: dict[str, PromisedView]


# What one version promised: view to its key and its columns, each in the order of the alphabet.
Promise = dict[str, dict[str, list[str]]]


def read_contract(path: Path = CONTRACT) -> Contract:
    """Read what is promised.

    Raises:
        ContractBroken: the file does not have the form of a contract, or a key is not among the columns.
    """
    try:
        contract = Contract.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ContractBroken(f"{path.name} is not a contract: {error}") from error
    for name, view in contract.views.items():
        keys = [column for column, role in view.columns.items() if role is Role.KEY]
        if sorted(keys) != sorted(view.key):
            raise ContractBroken(f"{name}: its key is {view.key}, but the columns with the role key are {keys}.")
    return contract


def require_views(contract: Contract, views: list[View] | None = None) -> None:
    """Refuse a contract that promises a view or a column that is not there.

    Raises:
        ContractBroken: it does; the message has all of them.
    """
    columns = {view.name: view.columns for view in (read_views() if views is None else views)}
    missing = [
        f"bi.{name}.{column}"
        for name, view in contract.views.items()
        for column in view.columns
        if column not in columns.get(name, {})
    ]
    if missing:
        raise ContractBroken(
            f"{len(missing)} promised columns have no line under -- Columns: in their view's file: "
            f"{', '.join(missing)}. Give them back, or take the promise back with a new major version."
        )


def promise_of(contract: Contract) -> Promise:
    """Say what a contract promises without words: keys and columns."""
    return {
        name: {"key": sorted(view.key), "columns": sorted(view.columns)}
        for name, view in sorted(contract.views.items())
    }


def read_history(path: Path = HISTORY) -> dict[str, Promise]:
    """Read what each version promised, the oldest first; nothing where no version was written yet."""
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def add_version(history: Mapping[str, Promise], contract: Contract) -> dict[str, Promise]:
    """Add a contract to the history, unless it is the newest there.

    Raises:
        ContractBroken: something else is promised than before and the version is not new enough: a new major version
            where a view, a column or a key went, a new minor one where any came.
    """
    promise = promise_of(contract)
    if not history:
        return {contract.version: promise}
    newest = max(history, key=_parts)
    gone, come = _changes(history[newest], promise)
    if not gone and not come:
        if contract.version != newest:
            raise ContractBroken(f"Version {contract.version} promises what {newest} does; leave the version alone.")
        return dict(history)
    major, minor, _ = _parts(newest)
    least = (major + 1, 0, 0) if gone else (major, minor + 1, 0)
    if _parts(contract.version) < least:
        raise ContractBroken(
            f"Version {contract.version} is not enough after {newest}: {len(gone)} promises went "
            f"({', '.join(gone) or 'none'}) and {len(come)} came ({', '.join(come) or 'none'}). It must be "
            f"{'.'.join(map(str, least))} or later."
        )
    return {**history, contract.version: promise}


def render_history(history: Mapping[str, Promise]) -> str:
    """Write the history as its file has it."""
    return _HEAD + yaml.safe_dump(dict(history), sort_keys=False, width=120, default_flow_style=None)


def _parts(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.split(".")
    return int(major), int(minor), int(patch)


def _changes(before: Promise, after: Promise) -> tuple[list[str], list[str]]:
    """Say which promises went and which came, by name; a key that changed is one that went."""
    was = {f"{view}.{column}" for view, promise in before.items() for column in promise["columns"]}
    now = {f"{view}.{column}" for view, promise in after.items() for column in promise["columns"]}
    rekeyed = [f"key of {view}" for view in before.keys() & after.keys() if before[view]["key"] != after[view]["key"]]
    return sorted(was - now) + sorted(rekeyed), sorted(now - was)
