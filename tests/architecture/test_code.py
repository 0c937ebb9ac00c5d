"""The rules of `rules.py`, asked of this repository's own code."""

import re
import sys
from collections.abc import Callable
from importlib.metadata import packages_distributions

from tests.architecture import floors, rules
from tests.architecture.conftest import REPOSITORY

INCLUDE = rules.read_sources(REPOSITORY, "include")
DAGS = rules.read_sources(REPOSITORY, "dags")
PLUGINS = rules.read_sources(REPOSITORY, "plugins")
SCRIPTS = rules.read_sources(REPOSITORY, "scripts")
LIBRARY = frozenset(sys.stdlib_module_names)

# The page of a plugin and the helpers of the DAG files are imported from their own folders.
OWN = frozenset({"include", *(source.module.split(".")[1] for source in [*DAGS, *PLUGINS])})


def deployed_names() -> frozenset[str]:
    """Name everything that can be imported where only the pins for running, with or without Spark, are installed."""
    files = (REPOSITORY / name for name in ("requirements.txt", "requirements-spark.txt"))
    pinned = {re.split(r"[=\[]", line)[0] for file in files for line in file.read_text("utf-8").splitlines() if line}
    found = packages_distributions().items()
    plain = re.compile(r"[-_.]+")
    return LIBRARY | OWN | {name for name, of in found if {plain.sub("-", one.lower()) for one in of} & pinned}


DEPLOYED = deployed_names()


def each(*sources: rules.Source) -> Callable[[Callable[[rules.Source], list[str]]], Callable[[], None]]:
    """Make one test of a question about a file: it is asked of every file, and each answer is a fault."""

    def decorate(ask: Callable[[rules.Source], list[str]]) -> Callable[[], None]:
        def test() -> None:
            assert {source.path: found for source in sources if (found := ask(source))} == {}

        test.__name__ = ask.__name__
        return test

    return decorate


@each(*INCLUDE)
def test_a_room_stays_true_without_airflow_and_the_web(source: rules.Source) -> list[str]:
    return floors.web_imports(source)


@each(*INCLUDE)
def test_a_room_meets_others_only_at_the_common_doors(source: rules.Source) -> list[str]:
    return floors.closed_doors(source)


@each(*PLUGINS)
def test_a_page_calls_steps_and_queries_and_reaches_around_no_room(source: rules.Source) -> list[str]:
    return floors.foreign_to_a_page(source)


@each(*[source for source in INCLUDE if source.module in floors.HALL])
def test_the_hall_imports_only_the_standard_library(source: rules.Source) -> list[str]:
    return floors.foreign_to_the_hall(source, LIBRARY)


@each(*[source for source in INCLUDE if source.room == floors.STATS])
def test_statistics_import_only_arithmetic_and_the_hall(source: rules.Source) -> list[str]:
    return floors.foreign_to_stats(source, LIBRARY)


@each(*INCLUDE, *DAGS, *PLUGINS)
def test_what_runs_imports_nothing_that_only_the_development_environment_installs(source: rules.Source) -> list[str]:
    return rules.not_deployed(source, DEPLOYED)


def test_no_imports_go_in_a_circle():
    assert floors.import_circle([*INCLUDE, *SCRIPTS]) == []


@each(*[source for source in [*INCLUDE, *DAGS, *PLUGINS] if source.module != "include.settings"])
def test_only_the_settings_read_the_environment(source: rules.Source) -> list[str]:
    return rules.environment_reads(source)


@each(*[source for source in [*INCLUDE, *DAGS, *PLUGINS] if source.module != "include.names"])
def test_names_that_cross_doors_are_spelled_once(source: rules.Source) -> list[str]:
    return rules.respelled_names(source)


@each(*[source for source in INCLUDE if source.module.endswith(".steps")])
def test_steps_import_nothing_heavy_at_their_top(source: rules.Source) -> list[str]:
    return rules.heavy_imports(source)


@each(
    *[source for source in INCLUDE if source.module.endswith(".steps") and source.module != "include.warehouse.steps"]
)
def test_every_public_function_of_a_steps_file_is_a_step(source: rules.Source) -> list[str]:
    return rules.loose_steps(source)


@each(*DAGS)
def test_a_dag_file_imports_steps_and_names_only(source: rules.Source) -> list[str]:
    return floors.foreign_to_a_dag(source, LIBRARY)


@each(*DAGS)
def test_a_dag_writes_down_how_often_it_runs(source: rules.Source) -> list[str]:
    return rules.unwritten_dag_arguments(source)


@each(*INCLUDE, *DAGS, *PLUGINS)
def test_functions_and_files_stay_short(source: rules.Source) -> list[str]:
    return rules.long_functions(source) + ["the file"] * rules.is_too_long(source)


@each(*INCLUDE, *DAGS, *PLUGINS)
def test_nothing_loads_objects_that_may_run_code(source: rules.Source) -> list[str]:
    return rules.unsafe_loads(source)


@each(*INCLUDE, *DAGS, *PLUGINS)
def test_everything_public_says_what_it_is(source: rules.Source) -> list[str]:
    return rules.undocumented(source)


@each(*INCLUDE, *DAGS, *PLUGINS, *SCRIPTS)
def test_everything_public_names_the_errors_that_it_raises(source: rules.Source) -> list[str]:
    return rules.unsaid_errors(source)


def test_airflow_imports_no_file_of_a_page_a_second_time():
    ignored = (REPOSITORY / "plugins" / ".airflowignore").read_text(encoding="utf-8").split()
    folders = {path.parent.name for path in (REPOSITORY / "plugins").glob("*/__init__.py")}
    assert folders <= {line.rstrip("/") for line in ignored}


def test_the_rules_were_asked_of_every_room():
    rooms = {source.room for source in INCLUDE}
    assert {f"include.{path.name}" for path in (REPOSITORY / "include").iterdir() if any(path.glob("*.py"))} <= rooms
    assert len(INCLUDE) > 20
    assert len(DAGS) >= 8
