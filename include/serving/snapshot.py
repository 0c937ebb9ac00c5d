"""What the service answers from at one moment: never changed, only replaced as a whole.

What belongs here: loading it, from the published files, the registry, and the service's own disk when those are away.
What does not: answering.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.exc import SQLAlchemyError

from include.engine.durability import write_whole
from include.engine.object_folder import ObjectFolder
from include.errors import BadAllocation, MulgilError
from include.learning.live.answers import LiveModel, Row, load_live, model_file, read_promoted, why_unanswered
from include.problems.reading import load_problems
from include.problems.schema import Problem
from include.serving import store
from include.serving.allocation_file import decode_allocation
from include.serving.clients.evaluate import Allocation
from include.serving.evaluation import Flag, list_flags
from include.settings import Settings
from include.warehouse.database import open_warehouse

MODEL_ROW = "model.json"
T = TypeVar("T")
_STAYS = "What was read last is served."


@dataclass(frozen=True)
class Served:
    """A model, and what it was loaded by: a row of the registry, and the problem's file as it was."""

    live: LiveModel
    row: Row
    problem: Problem


@dataclass(frozen=True)
class Snapshot:
    """Everything that is answered from.

    Attributes:
        allocations: problem to its published file.
        models: problem to its promoted model.
        troubles: what could not be read anew, to a sentence; what was read last is served instead.
        unanswered: problem whose label is of a kind that no single row is asked about, to a sentence.
        flags: every experiment by its key.
    """

    allocations: Mapping[str, Allocation] = field(default_factory=dict)
    models: Mapping[str, Served] = field(default_factory=dict)
    troubles: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, Flag] = field(default_factory=dict)
    unanswered: Mapping[str, str] = field(default_factory=dict)


