"""Why the desk may refuse a request; each has its sentence in every language of the page."""

from enum import StrEnum


class Refusal(StrEnum):
    """The reasons; what a person can do about each is in the page's texts."""

    UNKNOWN_BATCH = "unknown_batch"
    FINISHED_BATCH = "finished_batch"
    OPEN_BATCH = "open_batch"  # what is shown after the batch is not shown during
    UNKNOWN_ITEM = "unknown_item"
    UNKNOWN_CLASS = "unknown_class"
    NOT_HELD = "not_held"  # the lease is over and somebody else has it, or it was never this person's
    ANSWERED_ALREADY = "answered_already"
    LET_GO = "let_go"
    NOTHING_TO_UNDO = "nothing_to_undo"
    REASON_MISSING = "reason_missing"
    TEXT_TOO_LONG = "text_too_long"
    COVERED = "covered"
    LEADS_ONLY = "leads_only"
    UNKNOWN_FLAG = "unknown_flag"  # nothing of this person in this batch waits for a lead
    OWN_ANSWERS = "own_answers"  # another lead must look at a lead's own
    BLOCKED = "blocked"  # a lead takes no more answers from this person
    UNKNOWN_PERSON = "unknown_person"  # nobody of that name answered, or is blocked
    ON_DESK = "on_desk"  # it is being asked about now, and answered there
    NO_RIGHT = "no_right"  # whoever may read a problem may not answer for it
    MALFORMED = "malformed"  # a request's name that was another request's before
