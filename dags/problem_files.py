"""Turns broken problem files into one import error in the Airflow UI; makes no DAG of its own (airflow.sdk.DAG).

Every other problem keeps its DAGs: they are made by the stage files, which leave broken files out.
"""

from include.errors import BadProblem
from include.problems.reading import load_problems

_, errors = load_problems()
if errors:
    raise BadProblem("\n\n".join(str(error) for error in errors))
