"""Write `docs/dags.md`: the page of every stage, as its DAG file has it, and which problems have it.

    make dags

A test fails when the file is stale.
"""

import ast

from include.names import Single, Stage, dag_id
from include.problems.reading import load_problems
from include.problems.stages import stages_of
from include.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "dags.md"
HEAD = """# The DAGs

Written by `make dags` from the DAG files' own docstrings, which are also their pages in the Airflow UI; do not edit by
hand. One DAG for each problem and stage, and only those that the problem's file calls for.
"""


def render() -> str:
    """Render the page."""
    problems, _ = load_problems()
    parts = [HEAD]
    for stage in Stage:
        ids = [f"`{dag_id(p.name, stage)}`" for p in problems if stage in stages_of(p, is_demo_reviewer_on=True)]
        parts.append(f"{_text_of(stage)}\n\nDAGs: {', '.join(ids) or 'of no built-in problem'}.\n")
    parts += [f"{_text_of(single)}\n\nOne DAG for all problems: `{single}`.\n" for single in Single]
    return "\n".join(parts)


def _text_of(dag: str) -> str:
    """Read the docstring of a DAG file, its heading one level down."""
    source = (REPOSITORY / "dags" / f"{dag}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").replace("# ", "## ", 1)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(REPOSITORY)}.")
