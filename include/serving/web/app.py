"""The decision service over HTTP: a route for each question, and one way to answer, refuse and measure for all.

What does not belong here: any answer (`service.py`).
"""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.serving.access import DECIDE, EVALUATE, METRICS
from include.serving.evaluation import GENERAL, INVALID_CONTEXT, LARGEST_BODY, find_flag
from include.serving.refusals import RequestRefused
from include.serving.service import Service

Endpoint = Callable[[Request], Awaitable[Response]]
# Seconds; the edges lie around what is promised, 5 ms and 15 ms.
EDGES = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 1.0)


def make_app(service: Service) -> Starlette:
    """Make the application; it reads everything before the first answer, and sends what it logged after the last."""
    meters = Meters(service)
    routes = [
        _route("/ofrep/v1/evaluate/flags/{key:path}", "evaluate", _evaluate_one, service, meters),
        _route("/ofrep/v1/evaluate/flags", "evaluate_all", _evaluate_all, service, meters),
        _route("/v1/decisions/{problem}", "decide", _decide, service, meters),
        _route("/metrics", "metrics", meters.show, service, meters, method="GET"),
        Route("/health", _health_of(service), methods=["GET"]),
        Route("/ready", _ready_of(service), methods=["GET"]),
    ]

    @asynccontextmanager
    async def live(_: Starlette) -> AsyncIterator[None]:
        await service.reload()
        beside = [
            asyncio.create_task(_repeat(service.reload, service.pace.reload_s)),
            asyncio.create_task(_repeat(service.ship, service.pace.ship_s)),
        ]
        yield
        for task in beside:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await service.ship()
        service.batcher.close()

    return Starlette(routes=routes, lifespan=live)


async def _repeat(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Do something again and again, for ever."""
    while True:
        await asyncio.sleep(every_s)
        await work()


Handler = Callable[[Service, Request], Awaitable[Response]]


def _route(
    path: str, name: str, handler: Handler, service: Service, meters: "Meters", *, method: str = "POST"
) -> Route:
    """Make a route whose answers are measured and whose refusals are the protocol's."""

    async def endpoint(request: Request) -> Response:
        started = time.perf_counter()
        try:
            response = await handler(service, request)
        except RequestRefused as refusal:
            response = _refuse(refusal, request.path_params.get("key"))
        except Exception as error:
            service.trouble = f"{name}: {type(error).__name__}: {error}"
            mistake = RequestRefused(500, GENERAL, "The service made a mistake; its /health says which.")
            response = _refuse(mistake, request.path_params.get("key"))
        meters.observe(name, response.status_code, time.perf_counter() - started)
        return response

    return Route(path, endpoint, methods=[method], name=name)


def _refuse(refusal: RequestRefused, key: str | None) -> Response:
    """Write a refusal as the protocol does."""
    body = {"errorCode": refusal.code, "errorDetails": str(refusal)} | ({"key": key} if key else {})
    headers = {}
    if refusal.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after_s)))
    if refusal.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _json(body, refusal.status, headers)


def _json(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Write a JSON answer."""
    content = json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    return Response(content, status, headers=headers, media_type="application/json")


async def _read_body(request: Request) -> bytes:
    """Read a request's body, and no more than a request may hold.

    Raises:
        RequestRefused: it holds more.
    """
    told = request.headers.get("content-length", "")
    n_bytes = int(told) if told.isdecimal() else 0
    parts: list[bytes] = []
    if n_bytes <= LARGEST_BODY:
        n_bytes = 0
        async for part in request.stream():
            parts.append(part)
            n_bytes += len(part)
            if n_bytes > LARGEST_BODY:
                break
    if n_bytes > LARGEST_BODY:
        raise RequestRefused(
            400, INVALID_CONTEXT, f"The request holds {n_bytes:,} bytes or more; at most {LARGEST_BODY:,} are read."
        )
    return b"".join(parts)


async def _evaluate_one(service: Service, request: Request) -> Response:
    """Answer for one flag."""
    name = str(request.path_params["key"])
    # Which problem a key is for is not told to who may not ask for it.
    key = service.admit(request.headers, EVALUATE, name.partition(".")[0])
    body = await _read_body(request)
    flag = find_flag(service.snapshot.flags, name, lambda flag: key.is_for(EVALUATE, flag.problem))
    return _json(service.evaluate_one(flag, body))


async def _evaluate_all(service: Service, request: Request) -> Response:
    """Answer for every flag that the key may ask for, or say that nothing has changed."""
    flags = service.admit_to_flags(request.headers)
    known = request.headers.get("if-none-match", "")
    tag, answers = service.evaluate_all(flags, await _read_body(request), known)
    headers = {"ETag": tag}
    return Response(status_code=304, headers=headers) if answers is None else _json({"flags": answers}, 200, headers)


async def _decide(service: Service, request: Request) -> Response:
    """Answer by a model."""
    problem = str(request.path_params["problem"])
    service.admit(request.headers, DECIDE, problem)
    return _json(await service.decide(problem, await _read_body(request)))


def _health_of(service: Service) -> Endpoint:
    """Make what says how the service is: 200 also where it serves what it read last."""

    async def health(request: Request) -> Response:
        return _json(service.health(with_details=service.may_see_details(request.headers)))

    return health


def _ready_of(service: Service) -> Endpoint:
    """Make what says whether to send requests here."""

    async def ready(_: Request) -> Response:
        is_ready = service.loaded_at is not None and bool(service.keys)
        return _json({"ready": is_ready}, 200 if is_ready else 503)

    return ready


class Meters:
    """What a Prometheus reads of one process."""

    def __init__(self, service: Service) -> None:
        registry = self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "mulgil_request_seconds", "time to an answer", ["route"], buckets=EDGES, registry=registry
        )
        self._answers = Counter("mulgil_answers", "answers by status", ["route", "status"], registry=registry)
        for name, text, read in (
            ("mulgil_reloads", "times that everything was read anew", lambda: service.n_reloads),
            ("mulgil_troubles", "what is not as it should be, see /health", lambda: len(service.list_troubles())),
            ("mulgil_log_written", "records of exposures and decisions", lambda: service.log.n_written),
            ("mulgil_log_lost", "records that the disk did not take", lambda: service.log.n_lost),
            ("mulgil_log_waiting_bytes", "bytes that wait for landing", lambda: service.log.n_bytes),
        ):
            Gauge(name, text, registry=registry).set_function(read)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._seconds.labels(route).observe(seconds)
        self._answers.labels(route, str(status)).inc()

    async def show(self, service: Service, request: Request) -> Response:
        """Show everything measured."""
        service.admit(request.headers, METRICS)
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4; charset=utf-8")
