"""The words of the command line, where nothing was started yet."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.stack import cli


@pytest.fixture
def undisturbed_signals() -> Iterator[None]:
    """Give pytest its own Ctrl-C back after a command took it."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_before_the_first_run_there_is_a_sentence_and_no_traceback(
    mulgil_home: Path, capsys: pytest.CaptureFixture[str], undisturbed_signals: None
):
    assert cli.main(["info"]) == 1
    assert "Start it with make run" in capsys.readouterr().err
    assert cli.main(["down"]) == 0


def test_clean_leaves_a_folder_alone_that_it_did_not_make(
    mulgil_home: Path, capsys: pytest.CaptureFixture[str], undisturbed_signals: None
):
    (mulgil_home / "thesis.txt").touch()
    assert cli.main(["clean"]) == 1
    assert (mulgil_home / "thesis.txt").exists()


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "15 minutes", "1_5", "١٥", "1e9"])
def test_a_deadline_that_is_no_number_of_minutes_is_refused_before_anything_starts(
    mulgil_home: Path,
    capsys: pytest.CaptureFixture[str],
    undisturbed_signals: None,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
):
    monkeypatch.setenv("MULGIL_DEADLINE_MINUTES", text)
    assert cli.main(["run"]) == 1
    assert f"MULGIL_DEADLINE_MINUTES is {text!r}; a number from 0.1 to" in capsys.readouterr().err
    assert list(mulgil_home.iterdir()) == []


def test_spark_without_java_is_refused_before_anything_starts(
    mulgil_home: Path,
    capsys: pytest.CaptureFixture[str],
    undisturbed_signals: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.setenv("MULGIL_ENGINE", "spark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no java"))
    assert cli.main(["run"]) == 1
    assert "MULGIL_ENGINE is spark, which needs Java 17 or newer; there is no java in JAVA_HOME" in (
        capsys.readouterr().err
    )
    # What the problem files compile to may be there; no server's folder is.
    assert {path.name for path in mulgil_home.iterdir()} <= {"cache"}
