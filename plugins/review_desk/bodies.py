"""The shapes of what the page sends; anything else is refused before it is looked at."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(min_length=1, max_length=400)]
RequestId = Annotated[str, Field(min_length=8, max_length=64)]
Milliseconds = Annotated[int, Field(ge=0, le=2**31 - 1)]


class Body(BaseModel):
    """What every write names: a batch of a problem."""

    model_config = ConfigDict(extra="forbid")

    problem: Name
    batch_id: Name


class ItemBody(Body):
    """An item of it."""

    item_id: Name


class AnswerBody(ItemBody):
    """An answer: one of the problem's classes, and perhaps a note."""

    label: Annotated[str, Field(max_length=400)]
    note: Annotated[str, Field(max_length=20_000)] | None = None
    looked_ms: Milliseconds | None = None
    request_id: RequestId


class PassBody(ItemBody):
    """No answer, and why."""

    action: Literal["skip", "escalate"]
    reason: Annotated[str, Field(max_length=20_000)]
    looked_ms: Milliseconds | None = None
    request_id: RequestId


class UndoBody(ItemBody):
    """An answer, skip or escalation taken back."""

    request_id: RequestId
