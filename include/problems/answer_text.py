"""How an answer is kept as one text: a class as it is, several labels as a list.

What belongs here: writing and reading that text, for every room that keeps or reads answers. What does not: whether an
answer is right.
"""

import json
from collections.abc import Collection, Iterator, Sequence

from include.problems.sections.learning import Label


def write_labels(labels: Collection[str], classes: Sequence[str]) -> str:
    """Write the labels of one item as a JSON list, in the order of the classes and each once: the same is the same."""
    known = [name for name in classes if name in labels]
    return json.dumps([*known, *sorted(set(labels) - set(known))], ensure_ascii=False)


def read_labels(text: str, label: Label) -> tuple[str, ...]:
    """Read an answer as the labels it names: of one class it names that one.

    A text that is no list is read as one label: what was answered before a problem allowed several stays readable.
    """
    if not label.multiple:
        return (text,)
    try:
        found = json.loads(text)
    except ValueError:
        return (text,)
    return tuple(map(str, found)) if isinstance(found, list) else (text,)


def is_answer(text: str, label: Label) -> bool:
    """Say whether an answer names classes of the problem alone."""
    return all(name in label.classes for name in read_labels(text, label))


def say_answer(text: str, label: Label) -> str:
    """Write an answer as people read it."""
    return ", ".join(read_labels(text, label)) or "none"


class Allowed(Collection[str]):
    """The answers that a label allows: its classes, or lists of them where an item may have several."""

    def __init__(self, label: Label | None) -> None:
        """Take the classes of a label; without one nothing is allowed."""
        self.label = label

    def __contains__(self, text: object) -> bool:
        """Say whether a text is an answer."""
        return self.label is not None and isinstance(text, str) and is_answer(text, self.label)

    def __iter__(self) -> Iterator[str]:
        """Name the classes, in the order of the file."""
        return iter(self.label.classes if self.label else [])

    def __len__(self) -> int:
        """Count the classes."""
        return len(self.label.classes) if self.label else 0


def one_text(answer: object, label: Label | None) -> object:
    """Write an answer as it is kept: a list of labels as one text, and the same labels always the same.

    What is no answer stays as it is, for whoever refuses it.
    """
    if label is None or not label.multiple:
        return answer
    if isinstance(answer, list) and all(isinstance(name, str) for name in answer):
        return write_labels(answer, label.classes)
    return write_labels(read_labels(answer, label), label.classes) if isinstance(answer, str) else answer
