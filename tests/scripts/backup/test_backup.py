"""What is backed up comes back whole: after the home is lost, and while a writer and garbage collection go on."""

import shutil
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from include.lake.catalog import table_lock
from scripts.backup import freeze, programs
from scripts.backup.manifest import NAME, BadBackup, read_manifest
from scripts.backup.restore import restore
from scripts.backup.take import take_backup
from scripts.stack import databases
from scripts.stack import run as run_module
from scripts.stack.errors import AlreadyRunning, OutOfTime, StackError
from scripts.stack.processes import hold_lock
from scripts.stack.progress import Progress
from scripts.stack.stack import open_stack
from tests.scripts.backup.conftest import TABLE, Running

# Each makes, loses and restores a PostgreSQL of its own.
pytestmark = pytest.mark.slow
Law = Callable[[], dict[str, int]]


@pytest.mark.parametrize("name", ["backup", "backup.tar"])
def test_a_home_that_is_lost_comes_back_with_everything(running: Running, tmp_path: Path, counts_law: Law, name: str):
    running.publish("2013-01", 3)
    running.publish("2013-02", 5)
    content = {"landing/flights/a.jsonl": b"{}\n", "models/flights/v1.skops": b"a model", "lake/_allocation/a": b"x"}
    for path, text in content.items():
        (running.home.root / path).parent.mkdir(exist_ok=True)
        (running.home.root / path).write_bytes(text)
    content["secrets.json"] = running.home.secrets.read_bytes()
    taken = take_backup(running.home, tmp_path / name)
    assert (tmp_path / name).stat().st_mode & 0o077 == 0
    assert list(running.home.root.glob(".backup*")) == []
    running.lose()

    restored = restore(running.home, tmp_path / name)
    assert (len(restored.manifest.files), restored.set_aside, restored.other_problems) == (taken.n_files, None, ())
    assert counts_law() == {"2013-01": 3, "2013-02": 5}
    assert {path: (running.home.root / path).read_bytes() for path in content} == content
    assert running.home.secrets.stat().st_mode & 0o077 == 0
    stack = open_stack(running.home)
    stack.start_postgres()
    with stack.postgres.connect(databases.METADATA) as connection:
        assert connection.execute("SELECT run_id FROM dag_run").fetchall() == [("one",)]
    with psycopg.connect(stack.addresses.bi_url.replace("+psycopg", "")) as reader:
        assert len(reader.execute("SELECT * FROM bi.data_completeness").fetchall()) == 2


def test_what_is_backed_up_while_a_writer_publishes_and_garbage_goes_is_whole(
    running: Running, tmp_path: Path, counts_law: Law
):
    running.publish("2013-01", 1)
    is_over = threading.Event()
    broken: list[BaseException] = []

    def write() -> None:
        number = 1
        try:
            while not is_over.is_set():
                number += 1
                running.publish(f"2013-{number % 4 + 1:02d}", number)
                running.collect_garbage()
        except BaseException as error:
            broken.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        targets = [tmp_path / f"backup-{n}" for n in range(3)]
        held = [take_backup(running.home, target).held_s for target in targets]
    finally:
        is_over.set()
        writer.join()
    assert broken == []
    assert len(running.published) > 3
    assert max(held) < 5
    running.lose()
    sums = []
    for target in targets:
        restore(running.home, target, over="replace")
        sums.append(sum(counts_law().values()))
    assert sums == sorted(sums)


def test_a_home_that_holds_something_is_left_alone_without_the_clear_word(running: Running, tmp_path: Path):
    running.publish("2013-01", 3)
    take_backup(running.home, tmp_path / "backup")
    for word in ("", "yes"):
        with pytest.raises(StackError, match=r"holds something. To put it aside .* OVER=replace"):
            restore(running.home, tmp_path / "backup", over=word)
    with pytest.raises(StackError, match="make down stops it"):
        restore(running.home, tmp_path / "backup", over="replace")
    running.stop()
    restored = restore(running.home, tmp_path / "backup", over="replace")
    assert restored.set_aside is not None
    assert (restored.set_aside / "lake" / "flights").is_dir()


@pytest.mark.parametrize("damage", ["changed", "missing", "unknown"])
def test_one_damaged_file_among_good_ones_is_named_and_nothing_is_restored(
    running: Running, tmp_path: Path, damage: str
):
    running.publish("2013-01", 3)
    take_backup(running.home, tmp_path / "backup")
    running.lose()
    victim = next((tmp_path / "backup" / "lake").rglob("*.parquet"))
    if damage == "changed":
        content = bytearray(victim.read_bytes())
        content[7] ^= 1
        victim.write_bytes(content)
    elif damage == "missing":
        victim.unlink()
    else:
        victim.with_name("more.parquet").write_bytes(b"")
    with pytest.raises(BadBackup, match=r"1 of \d+ files of .* the first: lake/flights/data/2013-01/"):
        restore(running.home, tmp_path / "backup")
    assert not running.home.root.exists()


