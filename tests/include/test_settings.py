"""What the environment says, read the same way for every setting."""

import re
import threading
from pathlib import Path

import pytest

from include.errors import BadSettings
from include.settings import (
    NAMES,
    REPOSITORY,
    Settings,
    lent_pii_keys,
    read_deadline_minutes,
    read_number,
    read_settings,
)


def test_an_empty_environment_gives_the_embedded_stack():
    settings = read_settings({})
    assert settings.home == REPOSITORY / ".mulgil"
    assert settings.lake_url == str(REPOSITORY / ".mulgil" / "lake")
    assert (settings.engine, settings.engine_memory_mb, settings.spark_master) == ("duckdb", 768, "local[*]")
    assert (settings.pii_keys, settings.s3_endpoint, settings.is_demo_reviewer_on) == (("",), None, False)
    assert read_deadline_minutes({}) == 15


def test_blanks_are_as_good_as_nothing_for_every_setting():
    assert read_settings(dict.fromkeys(NAMES, " \t")) == read_settings({})
    assert read_deadline_minutes({"MULGIL_DEADLINE_MINUTES": "  "}) == 15


def test_blanks_around_a_value_are_dropped_and_those_of_a_secret_kept():
    padded = read_settings({"MULGIL_ENGINE": " spark ", "MULGIL_ENGINE_MEMORY_MB": "512 ", "MULGIL_PII_KEY": " k "})
    assert (padded.engine, padded.engine_memory_mb, padded.pii_key) == ("spark", 512, " k ")


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "-1", "0", "1e999", "1_000", "512.5", "0x200", "٥١٢", "many", "9" * 400]
)
def test_a_number_that_is_none_of_those_allowed_is_refused_with_the_range(text: str):
    with pytest.raises(
        BadSettings, match=r"MULGIL_ENGINE_MEMORY_MB is '.*'; a whole number from 128 to 4194304 is needed"
    ):
        read_settings({"MULGIL_ENGINE_MEMORY_MB": text})


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-5", "0", "1e999", "1_5", "fifteen"])
def test_a_deadline_that_is_no_number_of_minutes_is_refused(text: str):
    with pytest.raises(BadSettings, match=r"MULGIL_DEADLINE_MINUTES is .* a number from 0\.1 to 10080 is needed"):
        read_deadline_minutes({"MULGIL_DEADLINE_MINUTES": text})


def test_both_ends_of_what_is_allowed_are_allowed():
    for text, value in (("0.1", 0.1), ("10080", 10_080.0), ("2.5", 2.5), ("+3", 3.0)):
        assert read_deadline_minutes({"MULGIL_DEADLINE_MINUTES": text}) == value
    assert read_number({"N": "7"}, "N", 1, least=7, most=7) == 7


@pytest.mark.parametrize("text", ["Spark", "duckdb spark", "polars"])
def test_an_unknown_engine_is_refused_with_those_that_there_are(text: str):
    with pytest.raises(BadSettings, match="allowed are 'duckdb' and 'spark'"):
        read_settings({"MULGIL_ENGINE": text})


def keys_of(settings: Settings) -> tuple[str, ...]:
    return settings.pii_keys


def test_lent_keys_are_seen_by_threads_and_given_back_also_after_a_failure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("MULGIL_PII_KEY", raising=False)
    seen: list[tuple[str, ...]] = []

    def work() -> None:
        with lent_pii_keys("new", ["old"]):
            thread = threading.Thread(target=lambda: seen.append(keys_of(read_settings())))
            thread.start()
            thread.join()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        work()
    assert seen == [("new", "old")]
    assert keys_of(read_settings()) == ("",)


def test_lent_keys_say_nothing_about_an_environment_that_is_handed_in():
    with lent_pii_keys("new", ["old"]):
        assert keys_of(read_settings({"MULGIL_PII_KEY": "own"})) == ("own",)


def test_a_key_that_both_places_name_is_recognised_once():
    environment = {"MULGIL_PII_KEY": "a", "MULGIL_PII_OLDER_KEYS": "b,,a,b"}
    assert keys_of(read_settings(environment)) == ("a", "b")


def sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in (REPOSITORY / folder).rglob("*.py")]


def test_in_tasks_and_pages_nothing_else_reads_the_environment_and_nothing_writes_it():
    readers = {
        str(path.relative_to(REPOSITORY))
        for path in sources("include", "dags", "plugins")
        if re.search(r"\bos\.(environ|getenv|putenv)\b|\bfrom os import\b", path.read_text())
    }
    assert readers == {"include/settings.py"}
    assert "os.environ[" not in (REPOSITORY / "include" / "settings.py").read_text()


def test_every_setting_that_tasks_read_is_named_among_those_that_restart_a_component():
    text = (REPOSITORY / "include" / "settings.py").read_text()
    read = set(re.findall(r'"(MULGIL_[A-Z0-9_]+)"', text)) - {"MULGIL_DEADLINE_MINUTES"}
    assert read == NAMES
