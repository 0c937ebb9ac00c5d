"""Licences of what is locked: permissive, or an exception with a reason; and the list of packages."""

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from scripts import audit_deps
from scripts.audit_deps import Package, build_sbom, find_faults, find_licence, is_permissive, read_locks, read_packages

LOCKED = read_packages(read_locks([audit_deps.REPO / name for name in audit_deps.LOCKS]))[0]


def said(**fields: str | list[str]) -> Any:
    message = EmailMessage()
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            message[name.replace("_", "-")] = value
    return cast(Any, message)


def test_every_locked_package_is_permissive_or_an_exception_with_a_reason():
    assert len(LOCKED) > 200
    assert list(find_faults(LOCKED)) == []


def test_one_package_that_is_not_allowed_among_good_ones_is_named():
    packages = [*LOCKED, Package("viral", "1.0", "GPL-3.0-only", ""), Package("silent", "2.0", "", "")]
    viral, silent = find_faults(packages)
    assert viral.startswith("viral 1.0: GPL-3.0-only is not permissive")
    assert silent.startswith("silent 2.0: no licence said")


def test_an_exception_that_nothing_needs_any_more_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(audit_deps.EXCEPTIONS, "packaging", "once")
    assert list(find_faults(LOCKED)) == [
        "packaging needs no exception any more: remove it from EXCEPTIONS of scripts/audit_deps.py."
    ]


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only AND MIT", False),
        ("Apache-2.0 WITH LLVM-exception AND BSD-2-Clause", True),
        ("(MIT OR GPL-2.0) AND MIT", False),
        ("MPL-2.0", False),
        ("mit-like", False),
        ("", False),
    ],
)
def test_an_expression_is_permissive_only_where_one_of_its_ways_is(licence: str, expected: bool):
    assert is_permissive(licence) is expected


def test_the_expression_goes_before_classifiers_and_those_before_the_field():
    classifiers = ["License :: OSI Approved :: MIT License", "License :: OSI Approved :: GNU GPL", "Topic :: X"]
    assert find_licence(said(License_Expression="ISC", Classifier=classifiers)) == "ISC"
    assert find_licence(said(Classifier=classifiers, License="BSD")) == "MIT AND GNU GPL"
    assert find_licence(said(License="BSD")) == "BSD-3-Clause"
    assert find_licence(said(Name="a")) == ""


def test_locks_are_read_without_comments_hashes_options_and_other_systems(tmp_path: Path):
    lock = tmp_path / "a.txt"
    lock.write_text("# x\n-c other.txt\nA_b==1 \\\n    --hash=sha256:00\nold==1 ; python_version < '3'\nz==1  # why\n")
    assert read_locks([lock]) == ["a-b", "z"]


def test_what_is_not_installed_here_is_said_and_not_passed_over():
    assert read_packages(["packaging", "never-made"])[1] == ["never-made"]


def test_the_list_names_every_package_once_and_is_the_same_each_time():
    sbom = build_sbom(LOCKED)
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    references = [component["bom-ref"] for component in sbom["components"]]
    assert len(set(references)) == len(LOCKED)
    assert json.dumps(sbom) == json.dumps(build_sbom(LOCKED))
    licences = {component["name"]: component["licenses"] for component in sbom["components"]}
    assert licences["numpy"][0]["expression"].startswith("BSD-3-Clause")
    assert licences["skops"] == [{"license": {"name": "OSI Approved"}}]


def test_the_list_is_written_where_it_was_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert audit_deps.main(["--sbom", str(tmp_path / "sbom.json")]) == 0
    assert len(json.loads((tmp_path / "sbom.json").read_text())["components"]) == len(LOCKED)
    assert "psycopg: LGPL-3.0" in capsys.readouterr().out
