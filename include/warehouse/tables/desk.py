"""The Review desk: who holds which item, what it looks like, who passed it on, and every write that was tried."""

from sqlalchemy import Index, Table
from sqlalchemy import text as sql

from include.warehouse.tables.base import METADATA, count, document, moment, number, problem_key, text

REVIEW_SEAT = Table(
    "review_seat",
    METADATA,
    problem_key(),
    text("batch_id", "batch", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    count("seat", "1, or 1 and 2 where two people should answer", key=True),
    count("position", "place of the item in its batch, from 1"),
    text("skill", "what a person must be trained for to take it; empty for anybody", nullable=True),
    text("state", "open, taken, answered, or passed: let go without a label"),
    text("person", "who has it, or answered from it; empty while it is open", nullable=True),
    moment("taken_at_utc", "when the item was shown; missing while it is open", nullable=True),
    moment("expires_at_utc", "from when on others may take it; missing while it is open", nullable=True),
    document("shown", "what was shown with the question"),
    comment="One row per answer that is wanted: an item that two people should see has two rows.",
)
_WAITING = sql("state IN ('open', 'taken')")
Index(
    "ix_review_seat_waiting",
    REVIEW_SEAT.c.problem,
    REVIEW_SEAT.c.batch_id,
    REVIEW_SEAT.c.position,
    REVIEW_SEAT.c.seat,
    postgresql_where=_WAITING,
)
Index(
    "ix_review_seat_taken",
    REVIEW_SEAT.c.person,
    REVIEW_SEAT.c.problem,
    REVIEW_SEAT.c.batch_id,
    postgresql_where=sql("state = 'taken'"),
)
# Two tabs of one person must not take both rows of an item.
Index(
    "uq_review_seat_person",
    REVIEW_SEAT.c.problem,
    REVIEW_SEAT.c.batch_id,
    REVIEW_SEAT.c.item_id,
    REVIEW_SEAT.c.person,
    unique=True,
    postgresql_where=sql("person IS NOT NULL"),
)

REVIEW_PASS = Table(
    "review_pass",
    METADATA,
    problem_key(),
    text("batch_id", "batch", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    text("person", "who passed it on", key=True),
    text("action", "skip: somebody else should answer; escalate: somebody with more to say should"),
    text("reason", "why, in the person's words"),
    moment("passed_at_utc", "when"),
    count("duration_ms", "time from shown to passed on, in milliseconds", nullable=True),
    document("shown", "what was shown with the question"),
    comment="One row per item and person who did not answer it, and why.",
)
Index("ix_review_pass_person", REVIEW_PASS.c.person, REVIEW_PASS.c.passed_at_utc)

REVIEW_CONTENT = Table(
    "review_content",
    METADATA,
    problem_key(),
    text("batch_id", "batch", key=True),
    text("item_id", "row key of the item in the lake", key=True),
    document("fields", "what people see: a list of name, kind, unit, value and n_characters, masked as in the lake"),
    text("content_hash", "hash of the fields; a decision carries it"),
    document("class_probabilities", "class or label to its probability, 0..1; missing where there are two sides"),
    number("p_positive", "what the newest model says, 0..1; missing where none has scored it", nullable=True),
    comment="One row per item on the desk: what it looks like, as the lake had it when its batch was opened.",
)
Index("ix_review_content_item", REVIEW_CONTENT.c.problem, REVIEW_CONTENT.c.item_id)

REVIEW_AUDIT = Table(
    "review_audit",
    METADATA,
    text("audit_id", "random", key=True),
    moment("written_at_utc", "when"),
    text("person", "who; a user name"),
    text("action", "take, answer, skip, escalate, undo, open, leave, finish, accept or withdraw"),
    text("problem", "problem"),
    text("batch_id", "batch, as the request named it"),
    text("item_id", "item, as the request named it; empty where it names none", nullable=True),
    document("before", "what stood there"),
    document("after", "what stands there now; n_times where the row stands for all its like of one minute"),
    text("result", "done or refused"),
    text("reason", "why it was refused; empty where it was done", nullable=True),
    text("request_id", "what the page called this request, so that it may ask again", nullable=True),
    comment="One row per write that somebody tried; what is refused, or changes nothing, is counted by the minute.",
)
Index("ix_review_audit_item", REVIEW_AUDIT.c.problem, REVIEW_AUDIT.c.batch_id, REVIEW_AUDIT.c.item_id)
# A request that is sent again after a lost connection is done once.
Index(
    "uq_review_audit_request",
    REVIEW_AUDIT.c.person,
    REVIEW_AUDIT.c.request_id,
    unique=True,
    postgresql_where=sql("result = 'done' AND request_id IS NOT NULL"),
)
