"""Every rule is seen failing once, on a snippet that breaks it, and passing on its good twin."""

import pytest

from tests.architecture import floors, rules

LIBRARY = frozenset({"os", "enum", "typing"})


def make_source(text: str, module: str = "include.learning.training.estimators") -> rules.Source:
    return rules.Source(module, module.replace(".", "/") + ".py", text)


@pytest.mark.parametrize("line", ["import airflow.sdk", "from fastapi import FastAPI", "def f():\n    import airflow"])
def test_airflow_in_a_room_is_found(line: str):
    assert floors.web_imports(make_source(f"import os\n{line}"))
    assert not floors.web_imports(make_source("import os"))


@pytest.mark.parametrize(
    "line",
    [
        "from include.review import sampling",
        "from include.lake import steps",
        "import include.monitoring.drift",
        "def f():\n    from include.quality.verdicts import verdict",
        "from ...review import sampling",
    ],
)
def test_another_rooms_file_is_found_among_open_doors(line: str):
    good = "from include import names\nfrom include.lake.reading import open_rows\nfrom . import features\n"
    assert floors.closed_doors(make_source(good)) == []
    assert len(floors.closed_doors(make_source(good + line))) == 1


def test_only_the_services_own_sub_package_knows_a_web_framework_and_no_airflow():
    text = "from starlette.routing import Route\nfrom airflow.sdk import dag\n"
    assert floors.web_imports(make_source(text, "include.serving.web.app")) == ["airflow.sdk.dag"]
    assert len(floors.web_imports(make_source(text, "include.serving.service"))) == 2


def test_the_service_has_one_door_into_the_room_that_learns():
    good = "from include.learning.live.answers import load_live\nfrom include.serving import store\n"
    bad = "from include.learning.scoring import predict\n"
    assert floors.closed_doors(make_source(good, "include.serving.snapshot")) == []
    assert len(floors.closed_doors(make_source(good + bad, "include.serving.snapshot"))) == 1
    assert len(floors.closed_doors(make_source(good, "include.review.steps"))) == 2


def test_the_hall_enters_no_room_and_no_library():
    hall = make_source("import os\nfrom include.problems import schema\nimport yaml", "include.names")
    assert floors.closed_doors(hall) == ["include.problems.schema"]
    assert floors.foreign_to_the_hall(hall, LIBRARY) == ["include.problems.schema", "yaml"]
    assert floors.foreign_to_the_hall(make_source("from include.errors import BadSettings"), LIBRARY) == []


def test_statistics_enter_no_room_and_take_no_library_but_arithmetic():
    good = "import numpy as np\nfrom scipy import stats\nfrom include.errors import BadCounts\n"
    assert floors.foreign_to_stats(make_source(good, "include.stats.wilson"), LIBRARY) == []
    bad = make_source(good + "import pandas\nfrom include.engine import session", "include.stats.wilson")
    assert floors.foreign_to_stats(bad, LIBRARY) == ["include.engine.session", "pandas"]


@pytest.mark.parametrize(
    "line", ["import pandas", "from include.learning import models", "from airflow.models import DAG"]
)
def test_what_a_dag_file_must_not_import_is_found(line: str):
    good = (
        "from airflow.sdk import dag\nfrom include import names\nfrom include.lake import steps\nfrom stage import x\n"
        "from include.landing.contracts import FoundPartitions\n"
    )
    assert floors.foreign_to_a_dag(make_source(good, "dags.land"), LIBRARY) == []
    assert len(floors.foreign_to_a_dag(make_source(good + line, "dags.land"), LIBRARY)) == 1


def test_statistics_enter_no_room_and_every_room_enters_statistics():
    stats = make_source(
        "import numpy\nfrom include.stats import bins\nfrom include.lake import reading", "include.stats.ece"
    )
    assert floors.closed_doors(stats) == ["include.lake.reading"]
    assert floors.closed_doors(make_source("from include.stats import wilson", "include.lake.files")) == []
    assert floors.closed_doors(make_source("from include.stats import wilson", "include.names")) != []


@pytest.mark.parametrize(
    "line", ["from include.learning.registry import versions", "import include.lake.erasure.erase"]
)
def test_a_page_that_reaches_around_a_rooms_steps_is_found(line: str):
    good = "import os\nfrom include.review import steps\nfrom include.review.desk import service\n"
    assert floors.foreign_to_a_page(make_source(good, "plugins.reports.app")) == []
    assert len(floors.foreign_to_a_page(make_source(good + line, "plugins.reports.app"))) == 1


