"""The decision service without HTTP: what is answered, logged and measured, and what is read anew meanwhile.

What belongs here: one object for each process, and its answers. What does not: requests and responses (`web/app.py`).
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from include.engine.object_folder import ObjectFolder
from include.learning.errors import BadFeatures
from include.learning.live.answers import read_features
from include.serving import access, evaluation
from include.serving.access import ApiKey, Limiter
from include.serving.batching import Batcher
from include.serving.evaluation import Answer, Flag
from include.serving.refusals import RequestRefused
from include.serving.served_log import DECISIONS, EXPOSURES, ServedLog, name_record
from include.serving.signing import find_public_key
from include.serving.snapshot import Loader, Snapshot
from include.settings import Settings

KEYS_FILE = "keys.json"
LONGEST_ID = 200  # characters of a decision's id


@dataclass(frozen=True)
class Pace:
    """How often what runs beside the answers does."""

    reload_s: float = 20.0
    ship_s: float = 10.0


class Service:
    """Everything that one process answers from.

    Args:
        settings: where everything is.
        folder: of the service's own state, on this machine's disk; one service alone may use it.
        pace: of what runs beside.
    """

    def __init__(self, settings: Settings, folder: Path, pace: Pace | None = None) -> None:
        self.folder = folder
        self.pace = pace or Pace()
        key = find_public_key(settings.signing_key, settings.verify_key)
        self.loader = Loader(settings, folder / "state", key)
        self.snapshot = Snapshot()
        self.log = ServedLog(folder / "log", ObjectFolder(settings.landing_url, settings.s3_endpoint))
        self.keys: dict[str, ApiKey] = {}
        self.limiter = Limiter()
        self.batcher = Batcher()
        self.n_reloads = 0
        self.loaded_at: datetime | None = None
        self.trouble = ""
        self.landing_trouble = ""

    async def reload(self) -> None:
        """Read everything anew beside the answers, then answer from that: who is being answered keeps what he has."""
        try:
            self.keys = await asyncio.to_thread(access.read_keys, self.folder / KEYS_FILE)
            self.snapshot = await asyncio.to_thread(self.loader.load, self.snapshot)
            self.loaded_at, self.trouble = datetime.now(UTC), ""
            self.n_reloads += 1
        except Exception as error:  # what it may be, nobody can list; the next reading comes all the same
            self.trouble = f"{type(error).__name__}: {error}"

    async def ship(self) -> None:
        """Send what was logged so far to landing; what landing does not take waits here."""
        try:
            self.log.close_files()
            await asyncio.to_thread(self.log.ship)
            self.landing_trouble = ""
        except Exception as error:  # of the disk, or of any store's library
            self.landing_trouble = f"Landing takes nothing: {error}. It waits here."

    def admit(self, headers: Mapping[str, str], scope: str, problem: str | None = None) -> ApiKey:
        """Let a request in.

        Raises:
            RequestRefused: its key is missing, unknown, for something else, or asks too often.
        """
        key = access.admit(self.keys, access.find_secret(headers))
        self.limiter.take(key, time.monotonic())
        access.require_scope(key, scope, problem)
        return key

    def admit_to_flags(self, headers: Mapping[str, str]) -> dict[str, Flag]:
        """Let a request in that asks for all flags, and give those that its key is for.

        Raises:
            RequestRefused: its key is missing, unknown, for something else, or asks too often.
        """
        key = access.admit(self.keys, access.find_secret(headers))
        self.limiter.take(key, time.monotonic())
        flags = {name: flag for name, flag in self.snapshot.flags.items() if key.is_for(access.EVALUATE, flag.problem)}
        if not flags:
            access.require_scope(key, access.EVALUATE)
        return flags

    def evaluate_one(self, flag: Flag, body: bytes) -> Answer:
        """Say which variant of a flag a unit gets, and log that it was told.

        Raises:
            RequestRefused: the request cannot be read.
        """
        unit = evaluation.read_unit(body)
        answer = evaluation.evaluate_flag(flag, unit)
        self._log_exposure(flag, unit, answer, "single")
        return answer

    def evaluate_all(self, flags: Mapping[str, Flag], body: bytes, known_tag: str) -> tuple[str, list[Answer] | None]:
        """Say which variant of every flag a unit gets.

        Args:
            flags: that the key may ask for.
            body: of the request.
            known_tag: what the program has already, or empty.

        Returns:
            the tag of the answers, and the answers; None where the program has them.

        Raises:
            RequestRefused: the request cannot be read.
        """
        unit = evaluation.read_unit(body)
        tag = evaluation.entity_tag(flags, unit)
        if tag == known_tag:
            return tag, None
        answers = []
        for flag in flags.values():
            answers.append(evaluation.evaluate_flag(flag, unit))
            self._log_exposure(flag, unit, answers[-1], "bulk")
        return tag, answers

    def _log_exposure(self, flag: Flag, unit: str, answer: Answer, source: str) -> None:
        """Log that a unit was told a variant; one that takes no part was told nothing."""
        variant = str(answer["variant"])
        if "value" not in answer:
            return
        record_id = name_record(flag.problem, flag.name, unit, variant, flag.revision, source)
        record = {
            "event": "exposure",
            "exposed_at": datetime.now(UTC).isoformat(),
            "unit": unit,
            "problem": flag.problem,
            "experiment": flag.name,
            "variant": variant,
            "phase": flag.experiment["phase"],
            "window": flag.experiment["window"],
            "revision": flag.revision,
            "propensity": evaluation.propensity(flag, variant),
            "source": source,
        }
        self.log.append(EXPOSURES, record_id, record)

    async def decide(self, problem: str, body: bytes) -> Answer:
        """Say what a problem's promoted model makes of one row, and log it.

        Args:
            body: a JSON object with `features`; where wanted `id`, the program's own name of this decision, and
                `explain: true`.

        Returns:
            decision_id, problem, model_version, action, and p_positive or probabilities; `explanation` where wanted.

        Raises:
            RequestRefused: there is no model, or the request cannot be read.
        """
        served = self.snapshot.models.get(problem)
        if served is None:
            trouble = self.snapshot.troubles.get(f"model of {problem}", "no version of it is promoted")
            why = self.snapshot.unanswered.get(problem, trouble)
            raise RequestRefused(404, "MODEL_NOT_FOUND", f"No model answers for {problem!r:.80}: {why}")
        request = evaluation.read_object(body)
        own_id = request.get("id")
        if own_id is not None and (not isinstance(own_id, str) or not 0 < len(own_id) <= LONGEST_ID):
            raise RequestRefused(400, "PARSE_ERROR", f"'id' must be a text of 1 to {LONGEST_ID} characters.")
        try:
            features = read_features(served.live, request.get("features"))
        except BadFeatures as error:
            raise RequestRefused(400, "INVALID_FEATURES", str(error)) from error
        decision_id = name_record(problem, own_id) if own_id else secrets.token_hex(16)
        made = await self.batcher.ask(served.live, features)
        answer: Answer = {"decision_id": decision_id, "problem": problem, **made}
        now = datetime.now(UTC).isoformat()
        self.log.append(
            DECISIONS,
            decision_id,
            {"event": "decision", "decided_at": now, "own_id": own_id, **answer, "features": request["features"]},
        )
        if request.get("explain") is True:
            answer["explanation"] = await self.batcher.explain(served.live, features)
        return answer

    def list_troubles(self) -> dict[str, str]:
        """Say everything that is not as it should be; what was read last is served meanwhile."""
        own = {"reload": self.trouble, "landing": self.landing_trouble, "log": self.log.trouble}
        if self.loaded_at is not None and not self.keys:
            own["keys"] = "No key is known, so everybody is refused: make serve-key NAME=name makes one."
        return {name: text for name, text in own.items() if text} | dict(self.snapshot.troubles)

    def may_see_details(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request shows a key for how the service is; nobody is refused, and it counts for no rate."""
        key = self.keys.get(access.hash_secret(access.find_secret(headers)))
        return key is not None and key.is_for(access.METRICS)

    def health(self, *, with_details: bool) -> Answer:
        """Say how the service is.

        Args:
            with_details: also what it answers from, and each trouble in a sentence. These name problems, models and
                hosts, so they are not told to everybody; that there is no key is, because nobody could ask with one.
        """
        troubles = self.list_troubles()
        loaded_at = self.loaded_at.isoformat() if self.loaded_at else None
        told: Answer = {"status": "degraded" if troubles else "ok", "loaded_at": loaded_at, "n_troubles": len(troubles)}
        if not with_details:
            return told | {"troubles": {name: text for name, text in troubles.items() if name == "keys"}}
        return told | {
            "flags": {key: flag.revision for key, flag in self.snapshot.flags.items()},
            "models": {name: served.live.version for name, served in self.snapshot.models.items()},
            "waiting_for_landing_bytes": self.log.n_bytes,
            "troubles": troubles,
        }
