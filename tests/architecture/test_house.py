"""The whole house at once: every file has its test, `Any` is rare, sub-packages form no circle, names are short."""

import ast

from scripts.house_figures import count_any, files_without_test, source_files
from tests.architecture import floors, gaps, rules
from tests.architecture.conftest import REPOSITORY


def test_every_file_has_its_mirrored_test():
    """A file that has its test leaves `gaps.WITHOUT_TEST`; a new file never enters it."""
    assert sorted(set(files_without_test(REPOSITORY)) - gaps.WITHOUT_TEST) == []


def test_no_file_that_has_its_test_is_still_excused():
    assert sorted(gaps.WITHOUT_TEST - set(files_without_test(REPOSITORY))) == []


def test_sub_packages_of_a_room_import_each_other_in_no_circle():
    assert sorted(floors.packages_in_circles(rules.read_sources(REPOSITORY, "include"))) == []


def test_functions_that_name_any_become_fewer():
    trees = (ast.parse(path.read_text("utf-8")) for path in source_files(REPOSITORY, "include"))
    assert sum(map(count_any, trees)) <= gaps.MOST_ANY


def test_the_name_of_a_test_can_be_read_at_a_glance():
    sources = rules.read_sources(REPOSITORY, "tests")
    long = [f"{source.path}: {name}" for source in sources for name in rules.long_test_names(source)]
    assert long == []


def test_migrations_stand_in_one_line_with_a_number_each():
    """Two branches that met may have taken the same number, or follow the same one: both are found before they run."""
    versions = rules.read_migrations(REPOSITORY)
    assert len(versions) > 1
    assert rules.forked_migrations(versions) == []