def test_a_circle_of_three_sub_packages_is_named_without_their_steps():
    a = make_source("from include.lake.b import two", "include.lake.a.one")
    b = make_source("from include.lake.c.three import f", "include.lake.b.two")
    c = make_source("def f():\n    from include.lake.a import four", "include.lake.c.three")
    four = make_source("", "include.lake.a.four")
    steps = make_source("from include.lake.a import one\nfrom include.lake.d import five", "include.lake.steps")
    five = make_source("from include.lake.a import four", "include.lake.d.five")
    circle = {"include.lake.a", "include.lake.b", "include.lake.c"}
    assert floors.packages_in_circles([a, b, c, four, steps, five]) == circle
    assert floors.packages_in_circles([a, b, four, steps, five]) == set()


def test_a_test_name_of_15_words_is_long_and_one_of_14_is_not():
    words = "_".join(["word"] * 14)
    assert rules.long_test_names(make_source(f"def test_{words}(): ...")) == []
    assert rules.long_test_names(make_source(f"class A:\n    def test_{words}_more(self): ...")) == [
        f"test_{words}_more"
    ]


def test_a_heavy_import_is_found_at_the_top_and_allowed_inside_a_function():
    assert rules.heavy_imports(make_source("from sklearn.ensemble import X")) == ["sklearn.ensemble.X"]
    assert rules.heavy_imports(make_source("class A:\n    import pandas")) == ["pandas"]
    assert rules.heavy_imports(make_source("def fit():\n    import pandas")) == []
    assert rules.heavy_imports(make_source("if TYPE_CHECKING:\n    import pandas")) == []


@pytest.mark.parametrize("line", ["import shap", "def f():\n    from shap.maskers import Text"])
def test_a_package_that_only_tests_have_is_found_wherever_it_is_imported(line: str):
    source = make_source(f"import json\nimport numpy as np\nfrom include import names\n{line}")
    assert rules.not_deployed(source, frozenset({"json", "numpy", "include"})) == ["shap"]


def test_a_circle_is_named_even_where_a_function_hides_it():
    straight = make_source("from include.b import f", "include.a")
    back = make_source("def f():\n    from include import a", "include.b")
    assert set(floors.import_circle([straight, back])) == {"include.a", "include.b"}
    assert floors.import_circle([straight, make_source("import os", "include.b")]) == []


@pytest.mark.parametrize("line", ["os.environ['A']", "os.getenv('A')", "from os import environ"])
def test_a_read_of_the_environment_is_found(line: str):
    assert rules.environment_reads(make_source(f"import os\n{line}"))
    assert not rules.environment_reads(make_source("import os\nos.getpid()"))


@pytest.mark.parametrize(
    "literal",
    ["'lake/flight_delay'", "f'lake/{problem}'", "f'{problem}__ingest'", "'SELECT 1 FROM core.label'",
     "'core.label'", "f'lake.{problem}'", "f'{table}__quarantine'", "'_row_key'"],
)  # fmt: skip
def test_a_name_spelled_a_second_time_is_found(literal: str):
    assert rules.respelled_names(make_source(f"x = {literal}"))


@pytest.mark.parametrize(
    "literal",
    [
        "'core.quality_result has the reason'",
        "'hardcore'",
        "'lake'",
        "'a/b'",
        "'read from the lake.'",
        "'FROM bi.alert_open'",
    ],
)
def test_a_sentence_that_mentions_a_name_is_left_alone(literal: str):
    assert rules.respelled_names(make_source(f'"""core.label"""\nx = {literal}')) == []


def test_a_function_of_41_lines_is_long_and_one_of_40_is_not():
    body = "\n".join("    x = 1" for _ in range(41))
    assert rules.long_functions(make_source(f'def f():\n    """Doc."""\n{body}')) == ["f: 41 lines"]
    assert rules.long_functions(make_source(f"def f():\n{body[:-10]}")) == []
    assert rules.long_functions(make_source(f"def f():\n{body}"), limit=41) == []


def test_a_file_of_401_lines_is_long_and_one_of_400_is_not():
    assert rules.is_too_long(make_source("x = 1\n" * 401))
    assert not rules.is_too_long(make_source("x = 1\n" * 400))
    assert rules.is_too_long(make_source("x = 1\n" * 3), limit=2)


@pytest.mark.parametrize(
    "code",
    ["import pickle", "from joblib import load", "pandas.read_pickle('x')", "np.load('x', allow_pickle=True)",
     "def f():\n    import cloudpickle"],
)  # fmt: skip
def test_an_unsafe_load_is_found(code: str):
    assert rules.unsafe_loads(make_source(code))


