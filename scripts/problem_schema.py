"""Write `include/problems/problem.schema.json`: what a problem file may say, for editors that complete and check YAML.

    make schema

A file asks for it with its first line, `# yaml-language-server: $schema=problem.schema.json`. Rules between fields are
not in it: those are told where the file is read. A test fails when it is stale.
"""

import json

from include.problems.schema import Problem
from include.settings import REPOSITORY

SCHEMA = REPOSITORY / "include" / "problems" / "problem.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


def render() -> str:
    """Render the schema."""
    return json.dumps({"$schema": DRAFT, **Problem.model_json_schema()}, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(render(), encoding="utf-8")
