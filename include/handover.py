"""What one step hands to the next: fields of a mapping that Airflow keeps as JSON, read by their names and kinds.

Every room's contracts read their fields with it. What does not belong here: the contracts, which stand beside the steps
that make them.
"""

from collections.abc import Mapping
from typing import TypeVar

from include.errors import BadHandover

XCom = Mapping[str, object]
T = TypeVar("T")
APPROVE = "Approve"  # as Airflow's ApprovalOperator calls it


def read_field(handed: XCom, name: str, kind: type[T]) -> T:
    """Read one field of what a step handed over.

    Raises:
        BadHandover: it is missing, or of another kind; a run that was started before an upgrade is cleared whole.
    """
    value = handed.get(name)
    # Python takes True for a number.
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BadHandover(
            f"{name!r} is {value!r} where {kind.__name__} was expected, in what has {sorted(handed)}. Was the step "
            "before run by an older version? Clear the run from its first task."
        )
    return value


def read_optional_text(handed: XCom, name: str) -> str | None:
    """Read a text that may be None; a field that is missing is None as well.

    Raises:
        BadHandover: it is neither; see `read_field`.
    """
    return None if handed.get(name) is None else read_field(handed, name, str)


def read_texts(handed: XCom, name: str) -> tuple[str, ...]:
    """Read a field that holds several names.

    Raises:
        BadHandover: from `read_field`.
    """
    return tuple(str(one) for one in read_field(handed, name, list))


def read_answer(answer: XCom | None, fallback_actor: str) -> tuple[bool | None, str, str]:
    """Read what a person answered.

    Args:
        answer: as Airflow keeps it: chosen_options, responded_by_user (none where time ran out); None where nobody was
            asked or the asking failed.

    Returns:
        (yes, no, or None where there is no answer; who; the reason as history shows it).
    """
    if not answer or not answer.get("chosen_options"):
        return None, fallback_actor, "There is no answer: what was asked about waits on, and nothing changes."
    is_approved = answer["chosen_options"] == [APPROVE]
    user = answer.get("responded_by_user")
    if not isinstance(user, Mapping) or not user or answer.get("timedout"):
        return False, fallback_actor, "Nobody answered in time, which is the same as no."
    name = str(user.get("name") or user.get("id"))
    return is_approved, name, f"{name} {'approved' if is_approved else 'refused'} it."