def test_a_safe_load_is_left_alone():
    assert rules.unsafe_loads(make_source("import skops.io\nnp.load('x', allow_pickle=False)")) == []


def test_one_function_without_a_docstring_among_good_ones_is_named():
    good = '"""M."""\ndef good():\n    """G."""\ndef _own(): ...\nclass A:\n    """A."""\n'
    text = good + "    def bad(self): ...\ndef late():\n    '''\n    L.'''"
    assert rules.undocumented(make_source(good)) == []
    assert rules.undocumented(make_source(text)) == ["bad", "late"]
    assert rules.undocumented(make_source("x = 1")) == ["include.learning.training.estimators"]


def test_an_error_that_a_docstring_does_not_name_is_found():
    raises = "\n    if x:\n        raise BadKey('x')\n"
    assert (
        rules.unsaid_errors(make_source('def good(x):\n    """G.\n\n    Raises:\n        BadKey: x."""' + raises)) == []
    )
    assert rules.unsaid_errors(make_source('def bad(x):\n    """B: a BadKeyring."""' + raises)) == ["bad: BadKey"]
    assert rules.unsaid_errors(make_source('def _own(x):\n    """O."""' + raises)) == []
    assert (
        rules.unsaid_errors(
            make_source('def outer(x):\n    """O."""\n    def inner(x):\n' + raises.replace("    ", "        "))
        )
        == []
    )


def test_a_function_of_a_steps_file_that_is_no_step_is_named():
    good = "@step(Stage.LAND)\ndef find(*, problem, run_id='by-hand'): ...\ndef _own(): ...\n"
    assert rules.loose_steps(make_source(good)) == []
    assert rules.loose_steps(make_source(good + "def helper(x): ...")) == ["helper: no @step"]
    assert rules.loose_steps(make_source("@step(Stage.LAND)\ndef find(problem, run_id): ...")) != []
    assert rules.loose_steps(make_source("@step(Stage.LAND)\ndef find(*, problem): ...")) != []


def test_a_dag_that_leaves_catchup_to_a_default_is_found():
    text = "DAG(dag_id='x', schedule=None, max_active_runs=1, doc_md='', tags=[], default_args={})"
    assert rules.unwritten_dag_arguments(make_source(text)) == ["line 1: catchup"]
    assert rules.unwritten_dag_arguments(make_source(text.replace("dag_id='x'", "catchup=False"))) == []


GOOD_TASK = {"owner": "operations", "retries": 2, "doc_md": "Find."}
GOOD_DAG = {
    "doc_md": "**Who waits for it:** all. **When this is red:** wait.",
    "tags": ["mulgil"],
    "catchup": False,
    "tasks": {"find": GOOD_TASK},
}


def test_a_good_dag_has_no_faults():
    assert rules.dag_faults(GOOD_DAG) == []


@pytest.mark.parametrize(
    "change",
    [
        {"doc_md": None},
        {"doc_md": "**Who waits for it:** all."},
        {"doc_md": "**When this is red:** wait."},
        {"tags": []},
        {"catchup": True},
        {"tasks": {}},
        {"tasks": {"good": GOOD_TASK, "find": GOOD_TASK | {"retries": 1}}},
        {"tasks": {"good": GOOD_TASK, "find": GOOD_TASK | {"owner": "airflow"}}},
        {"tasks": {"good": GOOD_TASK, "find": GOOD_TASK | {"doc_md": None}}},
    ],
)
def test_one_fault_of_a_dag_is_found(change: dict[str, object]):
    assert rules.dag_faults(GOOD_DAG | change)


def make_migration(number: str, parent: str | None, named: str | None = None) -> rules.Source:
    text = f"revision = {number!r}\ndown_revision = {parent!r}\n"
    return rules.Source("migration", f"versions/{named or number}_what_{parent}.py", text)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (make_migration("0002", "0002"), "is number 0002, too"),
        (make_migration("0003", "0001"), "follows 0001, too; that makes two heads"),
        (make_migration("0003", None), "follows None, too; that makes two heads"),
        (make_migration("0004", "0003"), "follows 0003, which is not there"),
        (make_migration("0003", "0002", named="0004"), "its file says 0004, its revision 0003"),
    ],
)
def test_a_migration_beside_another_is_found(bad: rules.Source, sentence: str):
    line = [make_migration("0001", None), make_migration("0002", "0001")]
    assert rules.forked_migrations(line) == []
    (found,) = rules.forked_migrations([*line, bad])
    assert sentence in found
