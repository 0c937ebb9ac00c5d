"""Measures the decision service on one core: how long programs wait, and whether reloads or a lost warehouse cost any.

Requests come at fixed times, as from many programs, and are timed from when they were due: one that waits behind a slow
one counts its waiting. The clients share the machine, so its load is printed, and what the service itself needs of a
core for a request, which does not depend on who else is busy.

What does not belong here: whether answers are right (tests/include/serving).
"""

import asyncio
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import yaml

from bench.house import open_house

OFREP_PER_S, DECISIONS_PER_S, SECONDS, N_CONNECTIONS = 2_000, 500, 10, 32
OFREP_BAR_MS, DECISION_BAR_MS = 5.0, 15.0
N_RELOADS = 20
NUMBERS, WORDS = [f"number_{index}" for index in range(16)], [f"word_{index}" for index in range(4)]
PORT = 18_090
HEAD = "| what | a second | p50 ms | p99 ms | ms of a core each | failed | load |\n|---|---|---|---|---|---|---|"


def write_problem(home: Path) -> None:
    """Write a problem of twenty features."""
    columns = {name: {"type": "number"} for name in NUMBERS} | {name: {"type": "string"} for name in WORDS}
    problem = {
        **{"name": "bench", "title": "T", "why": "W", "owner": "o", "escalation": "e"},
        "source": {
            **{"landing": "bench", "grain": "month", "key": ["id"], "event_time": "at"},
            "columns": {"id": {"type": "string"}, "at": {"type": "timestamp"}, "is_bad": {"type": "boolean"}} | columns,
        },
        "label": {
            **{"classes": ["good", "bad"], "positive": "bad", "source": "log"},
            **{"positive_when": "is_bad", "known_when": "is_bad IS NOT NULL"},
        },
        "value": {"unit": "euros", "true_positive": 2, "false_positive": -1, "true_negative": 0, "false_negative": -2},
        "training": {"model": "gradient_boosting", "features": {"numeric": NUMBERS, "categorical": WORDS}},
    }
    (home / "problems" / "bench.yaml").write_text(yaml.safe_dump(problem))


def promote(version: str, seed: int) -> None:
    """Fit gradient boosting on 20 features, register it and let it serve."""
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import FunctionTransformer

    from include.learning.calibration.calibrators import Calibrated
    from include.learning.data.dataset import training_of
    from include.learning.data.features import FeatureSpec, build_features
    from include.learning.registry import versions
    from include.learning.registry.artifacts import StoredModel, save_model
    from include.learning.training.estimators import make_classifier
    from include.problems.reading import load_problem
    from include.settings import read_settings
    from include.warehouse.database import open_warehouse
    from include.warehouse.loading import upsert_rows
    from include.warehouse.tables.learning import MODEL_VERSION

    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({name: rng.normal(size=5_000) for name in NUMBERS})
    rows = rows.assign(**{name: rng.choice([*"abcdef"], 5_000) for name in WORDS})
    is_bad = (rows["number_0"] + rows["number_1"] + rng.normal(size=5_000) > 0).to_numpy(dtype=np.int64)
    spec = FeatureSpec(tuple(NUMBERS), {name: tuple("abcdef") for name in WORDS}, ())
    features = training_of(load_problem("bench")).features
    frame = build_features(rows, spec)
    encoder = FunctionTransformer().fit(frame)  # trees need none
    trees = make_classifier("gradient_boosting", spec, features, seed).fit(frame, is_bad)
    model = Pipeline([("encoder", encoder), ("model", Calibrated(trees, "sigmoid").fit(frame, is_bad))])
    path, sha256 = save_model(versions.models_folder(read_settings(), "bench"), StoredModel(model, spec, version))
    now = datetime.now(UTC)
    row = {
        **{"problem": "bench", "model_version": version, "model_name": "gradient_boosting", "status": "candidate"},
        **{"trained_through": "2013-03", "snapshot_id": "1", "labels_as_of_utc": now, "trained_at_utc": now},
        **{"n_train": 5_000, "n_calibrate": 5_000, "n_evaluate": 1, "features": spec.names, "feature_auc": {}},
        **{"artifact_url": path.name, "artifact_sha256": sha256, "threshold_ratio": 0.5, "parameters": {}},
    }
    with open_warehouse().begin() as connection:
        upsert_rows(connection, MODEL_VERSION, [row])
        event = {"problem": "bench", "model_version": version, "event": "promoted", "actor": "gate", "reason": "bench"}
        versions.add_event(connection, event | {"serves_from": "2013-04"}, now=now)


def publish(revision: int) -> None:
    """Publish ranges of an experiment."""
    from include.serving import allocation_file, store
    from include.serving.signing import make_signer
    from include.settings import read_settings

    settings = read_settings()
    ranges = [{"variant": "a", "low": 0.0, "high": 0.5}, {"variant": "b", "low": 0.5, "high": 1.0}]
    experiment = {"salt": "s", "unit": "id", "phase": f"pilot {revision}", "window": "2013-04", "ranges": ranges}
    key = make_signer(settings.signing_key)
    content = allocation_file.encode_allocation(
        "campaign", {"experiment": experiment}, key=key, revision=revision, before=None
    )
    store.open_published(settings).write(store.published_key("campaign"), content)


Body = Callable[[int], tuple[str, bytes]]


def ofrep_body(index: int) -> tuple[str, bytes]:
    """Ask for one flag, each time of another unit."""
    body = json.dumps({"context": {"targetingKey": f"unit-{index}"}}).encode()
    return "/ofrep/v1/evaluate/flags/campaign.experiment", body


