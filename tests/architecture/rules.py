"""Rules about code, as functions: source in, sentences about what breaks the rule out.

What does not belong here: which files are asked (`test_code.py`). Each rule is also shown a bad snippet in
`test_rules.py`, because a rule that cannot fail proves nothing.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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
UNSAFE = frozenset({"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"})
UNSAFE_CALLS = frozenset({"read_pickle", "to_pickle"})
MAX_BODY_LINES = 40
MAX_FILE_LINES = 400
MAX_WORDS_OF_A_TEST = 14

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


def read_migrations(repository: Path) -> list[Source]:
    """Read the migrations, which `read_sources` leaves out."""
    folder = repository / "include" / "warehouse" / "migrations" / "versions"
    return [
        Source(path.stem, str(path.relative_to(repository)), path.read_text("utf-8"))
        for path in sorted(folder.glob("*.py"))
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


def heavy_imports(source: Source) -> list[str]:
    """Find heavy libraries that a file imports while it is itself imported."""
    return sorted(name for name in imports(source, at_import_only=True) if name.split(".")[0] in HEAVY)


def not_deployed(source: Source, deployed: frozenset[str]) -> list[str]:
    """Name the imports that a deployment would miss: what only the development environment installs.

    Args:
        deployed: names that may be imported there: the standard library, our own folders, and what is pinned for it.
    """
    return sorted({name.split(".")[0] for name in imports(source)} - deployed)


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


def unsaid_errors(source: Source) -> list[str]:
    """Find public functions that raise an error which their docstring does not name."""
    found = []
    for name, node in _public(source.tree, source.module):
        if isinstance(node, FUNCTION):
            said = ast.get_docstring(node) or ""
            unsaid = sorted(error for error in _raised(node) if not re.search(rf"\b{error}\b", said))
            found += [f"{name}: {', '.join(unsaid)}"] if unsaid else []
    return found


def _raised(node: ast.AST) -> set[str]:
    """Name the classes of errors that a function itself raises, not those of a function inside it."""
    names: set[str] = set()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Raise) and isinstance(child.exc, ast.Call) and isinstance(child.exc.func, ast.Name):
            names.add(child.exc.func.id)
        elif not isinstance(child, ast.ClassDef | FUNCTION | ast.Lambda):
            names |= _raised(child)
    return {name for name in names if name[:1].isupper()}


def _first_line(node: ast.AST) -> str:
    text = ast.get_docstring(node, clean=False) if isinstance(node, DOCUMENTED) else None
    return (text or "").split("\n")[0].strip()


def _public(node: ast.AST, name: str) -> Iterator[tuple[str, ast.AST]]:
    yield name, node
    if not isinstance(node, ast.Module | ast.ClassDef):
        return
    for child in node.body:
        if isinstance(child, ast.ClassDef | FUNCTION) and not child.name.startswith("_") and not _is_overload(child):
            yield from _public(child, child.name)


def _is_overload(node: ast.ClassDef | FUNCTION) -> bool:
    """Say whether a function only names types for the one that follows, which says what it is."""
    return any(ast.unparse(decorator) == "overload" for decorator in node.decorator_list)


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


def long_test_names(source: Source, limit: int = MAX_WORDS_OF_A_TEST) -> list[str]:
    """Find tests whose name has more words than can be read at a glance."""
    names = (node.name for node in ast.walk(source.tree) if isinstance(node, FUNCTION))
    return [name for name in names if name.startswith("test_") and len(name.split("_")) - 1 > limit]


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


def forked_migrations(migrations: Iterable[Source]) -> list[str]:
    """Find migrations that share a number or a parent, have none, or are numbered otherwise than their file."""
    found, numbers, parents = [], dict[str, str](), dict[str | None, str]()
    for source in migrations:
        said = {
            name.id: node.value.value
            for node in source.tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for name in node.targets
            if isinstance(name, ast.Name)
        }
        number, parent = str(said.get("revision")), said.get("down_revision")
        named = Path(source.path).name.partition("_")[0]
        if named != number:
            found.append(f"{source.path}: its file says {named}, its revision {number}")
        if other := numbers.setdefault(number, source.path) != source.path:
            found.append(f"{source.path}: {numbers[number]} is number {number}, too")
        if not other and parents.setdefault(parent, source.path) != source.path:
            found.append(f"{source.path}: {parents[parent]} follows {parent}, too; that makes two heads")
    unknown = {parent: path for parent, path in parents.items() if parent is not None and parent not in numbers}
    return found + [f"{path}: follows {parent}, which is not there" for parent, path in unknown.items()]
