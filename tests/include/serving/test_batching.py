import asyncio
import threading
from types import SimpleNamespace

import pytest

from include.serving import batching
from include.serving.batching import Batcher
from include.serving.refusals import RequestRefused


class Model:
    """Answers when it is let; remembers what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.may_answer = threading.Event()

    def answer(self, rows):
        self.asked.append([row["n"] for row in rows])
        assert self.may_answer.wait(30)
        if any(row["n"] < 0 for row in rows):
            raise ValueError("a negative row")
        return [{"n": row["n"]} for row in rows]


async def started(batcher, model, numbers):
    tasks = [asyncio.create_task(batcher.ask(model, {"n": number})) for number in numbers]
    await asyncio.sleep(0)
    return tasks


def test_who_comes_while_the_model_is_busy_is_answered_together():
    async def run():
        batcher, model = Batcher(), Model()
        tasks = await started(batcher, model, [0])
        while not model.asked:
            await asyncio.sleep(0)
        tasks += await started(batcher, model, range(1, 6))
        model.may_answer.set()
        answers = await asyncio.gather(*tasks)
        batcher.close()
        return model.asked, answers

    asked, answers = asyncio.run(run())
    assert asked == [[0], [1, 2, 3, 4, 5]]
    assert [one["n"] for one in answers] == [*range(6)]


def test_one_row_that_fails_is_an_error_for_nobody_else():
    async def run():
        batcher, model = Batcher(), Model()
        model.may_answer.set()
        tasks = await started(batcher, model, [1, -2, 3])
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        batcher.close()
        return answers

    answers = asyncio.run(run())
    assert [answers[0], answers[2]] == [{"n": 1}, {"n": 3}]
    assert isinstance(answers[1], ValueError)


def test_two_models_are_asked_apart_and_each_about_its_own():
    async def run():
        batcher, first, second = Batcher(), Model(), Model()
        first.may_answer.set()
        second.may_answer.set()
        tasks = (
            await started(batcher, first, [1])
            + await started(batcher, second, [2])
            + await started(batcher, first, [3])
        )
        answers = await asyncio.gather(*tasks)
        batcher.close()
        return first.asked, second.asked, answers

    first, second, answers = asyncio.run(run())
    assert ([n for batch in first for n in batch], second) == ([1, 3], [[2]])
    assert [one["n"] for one in answers] == [1, 2, 3]


def test_a_crowd_is_told_to_come_back_instead_of_waiting_for_ever(monkeypatch):
    monkeypatch.setattr(batching, "MOST_WAITING", 2)

    async def run():
        batcher, model = Batcher(), Model()
        tasks = await started(batcher, model, [1, 2])
        with pytest.raises(RequestRefused, match="wait for a model") as caught:
            await batcher.ask(model, {"n": 3})
        model.may_answer.set()
        await asyncio.gather(*tasks)
        batcher.close()
        return caught.value

    refusal = asyncio.run(run())
    assert (refusal.status, refusal.retry_after_s) == (503, 1.0)


def test_an_explanation_waits_its_turn():
    async def run():
        batcher = Batcher()
        told = await batcher.explain(SimpleNamespace(explain=lambda row: {"why": row["n"]}), {"n": 1})
        batcher.close()
        return told

    assert asyncio.run(run()) == {"why": 1}
