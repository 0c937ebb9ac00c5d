import json
import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest

from include.engine.object_folder import ObjectFolder
from include.serving.served_log import EXPOSURES, ServedLog, name_record
from include.settings import REPOSITORY


@pytest.fixture
def landing(tmp_path):
    return ObjectFolder(str(tmp_path / "landing"), None)


def landed(tmp_path):
    paths = sorted((tmp_path / "landing").rglob("*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]


def test_records_land_whole_below_their_day_and_nothing_stays(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing)
    log.append(EXPOSURES, "a", {"unit": "줄\u2028\n"})
    log.append(EXPOSURES, "b", {"unit": "p2"})
    log.close_files()
    assert log.ship() == 1
    assert landed(tmp_path) == [{"id": "a", "unit": "줄\u2028\n"}, {"id": "b", "unit": "p2"}]
    (path,) = (tmp_path / "landing").rglob("*.jsonl")
    assert path.relative_to(tmp_path / "landing").parts[:2] == ("served", "exposures")
    assert (list((tmp_path / "log").iterdir()), log.n_bytes) == ([], 0)


def test_what_is_told_twice_is_written_once_and_the_id_is_what_it_says(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing)
    for _ in range(3):
        log.append(EXPOSURES, name_record("campaign", "p1"), {})
    log.append(EXPOSURES, name_record("campaign", "p2"), {})
    assert log.n_written == 2
    assert name_record("a", "bc") != name_record("ab", "c")


def test_while_landing_is_away_records_wait_and_land_afterwards(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing)
    (tmp_path / "landing").write_text("a file stands where the folder should be")
    log.append(EXPOSURES, "a", {})
    log.close_files()
    with pytest.raises(OSError, match="landing"):
        log.ship()
    (tmp_path / "landing").unlink()
    log.append(EXPOSURES, "b", {})
    log.close_files()
    log.ship()
    assert sorted(record["id"] for record in landed(tmp_path)) == ["a", "b"]


def test_a_full_disk_is_counted_and_said_and_raises_nothing(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing, most_bytes=30)
    for name in "abcdef":
        log.append(EXPOSURES, name, {})
    assert (log.n_written, log.n_lost) == (2, 4)
    assert "4 records were lost" in log.trouble


def test_a_record_that_the_disk_takes_in_part_is_lost_whole(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing)
    log.append(EXPOSURES, "a", {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40, before[1]))  # bytes of a file, as on a disk that is nearly full
    try:
        log.append(EXPOSURES, "b", {"unit": "p" * 100})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    log.append(EXPOSURES, "c", {})
    assert (log.n_written, log.n_lost) == (2, 1)
    assert "the disk took" in log.trouble
    log.close_files()
    log.ship()
    assert ([record["id"] for record in landed(tmp_path)], log.n_bytes) == (["a", "c"], 0)


def test_a_file_that_was_sent_but_not_removed_replaces_itself(tmp_path, landing):
    log = ServedLog(tmp_path / "log", landing)
    log.append(EXPOSURES, "a", {})
    log.close_files()
    (path,) = (tmp_path / "log").iterdir()
    content = path.read_bytes()
    log.ship()
    path.write_bytes(content)
    ServedLog(tmp_path / "log", landing).ship()
    assert [record["id"] for record in landed(tmp_path)] == ["a"]


def test_a_killed_service_loses_no_record_that_it_had_written(tmp_path, landing):
    program = f"""
        from pathlib import Path
        from include.engine.object_folder import ObjectFolder
        from include.serving.served_log import EXPOSURES, ServedLog
        log = ServedLog(Path({str(tmp_path / "log")!r}), ObjectFolder({str(tmp_path / "landing")!r}, None))
        for number in range(10**9):
            log.append(EXPOSURES, str(number), {{}})
            print(number, flush=True)
            if number % 10 == 9:
                log.close_files(); log.ship()
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
    told = [child.stdout.readline() for _ in range(137)]
    os.kill(child.pid, signal.SIGKILL)
    told += child.stdout.read().splitlines(keepends=True)
    child.wait()
    child.stdout.close()
    log = ServedLog(tmp_path / "log", landing)
    log.ship()
    found = {record["id"] for record in landed(tmp_path)}
    assert {line.strip() for line in told if line.endswith("\n")} <= found
