"""The floors of the house, as functions: who may import whom, and that nothing goes in a circle.

What does not belong here: which files are asked (`test_code.py`). Each rule is also shown a bad snippet in
`test_rules.py`.
"""

import graphlib
import re
from collections.abc import Mapping

from tests.architecture.rules import Source, imports

# The floors, from the ground up: the hall, then statistics, then the rooms that every room may enter and the two doors
# of the lake, then the other rooms, then DAGs and pages.
HALL = frozenset(f"include.{name}" for name in ("names", "settings", "errors", "handover", "row_key", "partition_keys"))
STATS = "include.stats"
ARITHMETIC = frozenset({"numpy", "scipy"})
COMMON = (
    STATS,
    "include.problems",
    "include.engine",
    "include.warehouse",
    "include.lake.reading",
    "include.lake.writing",
    # What an audit is given by the lake, and gives back.
    "include.lake.contracts",
    "include.quality.contracts",
)
# What a page may call beside steps: the desk answers within a request, and so does the what-if page.
PAGE_DOORS = (
    "include.problems",
    "include.warehouse",
    "include.review.desk",
    "include.learning.explain.what_if",
    "include.monitoring.alert_history",
    "include.monitoring.alert_words",
)
WEB = frozenset({"airflow", "fastapi", "starlette"})
# The decision service stands above the rooms as pages do: a process of its own, with one door into the room that learns
# (what answers one row), and the only sub-package of `include` that knows a web framework.
SERVING = "include.serving"
SERVING_DOORS = ("include.learning.live", "include.learning.errors")
SERVING_WEB = "include.serving.web"


def _is_in(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def web_imports(source: Source) -> list[str]:
    """Find imports of Airflow or of a web framework, where everything must stay true without them."""
    allowed = {"starlette"} if _is_in(source.module, SERVING_WEB) else set()
    return sorted(name for name in imports(source) if name.split(".")[0] in WEB - allowed)


def closed_doors(source: Source) -> list[str]:
    """Find imports of another room's files that are not one of the common doors."""
    ours = {name for name in imports(source) if _is_in(name, "include") and name != "include"}
    if source.module in HALL or source.module == "include":
        allowed: tuple[str, ...] = tuple(HALL)
    elif _is_in(source.module, STATS):
        allowed = (*HALL, STATS)
    else:
        allowed = (*HALL, *COMMON, source.room, *(SERVING_DOORS if _is_in(source.module, SERVING) else ()))
    return sorted(name for name in ours if not any(_is_in(name, door) for door in allowed))


def foreign_to_the_hall(source: Source, standard_library: frozenset[str]) -> list[str]:
    """Find imports of the hall that are neither the standard library nor the hall itself."""
    return sorted(
        name
        for name in imports(source)
        if name.split(".")[0] not in standard_library and not any(_is_in(name, hall) for hall in HALL)
    )


def foreign_to_stats(source: Source, standard_library: frozenset[str]) -> list[str]:
    """Find imports of the statistics that are neither arithmetic nor the hall: every room stands on them."""
    return sorted(
        name
        for name in imports(source)
        if name.split(".")[0] not in standard_library | ARITHMETIC
        and not any(_is_in(name, door) for door in (*HALL, STATS))
    )


def foreign_to_a_dag(source: Source, standard_library: frozenset[str]) -> list[str]:
    """Find imports of a DAG file other than Airflow's, the hall, problems, steps, contracts, and files beside it."""
    shared = {"stage", "approval", "steps_by_name", "notifiers", "telling"}
    steps = re.compile(r"^include\.\w+\.(steps|contracts)(\.|$)")
    # Airflow's own operators for people, the one that does nothing, and its notifier for mail live in providers;
    # whatever else a provider offers is a step of ours.
    operators = (f"airflow.providers.standard.operators.{name}" for name in ("hitl", "empty"))
    notifiers = (f"airflow.providers.smtp.{name}.smtp" for name in ("notifications", "hooks"))
    doors = ("airflow.sdk", *operators, *notifiers, "include.problems", *HALL)
    return sorted(
        name
        for name in imports(source)
        if name.split(".")[0] not in standard_library | shared
        and not steps.match(name)
        and not any(_is_in(name, door) for door in doors)
    )


def foreign_to_a_page(source: Source) -> list[str]:
    """Find imports of a page that reach around a room's steps, into one of its sub-packages."""
    doors = (*HALL, *PAGE_DOORS)
    return sorted(
        name
        for name in imports(source)
        if _is_in(name, "include") and not re.match(r"^include\.\w+\.steps(\.|$)", name)
        if not any(_is_in(name, door) or _is_in(door, name) for door in doors)
    )


def import_circle(sources: list[Source]) -> list[str]:
    """Name the modules of one import circle, first and last the same; empty where there is none.

    Imports inside functions count: a circle that is hidden is still one.
    """
    modules = {source.module for source in sources}
    graph = {
        source.module: {
            target for name in imports(source) if (target := _known(name, modules)) not in (None, source.module)
        }
        for source in sources
    }
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def packages_in_circles(sources: list[Source]) -> set[str]:
    """Name the sub-packages of rooms that import each other in a circle, however long it is.

    Files that stand directly in a room belong to no sub-package: its `steps.py` imports all of them, and what several
    of them need stands there.
    """
    modules = {source.module for source in sources}
    below: dict[str, set[str]] = {}
    for source in sources:
        known = (_known(name, modules) for name in imports(source))
        below.setdefault(_package(source.module), set()).update(_package(name) for name in known if name)
    del below[""]
    reached = {package: _reached(package, below) for package in below}
    return {
        one for one, others in reached.items() for other in others if other != one and one in reached.get(other, set())
    }


def _package(module: str) -> str:
    """Name a module's sub-package: `include.lake.replay` for `include.lake.replay.merge`; empty for a room's own."""
    parts = module.split(".")
    return ".".join(parts[:3]) if len(parts) > 3 else ""


def _reached(package: str, below: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [package]
    while waiting:
        new = below.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _known(name: str, modules: set[str]) -> str | None:
    """Name the module that `a.b` is, or is a part of."""
    return name if name in modules else name.rpartition(".")[0] if name.rpartition(".")[0] in modules else None
