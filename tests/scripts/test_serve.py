"""The service as a process, asked by the official client of its protocol."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, suppress

import httpx
import pytest

from include.serving import store
from include.serving.clients.evaluate import evaluate
from include.serving.refusals import StateInUse
from include.settings import REPOSITORY, read_settings
from scripts import serve
from tests.include.serving.factories import PUBLIC, SECRET, make_experiment, make_file


@pytest.fixture
def settings(mulgil_home, monkeypatch):
    monkeypatch.setenv("MULGIL_SIGNING_KEY", SECRET)
    return read_settings()


def test_the_public_half_of_the_key_is_shown(settings, capsys):
    assert serve.main(["public-key"]) == 0
    assert capsys.readouterr().out.strip() == PUBLIC.public_bytes_raw().hex()


def test_a_key_is_shown_once_and_a_scope_that_is_none_is_refused(settings, capsys):
    assert serve.main(["key", "shop"]) == 0
    assert capsys.readouterr().out.startswith("mulgil_")
    assert serve.main(["key", "shop", "--scopes", "everything"]) == 1
    assert "'everything'" in capsys.readouterr().err


def test_two_services_never_share_a_folder(tmp_path):
    with serve.held(tmp_path), pytest.raises(StateInUse, match="--folder"), serve.held(tmp_path):
        pass


def test_without_any_signing_key_the_service_does_not_start(mulgil_home, monkeypatch, capsys):
    monkeypatch.delenv("MULGIL_SIGNING_KEY", raising=False)
    assert serve.main(["run", "--port", "0"]) == 1
    assert "Neither MULGIL_VERIFY_KEY nor MULGIL_SIGNING_KEY" in capsys.readouterr().err


@pytest.fixture
def running(settings, capsys):
    """Give the address of a running service without any warehouse, and a key."""
    experiments = {"experiment": make_experiment(), "held": make_experiment(ranges=[], phase="hold")}
    store.open_published(settings).write(store.published_key("campaign"), make_file(**experiments))
    serve.main(["key", "shop", "--scopes", "evaluate,decide,metrics"])
    key = capsys.readouterr().out.strip()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "scripts.serve", "run", "--port", str(port), "--reload-s", "0.5"]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=dict(os.environ), stdout=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    while True:
        try:
            if httpx.get(f"{address}/ready").status_code == 200:
                break
        except httpx.TransportError:
            assert process.poll() is None
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.05)  # no sleep: it ends early where the service does
    yield address, key
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    process.stdout.close()


def test_the_official_client_of_the_protocol_is_answered_as_it_expects(running, settings):
    provider_of = pytest.importorskip("openfeature.contrib.provider.ofrep").OFREPProvider
    from openfeature.evaluation_context import EvaluationContext
    from openfeature.exception import FlagNotFoundError, OpenFeatureError, TargetingKeyMissingError

    address, key = running
    provider = provider_of(address, headers_factory=lambda: {"Authorization": f"Bearer {key}"})
    for unit in ("p1", "p2", "사용자-17", "👩‍🚀"):
        told = provider.resolve_string_details("campaign.experiment", "default", EvaluationContext(unit))
        assert (told.value, str(told.reason)) == (evaluate(make_experiment(), unit), "SPLIT")
    held = provider.resolve_string_details("campaign.held", "my own default", EvaluationContext("p1"))
    assert (held.value, str(held.reason)) == ("my own default", "DEFAULT")
    with pytest.raises(FlagNotFoundError, match="there are campaign"):
        provider.resolve_string_details("campaign.none", "x", EvaluationContext("p1"))
    with pytest.raises(TargetingKeyMissingError):
        provider.resolve_string_details("campaign.experiment", "x", EvaluationContext())
    forger = provider_of(address, headers_factory=lambda: {"Authorization": "Bearer mulgil_forged"})
    with pytest.raises(OpenFeatureError, match="unauthorized"):
        forger.resolve_string_details("campaign.experiment", "x", EvaluationContext("p1"))
    health = httpx.get(f"{address}/health", headers={"X-API-Key": key}).json()
    assert (health["status"], "registry" in health["troubles"]) == ("degraded", True)  # it answers without a warehouse
