"""The shapes of what the page sends; anything else is refused before it is looked at."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from pages.writes import Name

RequestId = Annotated[Name, Field(min_length=8, max_length=64)]
# Earlier requests about the item that this one corrects: what was said while no connection was there.
Replaced = Annotated[list[RequestId], Field(max_length=100)]
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

    label: Name
    note: Annotated[str, Field(max_length=20_000)] | None = None
    looked_ms: Milliseconds | None = None
    request_id: RequestId
    replaces: Replaced = []


class PassBody(ItemBody):
    """No answer, and why."""

    action: Literal["skip", "escalate"]
    reason: Annotated[str, Field(max_length=20_000)]
    looked_ms: Milliseconds | None = None
    request_id: RequestId
    replaces: Replaced = []


class FlagBody(Body):
    """What a lead thinks of a person's flagged answers in a batch."""

    labelled_by: Name
    is_accepted: bool


class AfterwardsBody(ItemBody):
    """Another answer to an item of a finished batch: a correction, or a lead's last word."""

    label: Name
    note: Annotated[str, Field(max_length=20_000)] | None = None
    is_last_word: bool
    request_id: RequestId


class BlockBody(BaseModel):
    """Whose answers a lead takes out, or lets in again, and why."""

    model_config = ConfigDict(extra="forbid")

    problem: Name
    labelled_by: Name
    reason: Annotated[str, Field(max_length=2_000)]
    is_blocked: bool


class UndoBody(ItemBody):
    """An answer, skip or escalation taken back."""

    request_id: RequestId
