"""Count what says how easily a newcomer finds a line: files per folder, helpers used once, `Any`, missing tests.

    python -m scripts.house_figures [REPOSITORY]

The counting functions take paths and syntax trees; `tests/architecture` holds the limits over the same functions.
Prints one Markdown table, so that two repositories (two worktrees) can be put side by side.
"""

import ast
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
# What is deployed, and what is tested at the path that mirrors its own.
FOLDERS = ("include", "dags", "plugins", "config")
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
N_PARSES = 3


def main(repository: Path) -> None:
    """Print the figures of one repository."""
    trees = [ast.parse(path.read_text("utf-8")) for path in source_files(repository, "include", "dags", "plugins")]
    own = [ast.parse(path.read_text("utf-8")) for path in source_files(repository, "include")]
    private = [count for tree in trees for count in uses_of_private_functions(tree).values()]
    raising = [says_so for tree in trees for says_so in raising_functions(tree)]
    mirrored = list(source_files(repository, *FOLDERS))
    print("| figure | value |\n|---|---:|")
    for folder, n_files in most_files(repository, 5):
        print(f"| files in `{folder}` | {n_files} |")
    for what, value in {
        "Python files in `include`, `dags`, `plugins`": len(trees),
        "private functions that are used exactly once": f"{private.count(1)} of {len(private)}",
        "functions in `include` that name `Any`": f"{sum(map(count_any, own))} of {sum(map(count_functions, own))}",
        "files without their mirrored test": f"{len(files_without_test(repository))} of {len(mirrored)}",
        "functions that raise and say so in their docstring": f"{sum(raising)} of {len(raising)}",
        f"parsing all DAG files, processor s, median of {N_PARSES}": f"{parse_seconds(repository):.2f}",
    }.items():
        print(f"| {what} | {value} |")


def source_files(repository: Path, *folders: str) -> Iterator[Path]:
    """Give every Python file below the folders but migrations, which are generated, and files that hold no code."""
    for folder in folders:
        for path in sorted((repository / folder).rglob("*.py")):
            if "migrations" not in path.relative_to(repository).parts and not _is_only_a_docstring(path):
                yield path


def _is_only_a_docstring(path: Path) -> bool:
    body = ast.parse(path.read_text("utf-8")).body
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def most_files(repository: Path, n_folders: int) -> list[tuple[str, int]]:
    """Name the folders of `include` with the most Python files directly in them."""
    counts = Counter(str(path.parent.relative_to(repository)) for path in source_files(repository, "include"))
    return counts.most_common(n_folders)


def mirrored_test(path: Path) -> Path:
    """Say where the test of a source file lies; both paths are below the repository."""
    of = path.parent if path.name == "__init__.py" else path
    return Path("tests") / of.parent / f"test_{of.stem}.py"


def files_without_test(repository: Path) -> list[str]:
    """Name the source files whose mirrored test file is missing, or holds no test."""
    paths = (path.relative_to(repository) for path in source_files(repository, *FOLDERS))
    return [str(path) for path in paths if not _holds_a_test(repository / mirrored_test(path))]


def _holds_a_test(path: Path) -> bool:
    return path.is_file() and any(node.name.startswith("test_") for node in functions(path.read_text("utf-8")))


def functions(source: str | ast.AST) -> list[FUNCTION]:
    """Give every function of a file, methods and nested ones too."""
    tree = ast.parse(source) if isinstance(source, str) else source
    return [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]


def count_functions(tree: ast.AST) -> int:
    """Count the functions of a file."""
    return len(functions(tree))


def count_any(tree: ast.AST) -> int:
    """Count the functions that name `Any`, in their signature or in their body."""
    return sum(any(_is_any(part) for part in ast.walk(function)) for function in functions(tree))


def _is_any(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "Any"


def uses_of_private_functions(tree: ast.AST) -> dict[str, int]:
    """Count for each private function how often its own file names it, the definition left out."""
    private = {node.name for node in functions(tree) if node.name.startswith("_") and not node.name.endswith("__")}
    names = map(_used_name, ast.walk(tree))
    uses = Counter(name for name in names if name in private)
    return {name: uses[name] for name in private}


def _used_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else None


def raising_functions(tree: ast.AST) -> list[bool]:
    """Say of each function that raises an error of its own choice whether its docstring has a part "Raises"."""
    return ["Raises:" in (ast.get_docstring(node) or "") for node in functions(tree) if _raises(node)]


def _raises(function: FUNCTION) -> bool:
    """Look for `raise X` in the function itself; what it passes on or what an inner function raises does not count."""
    return any(isinstance(node, ast.Raise) and node.exc is not None for node in _own_nodes(function.body))


def _own_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    for node in nodes:
        if not isinstance(node, FUNCTION | ast.Lambda | ast.ClassDef):
            yield node
            yield from _own_nodes(ast.iter_child_nodes(node))


def parse_seconds(repository: Path) -> float:
    """Measure the processor time in which one process parses every DAG file, as the DAG processor does."""
    return statistics.median(_parse_once(repository) for _ in range(N_PARSES))


def _parse_once(repository: Path) -> float:
    with tempfile.TemporaryDirectory() as home:
        own = {"AIRFLOW_HOME": home, "PYTHONPATH": str(repository), "MULGIL_DEMO_REVIEWER": "1"}
        command = [sys.executable, str(repository / "tests" / "architecture" / "load_dags.py"), str(repository)]
        finished = subprocess.run(command, env={**os.environ, **own}, capture_output=True, text=True, check=True)
    return float(json.loads(finished.stdout.splitlines()[-1])["parse_cpu_s"])


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else REPOSITORY)