def test_a_backup_that_was_broken_off_is_not_taken_for_a_whole_one(running: Running, tmp_path: Path):
    take_backup(running.home, tmp_path / "whole.tar")
    running.lose()
    cut = tmp_path / "cut.tar"
    cut.write_bytes((tmp_path / "whole.tar").read_bytes()[:-30_000])
    with pytest.raises(BadBackup):
        restore(running.home, cut)
    with tarfile.open(tmp_path / "whole.tar") as tar:
        tar.extractall(tmp_path / "folder", filter="data")
    (tmp_path / "folder" / NAME).unlink()
    with pytest.raises(BadBackup, match="is no whole backup"):
        restore(running.home, tmp_path / "folder")


def test_a_restore_that_was_broken_off_is_begun_anew_and_never_run(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counts_law: Law
):
    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    running.publish("2013-01", 3)
    take_backup(running.home, tmp_path / "backup")
    running.lose()
    with monkeypatch.context() as patch:
        patch.setattr(programs, "load", break_off)
        with pytest.raises(KeyboardInterrupt):
            restore(running.home, tmp_path / "backup")
    with pytest.raises(StackError, match=r"A restore into .* was broken off"):
        run_module.up(running.home, Progress())
    restore(running.home, tmp_path / "backup")
    assert counts_law() == {"2013-01": 3}


def test_a_home_that_is_lost_without_its_postgres_comes_back(running: Running, tmp_path: Path, counts_law: Law):
    running.publish("2013-01", 3)
    take_backup(running.home, tmp_path / "backup")
    running.stop()
    shutil.rmtree(running.home.root)
    restore(running.home, tmp_path / "backup")
    assert counts_law() == {"2013-01": 3}


def test_a_restore_that_fails_has_said_where_the_old_home_went(
    running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def fail(*_: object) -> None:
        raise StackError("no room")

    take_backup(running.home, tmp_path / "backup")
    running.stop()
    with hold_lock(running.home.run, "restore"), pytest.raises(AlreadyRunning, match="make restore"):
        restore(running.home, tmp_path / "backup", over="replace")
    monkeypatch.setattr(programs, "load", fail)
    with pytest.raises(StackError, match="no room"):
        restore(running.home, tmp_path / "backup", over="replace")
    (aside,) = tmp_path.glob("home.before-*")
    assert str(aside) in capsys.readouterr().out


def test_a_backup_of_another_path_or_of_newer_code_is_refused(running: Running, tmp_path: Path):
    take_backup(running.home, tmp_path / "backup")
    running.lose()
    manifest = tmp_path / "backup" / NAME
    text = manifest.read_text()
    manifest.write_text(text.replace(f'"home": "{running.home.root}"', '"home": "/elsewhere"'))
    with pytest.raises(BadBackup, match="restore with MULGIL_HOME=/elsewhere"):
        restore(running.home, tmp_path / "backup")
    manifest.write_text(text)
    revision = read_manifest(tmp_path / "backup").revision
    manifest.write_text(text.replace(f'"revision": "{revision}"', '"revision": "9999"'))
    with pytest.raises(BadBackup, match="at revision 9999, which this code does not know"):
        restore(running.home, tmp_path / "backup")


def test_a_table_that_is_held_for_long_is_named(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    running.publish("2013-01", 3)
    monkeypatch.setattr(freeze, "PATIENCE_S", 0.0)
    with table_lock(TABLE), pytest.raises(OutOfTime, match=f"the lock of {TABLE}"):
        take_backup(running.home, tmp_path / "backup")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_file_that_the_warehouse_names_and_is_gone_stops_the_backup(running: Running, tmp_path: Path):
    running.publish("2013-01", 3)
    for path in (running.home.lake / "flights" / "metadata").glob("*.metadata.json"):
        path.unlink()
    with pytest.raises(StackError, match="1 of 1 files that the warehouse names are not there"):
        take_backup(running.home, tmp_path / "backup")


def test_a_target_that_exists_or_is_inside_of_the_home_is_refused(running: Running, tmp_path: Path):
    (tmp_path / "there").mkdir()
    with pytest.raises(StackError, match="is there already"):
        take_backup(running.home, tmp_path / "there")
    with pytest.raises(StackError, match="inside of the home"):
        take_backup(running.home, running.home.root / "backup")


def test_a_stack_that_is_down_is_backed_up_and_stays_down(running: Running, tmp_path: Path, counts_law: Law):
    running.publish("2013-01", 3)
    running.stop()
    take_backup(running.home, tmp_path / "backup")
    assert not running.stack.postgres.is_running()
    running.lose()
    restore(running.home, tmp_path / "backup")
    assert counts_law() == {"2013-01": 3}
