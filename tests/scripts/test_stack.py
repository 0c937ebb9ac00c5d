"""Ports, keys, the environment of Airflow, and what a person reads while waiting."""

import io
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from include.settings import read_settings
from scripts.stack import airflow, cli, home, info, keys, ports, progress, summary
from scripts.stack.airflow import Addresses
from scripts.stack.errors import PortTaken, StackError
from scripts.stack.home import Home
from scripts.stack.loop import DagCounts, Patience, Snapshot

ADDRESSES = Addresses(
    8081, "postgresql+psycopg2://airflow@127.0.0.1/airflow", "postgresql+psycopg://mulgil@127.0.0.1/m"
)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def stack_home(tmp_path: Path) -> Home:
    found = Home(tmp_path / "home")
    home.make_folders(found)
    return found


class TestPorts:
    def test_a_taken_default_gives_the_next_free_port(self, taken: int):
        assert taken < ports.choose_port("MULGIL_X_PORT", taken) < taken + ports.SPAN

    def test_a_taken_port_that_the_user_fixed_is_refused_by_name(self, taken: int, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MULGIL_X_PORT", str(taken))
        with pytest.raises(PortTaken, match=rf"Port {taken} \(MULGIL_X_PORT\) is taken by .*another port"):
            ports.choose_port("MULGIL_X_PORT", 8080)

    def test_the_port_of_last_time_is_preferred_while_it_is_free(self, taken: int):
        free = ports.choose_port("MULGIL_X_PORT", taken + 1)
        assert ports.choose_port("MULGIL_X_PORT", 8080, previous=free) == free
        assert ports.choose_port("MULGIL_X_PORT", taken + 1, previous=taken) != taken

    @pytest.mark.parametrize("text", ["80x", "0", "65536", "-1"])
    def test_a_port_that_is_none_is_refused(self, text: str, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("MULGIL_X_PORT", text)
        with pytest.raises(StackError, match="allowed is a port from 1 to 65535"):
            ports.choose_port("MULGIL_X_PORT", 8080)


class TestKeys:
    def test_keys_are_made_once_and_only_their_owner_reads_them(self, tmp_path: Path):
        made = keys.make_keys(tmp_path / "secrets.json")
        assert keys.make_keys(tmp_path / "secrets.json") == made
        assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600

    def test_no_two_homes_and_no_two_users_share_a_password(self):
        one, two = keys.Keys(), keys.Keys()
        passwords = [*one.user_passwords.values(), *two.user_passwords.values()]
        assert len({*passwords}) == 2 * len(keys.USERS)
        assert one.fernet_key != two.fernet_key

    @pytest.mark.parametrize("text", ["", "{}", "[1]", '{"fernet_key": '])
    def test_a_damaged_file_is_refused_with_a_remedy(self, text: str, tmp_path: Path):
        (tmp_path / "secrets.json").write_text(text)
        with pytest.raises(StackError, match=r"missing or damaged.*make clean"):
            keys.make_keys(tmp_path / "secrets.json")


class TestEnvironment:
    def test_the_project_reads_back_what_the_stack_sets(self, stack_home: Home):
        made = keys.Keys()
        settings = read_settings(airflow.airflow_environment(stack_home, made, ADDRESSES, is_demo_reviewer_on=True))
        assert settings.home == stack_home.root
        assert settings.warehouse_url == ADDRESSES.warehouse_url
        assert (settings.landing_url, settings.lake_url) == (str(stack_home.landing), str(stack_home.lake))
        assert settings.models_url == str(stack_home.models)
        assert settings.pii_key == made.pii_key
        assert settings.is_demo_reviewer_on

    def test_the_demo_reviewer_is_off_unless_asked_for(self, stack_home: Home):
        assert "MULGIL_DEMO_REVIEWER" not in airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)

    def test_nothing_of_the_caller_steers_airflow_or_slows_python(self):
        env = airflow.inherited_environment(
            {"AIRFLOW__CORE__EXECUTOR": "X", "PYTHONDONTWRITEBYTECODE": "1", "PGHOST": "elsewhere", "HOME": "/h"}
        )
        assert not {"AIRFLOW__CORE__EXECUTOR", "PYTHONDONTWRITEBYTECODE", "PGHOST"} & env.keys()
        assert env["HOME"] == "/h"

    def test_tasks_report_to_the_port_that_was_taken(self, stack_home: Home):
        env = airflow.airflow_environment(stack_home, keys.Keys(), ADDRESSES)
        assert env["AIRFLOW__API__PORT"] == "8081"
        assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].startswith("http://127.0.0.1:8081/")


