"""Rules about code, as functions: source in, sentences about what breaks the rule out.

What does not belong here: which files are asked (`test_code.py`). Each rule is also shown a bad snippet in
`test_rules.py`, because a rule that cannot fail proves nothing.
"""

import ast
import graphlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

HALL = frozenset({"include.names", "include.settings", "include.errors"})
# Rooms that every room may enter, and the two doors of the lake.
COMMON = ("include.problems", "include.engine", "include.warehouse", "include.lake.reading", "include.lake.writing")
HEAVY = frozenset(
    {
        "pandas",
        "numpy",
        "sklearn",
        "duckdb",
        "ibis",
        "great_expectations",
        "pyiceberg",
        "pyarrow",
        "scipy",
        "skops",
        "adbc_driver_postgresql",
        "boto3",
    }
)
WEB = frozenset({"airflow", "fastapi", "starlette"})
UNSAFE = frozenset({"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"})
UNSAFE_CALLS = frozenset({"read_pickle", "to_pickle"})
MAX_BODY_LINES = 40
MAX_FILE_LINES = 400

# What names.py spells: assets, DAG ids, lake tables, schemas, and the columns that ingest adds.
SPELLED_ONCE = re.compile(
    r"""^(landing|lake|labels|batch|model|allocation|alerts)/$      # the constant part of f"lake/{problem}"
      | ^(landing|lake|labels|batch|model|allocation|alerts)/[a-z_]+$
      | ^(core|lake)\.\w*$
      | \b(FROM|JOIN|INTO|UPDATE)\s+(core|lake)\.               # a view of bi is a promise: queries may say its name
      | __(land|ingest|train|rules|review|demo_reviewer|experiment|monitor|prediction|quarantine)$
      | ^_(partition_key|row_key|object_key|line_number)$
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Source:
    """One Python file: its module name, its path below the repository, its text."""

    module: str
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def room(self) -> str:
        """The folder below include/, or the module itself for a file of the hall."""
        return ".".join(self.module.split(".")[:2])


def read_sources(repository: Path, *folders: str) -> list[Source]:
    """Read every Python file below the folders; migrations are generated, and left out."""
    return [
        Source(_module_name(path.relative_to(repository)), str(path.relative_to(repository)), path.read_text("utf-8"))
        for folder in folders
        for path in sorted((repository / folder).rglob("*.py"))
        if "versions" not in path.parts
    ]


def _module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# ---------------------------------------------------------------- imports


def imports(source: Source, *, at_import_only: bool = False) -> set[str]:
    """Name what a file imports: `from a import b` is `a.b`, relative imports are resolved.

    Args:
        at_import_only: leave out function bodies, and what only type checkers see.
    """
    nodes = _nodes_at_import(source.tree) if at_import_only else ast.walk(source.tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = _resolve(source, node)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


def _nodes_at_import(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    for child in ast.iter_child_nodes(node):
        yield from _nodes_at_import(child)


def _resolve(source: Source, node: ast.ImportFrom) -> str:
    if node.level == 0:
        return node.module or ""
    parts = source.module.split(".")
    is_package = source.path.endswith("__init__.py")
    parent = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*parent, *([node.module] if node.module else [])])


def _is_in(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def web_imports(source: Source) -> list[str]:
    """Find imports of Airflow or of a web framework, where everything must stay true without them."""
    return sorted(name for name in imports(source) if name.split(".")[0] in WEB)


def closed_doors(source: Source) -> list[str]:
    """Find imports of another room's files that are not one of the common doors."""
    ours = {name for name in imports(source) if _is_in(name, "include") and name != "include"}
    if source.module in HALL or source.module == "include":
        allowed: tuple[str, ...] = tuple(HALL)
    else:
        allowed = (*HALL, *COMMON, source.room)
    return sorted(name for name in ours if not any(_is_in(name, door) for door in allowed))


def foreign_to_the_hall(source: Source, standard_library: frozenset[str]) -> list[str]:
    """Find imports of the hall that are neither the standard library nor the hall itself."""
    return sorted(
        name
        for name in imports(source)
        if name.split(".")[0] not in standard_library and not any(_is_in(name, hall) for hall in HALL)
    )


def foreign_to_a_dag(source: Source, standard_library: frozenset[str]) -> list[str]:
    """Find imports of a DAG file other than Airflow's, the hall, the problems, steps, and the files beside it."""
    shared = {"stage", "approval"}
    steps = re.compile(r"^include\.\w+\.steps(\.|$)")
    # Airflow's own operators for people, and the one that does nothing, live in a provider; whatever else a provider
    # offers is a step of ours.
    operators = (f"airflow.providers.standard.operators.{name}" for name in ("hitl", "empty"))
    doors = ("airflow.sdk", *operators, "include.problems", *HALL)
    return sorted(
        name
        for name in imports(source)
        if name.split(".")[0] not in standard_library | shared
        and not steps.match(name)
        and not any(_is_in(name, door) for door in doors)
    )


def heavy_imports(source: Source) -> list[str]:
    """Find heavy libraries that a file imports while it is itself imported."""
    return sorted(name for name in imports(source, at_import_only=True) if name.split(".")[0] in HEAVY)


def not_deployed(source: Source, deployed: frozenset[str]) -> list[str]:
    """Name the imports that a deployment would miss: what only the development environment installs.

    Args:
        deployed: names that may be imported there: the standard library, our own folders, and what is pinned for it.
    """
    return sorted({name.split(".")[0] for name in imports(source)} - deployed)


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


def _known(name: str, modules: set[str]) -> str | None:
    """Name the module that `a.b` is, or is a part of."""
    return name if name in modules else name.rpartition(".")[0] if name.rpartition(".")[0] in modules else None


# ---------------------------------------------------------------- what a file says


def environment_reads(source: Source) -> list[str]:
    """Find where a file reads or writes the environment of its process."""
    found = {f"import {name}" for name in imports(source) if name in {"os.environ", "os.getenv", "os.putenv"}}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.putenv"}:
            found.add(f"line {node.lineno}: {ast.unparse(node)}")
    return sorted(found)


def respelled_names(source: Source) -> list[str]:
    """Find string literals that names.py already spells."""
    docstrings = {id(_docstring_node(node)) for node in ast.walk(source.tree) if isinstance(node, DOCUMENTED)}
    return [
        f"line {node.lineno}: {node.value!r}"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if id(node) not in docstrings and SPELLED_ONCE.search(node.value)
    ]


DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef


def _docstring_node(node: ast.AST) -> ast.AST | None:
    body = getattr(node, "body", [])
    first = body[0] if body else None
    is_text = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    return first.value if is_text else None


def long_functions(source: Source, limit: int = MAX_BODY_LINES) -> list[str]:
    """Find functions whose body, without its docstring, is longer than the limit."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, FUNCTION):
            body = node.body[1:] if _docstring_node(node) else node.body
            n_lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            if n_lines > limit:
                found.append(f"{node.name}: {n_lines} lines")
    return found


def is_too_long(source: Source, limit: int = MAX_FILE_LINES) -> bool:
    """Say whether a file should be split."""
    return len(source.text.splitlines()) > limit


def undocumented(source: Source) -> list[str]:
    """Find public functions, classes and modules whose docstring is missing or starts with an empty line."""
    return [name for name, node in _public(source.tree, source.module) if not _first_line(node)]


def _first_line(node: ast.AST) -> str:
    text = ast.get_docstring(node, clean=False) if isinstance(node, DOCUMENTED) else None
    return (text or "").split("\n")[0].strip()


def _public(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    yield name, node
    if not isinstance(node, ast.Module | ast.ClassDef):
        return
    for child in node.body:
        if isinstance(child, ast.ClassDef | FUNCTION) and not child.name.startswith("_"):
            yield from _public(child, child.name)


def unsafe_loads(source: Source) -> list[str]:
    """Find ways to load objects that may run code: pickle and its kin."""
    found = [name for name in sorted(imports(source)) if name.split(".")[0] in UNSAFE]
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in UNSAFE_CALLS:
            found.append(f"line {node.lineno}: {node.attr}")
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
            found.append(f"line {node.value.lineno}: allow_pickle={ast.unparse(node.value)}")
    return found


def loose_steps(source: Source) -> list[str]:
    """Find public functions of a steps.py that are not steps: not decorated, or not called by keywords."""
    found = []
    for node in source.tree.body:
        if not isinstance(node, FUNCTION) or node.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator).split("(")[0] for decorator in node.decorator_list}
        keywords = {argument.arg for argument in node.args.kwonlyargs}
        if "step" not in decorators:
            found.append(f"{node.name}: no @step")
        elif node.args.args or not {"problem", "run_id"} <= keywords:
            found.append(f"{node.name}: takes keywords only, among them problem and run_id")
    return found


def unwritten_dag_arguments(source: Source) -> list[str]:
    """Find DAGs that leave to a default what decides how often they run, or what people see of them."""
    wanted = {"catchup", "max_active_runs", "schedule", "doc_md", "tags", "default_args"}
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"DAG", "dag"}:
            missing = wanted - {keyword.arg for keyword in node.keywords}
            if missing:
                found.append(f"line {node.lineno}: {', '.join(sorted(missing))}")
    return found


# ---------------------------------------------------------------- loaded DAGs


def dag_faults(dag: Mapping[str, object]) -> list[str]:
    """Name what a loaded DAG, as load_dags.py describes it, lacks."""
    faults = {
        "no page": not dag["doc_md"],
        "no red note": "**When this is red:**" not in str(dag["doc_md"]),
        "nobody named who waits": "**Who waits for it:**" not in str(dag["doc_md"]),
        "no tags": not dag["tags"],
        "catches up": dag["catchup"] is not False,
        "no tasks": not dag["tasks"],
    }
    for name, task in dict(dag["tasks"]).items():  # type: ignore[call-overload]
        faults |= {
            f"{name}: fewer than 2 retries": task["retries"] < 2,
            f"{name}: owner airflow": task["owner"] in ("", "airflow"),
            f"{name}: no text": not task["doc_md"],
        }
    return [fault for fault, is_there in faults.items() if is_there]
