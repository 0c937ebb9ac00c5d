"""Asks a model about everybody who waits at once: while it answers some, the next ones gather.

A model takes milliseconds whether it is asked about one row or about ten. Nobody waits for a batch to fill: the first
request finds the model idle and is answered alone.
"""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from include.learning.live.answers import Answer, LiveModel
from include.serving.refusals import RequestRefused

MOST_AT_ONCE = 64
MOST_WAITING = 1_000

Waiting = tuple[LiveModel, Mapping[str, object], "asyncio.Future[Answer]"]


class Batcher:
    """The questions that wait for the one thread that asks models."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._waiting: list[Waiting] = []
        self._drain: asyncio.Task[None] | None = None

    async def ask(self, live: LiveModel, features: Mapping[str, object]) -> Answer:
        """Ask a model about one row, together with whoever else waits.

        Args:
            features: from `read_features`.

        Raises:
            RequestRefused: a thousand wait already.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise RequestRefused(503, "OVERLOADED", f"{MOST_WAITING:,} requests wait for a model.", retry_after_s=1.0)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((live, features, future))
        if self._drain is None or self._drain.done():
            self._drain = asyncio.create_task(self._answer_all())
        return await future

    async def explain(self, live: LiveModel, features: Mapping[str, object]) -> Answer:
        """Say what moved an answer."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, live.explain, features)

    async def _answer_all(self) -> None:
        """Answer until nobody waits; those of one batch that ask the same model are asked together."""
        while self._waiting:
            live = self._waiting[0][0]
            batch = [one for one in self._waiting if one[0] is live][:MOST_AT_ONCE]
            taken = {id(one) for one in batch}
            self._waiting = [one for one in self._waiting if id(one) not in taken]
            await self._answer(live, batch)

    async def _answer(self, live: LiveModel, batch: list[Waiting]) -> None:
        """Answer one batch; where that fails, each of it alone, so that one row is an error for nobody else."""
        loop = asyncio.get_running_loop()
        try:
            answers = await loop.run_in_executor(self._pool, live.answer, [features for _, features, _ in batch])
        except Exception as error:
            for one in batch if len(batch) > 1 else ():
                await self._answer(live, [one])
            if len(batch) == 1 and not batch[0][2].done():
                batch[0][2].set_exception(error)
            return
        for (*_, future), answer in zip(batch, answers, strict=True):
            if not future.done():  # who has gone away waits no more
                future.set_result(answer)

    def close(self) -> None:
        """Let the thread end."""
        self._pool.shutdown(wait=False)