class TestHome:
    def test_too_little_disk_is_refused_with_both_numbers(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        usage = home.shutil.disk_usage(tmp_path)._replace(free=900_000_000)
        monkeypatch.setattr(home.shutil, "disk_usage", lambda path: usage)
        with pytest.raises(StackError, match=r"Only 0\.9 GB.*need 2 GB"):
            home.check_disk(Home(tmp_path / "not" / "yet"))

    def test_a_home_that_cannot_be_made_is_refused(self, tmp_path: Path):
        (tmp_path / "file").touch()
        with pytest.raises(StackError, match=r"cannot be written.*MULGIL_HOME"):
            home.make_folders(Home(tmp_path / "file" / "home"))


class TestInfo:
    def test_json_is_all_that_a_program_needs(self, stack_home: Home):
        made = keys.Keys()
        facts = json.loads(info.format_json(info.build_info(stack_home, made, ADDRESSES, {"scheduler": True})))
        assert facts["airflow_url"] == "http://127.0.0.1:8081"
        assert facts["warehouse_url"] == ADDRESSES.warehouse_url
        assert facts["lake_url"] == str(stack_home.lake)
        assert {"name": "admin", "password": made.user_passwords["admin"], "role": "Admin"} in facts["users"]

    def test_text_names_what_does_not_run(self, stack_home: Home):
        running = {"scheduler": False, "api-server": True}
        text = info.format_text(info.build_info(stack_home, keys.Keys(), ADDRESSES, running))
        assert "not running: scheduler (start with make run)" in text

    def test_before_the_first_run_there_is_a_sentence_and_no_traceback(
        self, mulgil_home: Path, capsys: pytest.CaptureFixture[str], undisturbed_signals: None
    ):
        assert cli.main(["info"]) == 1
        assert "Start it with make run" in capsys.readouterr().err
        assert cli.main(["down"]) == 0

    def test_clean_leaves_a_folder_alone_that_it_did_not_make(
        self, mulgil_home: Path, capsys: pytest.CaptureFixture[str], undisturbed_signals: None
    ):
        (mulgil_home / "thesis.txt").touch()
        assert cli.main(["clean"]) == 1
        assert (mulgil_home / "thesis.txt").exists()


@pytest.fixture
def undisturbed_signals() -> Iterator[None]:
    """Give pytest its own Ctrl-C back after a command took it."""
    import signal

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


class TestPatience:
    def test_the_loop_rests_only_after_it_was_quiet_for_a_while(self):
        patience, quiet = Patience(settle_s=3), Snapshot({"a__land": DagCounts(done=1)})
        assert [patience.is_at_rest(quiet, now) for now in (0, 2.9, 3)] == [False, False, True]

    def test_any_change_starts_the_wait_anew(self):
        patience = Patience(settle_s=3)
        assert not patience.is_at_rest(Snapshot({"a": DagCounts(done=1)}), 0)
        assert not patience.is_at_rest(Snapshot({"a": DagCounts(done=2)}), 3)

    def test_a_running_run_is_never_rest(self):
        patience, busy = Patience(settle_s=0, stuck_s=0), Snapshot({"a": DagCounts(running=1)})
        assert not patience.is_at_rest(busy, 0)
        assert not patience.is_at_rest(busy, 1e6)

    @pytest.mark.parametrize("counts", [DagCounts(pending=1), DagCounts(running=1, waiting=1)])
    def test_what_may_wait_for_ever_is_waited_for_longer_but_not_for_ever(self, counts: DagCounts):
        patience, waiting = Patience(settle_s=3, stuck_s=20), Snapshot({"a": counts})
        assert [patience.is_at_rest(waiting, now) for now in (0, 19, 20)] == [False, False, True]


class TestProgress:
    SNAPSHOT = Snapshot({"b__ingest": DagCounts(done=2, running=1, pending=3), "b__land": DagCounts(done=1)})

    def test_stages_stand_in_the_order_in_which_data_flows(self):
        assert progress.describe_problems(self.SNAPSHOT) == ["b  land 1/1 · ingest 2/6 (1 running)"]

    def test_a_failure_is_not_overlooked(self):
        assert progress.describe_counts(DagCounts(done=1, failed=2)) == "1/3 (2 FAILED)"

    def test_a_log_file_gets_a_line_only_when_something_changed(self):
        stream = io.StringIO()
        shown = progress.Progress(stream)
        shown.show(self.SNAPSHOT)
        shown.show(self.SNAPSHOT, is_last=True)
        changed = {**self.SNAPSHOT.dags, "b__land": replace(self.SNAPSHOT.dags["b__land"], done=2)}
        shown.show(Snapshot(changed), is_last=True)
        assert [line.partition("] ")[2] for line in stream.getvalue().splitlines()] == [
            "b  land 1/1 · ingest 2/6 (1 running)",
            "b  land 2/2 · ingest 2/6 (1 running)",
        ]


class TestSummary:
    def test_a_table_is_aligned_words_left_and_numbers_right(self):
        table = summary.format_table(["problem", "n_rows"], [("ad_review", 6046), ("campaign", None)])
        assert table.splitlines() == [
            "  problem    n rows",
            "  ---------  ------",
            "  ad_review   6,046",
            "  campaign        –",
        ]

    def test_a_missing_view_is_a_sentence(self, warehouse_url: str):
        question = summary.Question("Is it complete?", "SELECT * FROM bi.nothing")
        with pytest.raises(StackError, match=r"Is it complete\?.*bi\.nothing"):
            summary.summarise(warehouse_url, [question])

    def test_every_question_of_the_summary_is_answered_by_an_empty_warehouse(self, migrated_warehouse_url: str):
        text = summary.summarise(migrated_warehouse_url)
        assert all(question.title in text for question in summary.QUESTIONS)