def decision_body(index: int) -> tuple[str, bytes]:
    """Ask the model about one row."""
    features: dict[str, object] = {name: (index % 17) / 7 + place for place, name in enumerate(NUMBERS)}
    features |= dict.fromkeys(WORDS, "abcdef"[index % 6])
    return "/v1/decisions/bench", json.dumps({"features": features}).encode()


async def drive(key: str, per_second: int, seconds: float, make: Body) -> tuple[np.ndarray, int]:
    """Send requests at fixed times; give how long each waited, in ms, and how many failed."""
    start = time.perf_counter() + 0.5
    times: list[float] = []
    failed = 0
    numbers = iter(range(int(per_second * seconds)))

    async def work() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        for number in numbers:
            due = start + number / per_second
            path, body = make(number)
            head = (
                f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            try:
                writer.write(head.encode() + body)
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                await reader.readexactly(length)
                failed += not answer.startswith(b"HTTP/1.1 200")
            except (OSError, asyncio.IncompleteReadError):
                failed += 1
                reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            times.append((time.perf_counter() - due) * 1_000)
        writer.close()

    await asyncio.gather(*(work() for _ in range(N_CONNECTIONS)))
    return np.array(times), failed


def measure(name: str, service: psutil.Process, key: str, per_second: int, make: Body) -> tuple[float, int]:
    """Drive the service and print a row of the table; give the 99th percentile, in ms, and how many failed."""
    before = sum(service.cpu_times()[:2])
    times, failed = asyncio.run(drive(key, per_second, SECONDS, make))
    busy_ms = (sum(service.cpu_times()[:2]) - before) * 1_000 / len(times)
    p50, p99 = np.percentile(times, [50, 99])
    shown = [name, f"{per_second:,}", f"{p50:.1f}", f"{p99:.1f}", f"{busy_ms:.2f}", f"{failed} of {len(times):,}"]
    print(f"| {' | '.join(shown)} | {os.getloadavg()[0]:.0f} |", flush=True)
    return float(p99), failed


def start_service(home: Path) -> tuple[subprocess.Popen[bytes], str]:
    """Start the service on one core, with a key."""
    command = [sys.executable, "-m", "scripts.serve"]
    made = subprocess.run(
        [*command, "key", "bench", "--scopes", "evaluate,decide,metrics", "--per-second", "1000000"],
        capture_output=True,
        check=True,
    )
    log = (home / "service.log").open("wb")
    more = ["run", "--port", str(PORT), "--reload-s", "0.4", "--ship-s", "2"]
    process = subprocess.Popen([*command, *more], stdout=log, stderr=log)
    with suppress(AttributeError):
        os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0))})
    return process, made.stdout.decode().strip()


async def wait_until_ready() -> None:
    """Wait until the service answers."""
    for _ in range(1_500):
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            writer.write(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            if (await reader.read()).startswith(b"HTTP/1.1 200"):
                return
        await asyncio.sleep(0.2)
    raise SystemExit("The service did not start; its log is in the home.")


def served(key: str) -> tuple[int, str]:
    """Say which revision and which model the service answers from."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request("GET", "/health", headers={"Authorization": f"Bearer {key}"})
    health = json.loads(connection.getresponse().read())
    connection.close()
    return int(health["flags"]["campaign.experiment"]), str(health["models"]["bench"])


def reload_meanwhile(stop: list[bool]) -> None:
    """Publish and promote anew, twenty times."""
    for number in range(N_RELOADS):
        if stop:
            return
        publish(100 + number)
        if number % 5 == 0:
            promote(f"v{number + 2:02d}", seed=number + 2)
        time.sleep(SECONDS / N_RELOADS)


def main() -> int:
    """Measure, print the table, and fail where a request failed or a bar was missed."""
    import threading

    from include.settings import REPOSITORY
    from scripts.stack.postgres import EmbeddedPostgres

    # Libraries that fight for cores measure each other.
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with open_house() as home:
        os.environ["MULGIL_SIGNING_KEY"] = "a key for this measurement alone, and for no other"
        write_problem(home)
        source = REPOSITORY / "include" / "problems" / "campaign.yaml"
        (home / "problems" / "campaign.yaml").write_bytes(source.read_bytes())
        promote("v01", seed=1)
        publish(1)
        process, key = start_service(home)
        try:
            asyncio.run(wait_until_ready())
            service = psutil.Process(process.pid)
            asyncio.run(drive(key, 100, 2, decision_body))
            print(HEAD, flush=True)
            ofrep, failed_1 = measure("variant of a unit", service, key, OFREP_PER_S, ofrep_body)
            decision, failed_2 = measure("decision by a model", service, key, DECISIONS_PER_S, decision_body)
            stop: list[bool] = []
            thread = threading.Thread(target=reload_meanwhile, args=(stop,))
            thread.start()
            _, failed_3 = measure("decision, during 20 reloads", service, key, DECISIONS_PER_S, decision_body)
            stop.append(True)
            thread.join()
            revision, version = served(key)
            print(f"Served then: revision {revision} of {99 + N_RELOADS}, model {version}.", file=sys.stderr)
            EmbeddedPostgres(home / "postgres", "", is_durable=False).stop()
            _, failed_4 = measure("decision, PostgreSQL stopped", service, key, DECISIONS_PER_S, decision_body)
            _, failed_5 = measure("variant, PostgreSQL stopped", service, key, OFREP_PER_S, ofrep_body)
        finally:
            process.terminate()
            process.wait(30)
    is_good = ofrep <= OFREP_BAR_MS and decision <= DECISION_BAR_MS
    return 0 if is_good and failed_1 + failed_2 + failed_3 + failed_4 + failed_5 == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
