"""Write `docs/dags.md`: the page of every stage, as its DAG file has it, and which problems have it.

    make dags

A test fails when the file is stale.
"""

import ast

from include.names import Stage, dag_id
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
        source = (REPOSITORY / "dags" / f"{stage}.py").read_text(encoding="utf-8")
        text = (ast.get_docstring(ast.parse(source)) or "").replace("# ", "## ", 1)
        ids = [f"`{dag_id(p.name, stage)}`" for p in problems if stage in stages_of(p, is_demo_reviewer_on=True)]
        parts.append(f"{text}\n\nDAGs: {', '.join(ids)}.\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(REPOSITORY)}.")
