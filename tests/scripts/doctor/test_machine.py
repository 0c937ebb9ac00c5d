"""What the doctor finds on the machine itself: disks, packages, ports, servers that ended."""

import socket
from pathlib import Path

import pytest

from scripts.doctor import machine
from scripts.doctor.finding import Finding
from scripts.doctor.place import Place
from scripts.stack import home as home_module
from scripts.stack import keys
from scripts.stack.home import Home
from scripts.stack.stack import Stack


@pytest.fixture
def place(tmp_path: Path) -> Place:
    home = Home(tmp_path / "home")
    home_module.make_folders(home)
    stack = Stack(home, keys.make_keys(home.secrets))
    return Place(home, stack, False, "", "", {}, "duckdb")


def test_room_is_asked_for_on_every_disk_once(place: Place):
    assert list(machine.look_at_disks(place, needed_gb=0)) == []
    (finding,) = machine.look_at_disks(place, needed_gb=1e9)
    assert finding.n >= 1
    assert "GB at " in finding.worst


def test_what_a_killed_backup_left_is_named(place: Place):
    assert list(machine.look_at_backups(place)) == []
    left = place.home.root / ".backup-4194305-left"
    left.mkdir()
    (finding,) = machine.look_at_backups(place)
    assert (finding.n, finding.worst) == (1, str(left))


def test_a_package_that_is_older_or_missing_is_named(place: Place, tmp_path: Path):
    lock = tmp_path / "requirements.txt"
    lock.write_text("pytest>=1\nnever-made==1.0\npsutil==0.1\nother==1 ; python_version < '3'\n")
    (finding,) = machine.look_at_packages(place, [lock])
    assert finding.n == 2
    assert "never-made missing, wanted 1.0" in finding.worst
    assert "psutil " in finding.worst
    lock.write_text("pytest>=1\n    --hash=sha256:0\n# psutil==0.1\n")
    assert list(machine.look_at_packages(place, [lock])) == []


def test_what_is_installed_here_is_what_the_lock_says(place: Place):
    assert list(machine.look_at_packages(place)) == []


def test_an_unsupported_python_is_named(place: Place, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "PYTHONS", ((3, 98), (3, 99)))
    (finding,) = machine.look_at_packages(place, [])
    assert finding.what == "This Python is not one of 3.98 to 3.99"


def test_spark_without_java_is_named(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    spark = Place(place.home, place.stack, False, "", "", {}, "spark")
    (finding,) = machine.look_at_packages(spark, [])
    assert finding.what == "The engine cannot start here"


def test_a_port_that_another_program_took_is_named_with_it(place: Place):
    assert place.stack is not None
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        place.stack.airflow_port = other.getsockname()[1]
        (finding,) = machine.look_at_ports(place)
        assert finding.worst.startswith(f"{place.stack.airflow_port} of Airflow by ")
    assert list(machine.look_at_ports(place)) == []


def test_a_home_without_a_stack_and_one_that_is_down_are_told_apart(place: Place):
    (down,) = machine.look_at_servers(place)
    assert down.what == "The stack does not run"
    (new,) = machine.look_at_servers(Place(place.home, None, False, "", "", {}, "duckdb"))
    assert new.what == "Nothing was started yet in this home"


def test_a_stack_that_is_half_dead_is_named_with_its_last_words(place: Place, monkeypatch: pytest.MonkeyPatch):
    assert place.stack is not None
    place.home.log("scheduler").write_text("first\nOut of memory\n")
    states = {"postgresql": True, "api-server": False, "scheduler": False}
    monkeypatch.setattr(place.stack, "running", lambda: states)
    found: list[Finding] = list(machine.look_at_servers(place))
    assert (found[0].n, found[0].what) == (2, "Servers ended: api-server, scheduler")
    states["api-server"] = True
    ended, silent = machine.look_at_servers(place)
    assert ended.worst == "scheduler: Out of memory"
    assert silent.what == "Airflow's api-server runs and does not answer"
