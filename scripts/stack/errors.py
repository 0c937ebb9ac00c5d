"""The stack's own refusals: each is one sentence for the person who typed `make`, with what to do about it."""


class StackError(Exception):
    """Something stands in the way of starting or stopping; the message says what, and the remedy."""


class PortTaken(StackError):
    """A port that the user fixed belongs to another program."""


class AlreadyRunning(StackError):
    """Another command works on the same home."""


class ComponentDied(StackError):
    """A server ended by itself; the message carries its last log lines."""


class OutOfTime(StackError):
    """Something did not happen before its deadline."""


class LoopFailed(StackError):
    """DAG runs failed; the message names each, with its log."""
