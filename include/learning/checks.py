"""What one question that the gate puts to a model came to.

What does not belong here: the questions (`evaluation/gate_checks.py`), and where they are kept
(`registry/versions.py`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One question put to a model, and the answer.

    Attributes:
        check_name: what was asked.
        is_pass: whether it may be promoted for all this check knows.
        value: what was seen; None where there was nothing to see.
        bound: what was allowed; None where there was nothing to compare with.
        detail: the check in one sentence, with its numbers.
    """

    check_name: str
    is_pass: bool
    value: float | None
    bound: float | None
    detail: str