class Loader:
    """Reads what is new, and keeps the last good state of each problem on this machine's disk.

    Args:
        settings: where everything is.
        folder: of the state, for this service alone.
        key: that published files must be signed with.
    """

    def __init__(self, settings: Settings, folder: Path, key: Ed25519PublicKey) -> None:
        self._settings = settings
        self._folder = folder
        self._key = key
        self._published: ObjectFolder = store.open_published(settings)

    def load(self, before: Snapshot) -> Snapshot:
        """Read everything anew; what cannot be read stays as it was, and a trouble says so.

        Args:
            before: what is answered from now.
        """
        problems, broken = load_problems(self._settings.problems_dir)
        troubles = {f"problem file {index}": str(error) for index, error in enumerate(broken, start=1)}
        # A file that is broken for a moment takes nothing away from who asks.
        allocations: dict[str, Allocation] = dict(before.allocations) if broken else {}
        models: dict[str, Served] = dict(before.models) if broken else {}
        for problem in (one for one in problems if one.named_experiments):
            allocation, trouble = self._load_allocation(problem.name, before.allocations.get(problem.name))
            _keep(allocations, problem.name, allocation, troubles, f"allocation of {problem.name}", trouble)
        trained = [one for one in problems if one.training is not None]
        unanswered = {one.name: why for one in trained if (why := why_unanswered(one))}
        learned = [one for one in trained if one.name not in unanswered]
        rows, away = self._read_registry(learned)
        for problem in learned:
            row = rows.get(problem.name) if not away else self._last_row(problem.name, before)
            if row is None and not away:  # rolled back: not to come again when the registry is away
                (self._folder / problem.name / MODEL_ROW).unlink(missing_ok=True)
            served, trouble = self._load_model(problem, row, before.models.get(problem.name))
            _keep(models, problem.name, served, troubles, f"model of {problem.name}", trouble)
        if away:
            troubles["registry"] = away
        return Snapshot(allocations, models, troubles, list_flags(allocations), unanswered)

    def _read_registry(self, problems: Sequence[Problem]) -> tuple[dict[str, Row | None], str]:
        """Read which version of each problem serves; the second says why that is not known."""
        try:
            with open_warehouse(self._settings).connect() as connection:
                return {one.name: read_promoted(connection, one.name) for one in problems}, ""
        except (SQLAlchemyError, MulgilError, ValueError) as error:
            first_line = str(error).partition("\n")[0]
            return {}, f"The registry is away: {first_line}. {_STAYS}"

    def _last_row(self, problem: str, before: Snapshot) -> Row | None:
        """Give what the registry said last."""
        return before.models[problem].row if problem in before.models else _read_row(self._folder / problem / MODEL_ROW)

    def _load_allocation(self, problem: str, before: Allocation | None) -> tuple[Allocation | None, str]:
        """Read a problem's published file, or the last good one; the second says what is wrong."""
        own = self._folder / problem / store.FILE
        trouble = ""
        if before is None and own.exists():  # this process has just begun
            before, _ = self._decode(problem, own.read_bytes())
        try:
            content = self._published.read(store.published_key(problem))
        except OSError as error:
            return before, f"The store is away: {error}. {_STAYS}"
        if content is None:
            return before, "" if before is None else f"The published file is gone. {_STAYS}"
        allocation, trouble = self._decode(problem, content)
        if allocation is None:
            return before, f"{trouble} {_STAYS}"
        if before is not None and allocation["revision"] < before["revision"]:
            return before, f"Published is revision {allocation['revision']}, older than {before['revision']}. {_STAYS}"
        if before is None or allocation["revision"] != before["revision"]:
            write_whole(own, content, self._folder)
        return allocation, ""

    def _decode(self, problem: str, content: bytes) -> tuple[Allocation | None, str]:
        """Read a file with suspicion: it, or what is wrong with it."""
        try:
            return decode_allocation(problem, content, self._key), ""
        except BadAllocation as error:
            return None, str(error)

    def _load_model(self, problem: Problem, row: Row | None, before: Served | None) -> tuple[Served | None, str]:
        """Load a problem's promoted model if it is another one than before; the second says what is wrong."""
        if row is None:
            return None, ""
        if before is not None and dict(row) == dict(before.row) and problem == before.problem:
            return before, ""
        try:
            self._copy_model(problem.name, row)
            served = Served(load_live(problem, row, self._folder / problem.name), row, problem)
            self._keep_only(problem.name, row)
        except Exception as error:  # whatever restoring a model may raise: the others are served all the same
            before = before or self._load_kept(problem)
            said = str(error) if isinstance(error, MulgilError | OSError) else f"{type(error).__name__}: {error}"
            return before, f"{said} {_STAYS}" if before else said
        return served, ""

    def _load_kept(self, problem: Problem) -> Served | None:
        """Load the last good model of a process that has ended; None where there is none that can be."""
        row = _read_row(self._folder / problem.name / MODEL_ROW)
        try:
            return None if row is None else Served(load_live(problem, row, self._folder / problem.name), row, problem)
        except Exception:  # what is wrong with the promoted one is said already
            return None

    def _copy_model(self, problem: str, row: Row) -> None:
        """Copy a model's file to this machine's disk, beside the one that serves."""
        path = self._folder / problem / str(row["artifact_url"])
        if not path.exists():
            write_whole(path, model_file(self._settings, problem, row).read_bytes(), self._folder)

    def _keep_only(self, problem: str, row: Row) -> None:
        """Note that a model could be loaded, with what the registry says of it, and remove those before it."""
        folder = self._folder / problem
        write_whole(folder / MODEL_ROW, json.dumps(dict(row), sort_keys=True).encode(), self._folder)
        for path in folder.glob("*.skops"):
            if path.name != row["artifact_url"]:
                path.unlink(missing_ok=True)


def _keep(found: dict[str, T], name: str, item: T | None, troubles: dict[str, str], about: str, trouble: str) -> None:
    """Keep what was found, and what is wrong."""
    found.pop(name, None)
    if item is not None:
        found[name] = item
    if trouble:
        troubles[about] = trouble


def _read_row(path: Path) -> Row | None:
    """Read what the registry said last; None where that is not known."""
    try:
        row: Row = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return row
