"""Writes the fields of a record as one JSON text, where a format has no such text of its own."""

import json
from collections.abc import Callable, Collection, Mapping
from typing import NoReturn


def write_document(
    fields: Mapping[str, object], opened: Collection[str], default: Callable[[object], object] | None = None
) -> str:
    """Write fields as a JSON object.

    Args:
        opened: fields whose text may be a JSON object or a list: it stands there as that, and can be read into. A text
            that is neither stays a text.
        default: writes what JSON has no form for, as `json.dumps` takes it.
    """
    within = {name: text for name in opened if isinstance(text := fields.get(name), str) and _is_packed(text)}
    if not within:
        return json.dumps(fields, default=default)
    pairs = (
        f"{json.dumps(name)}: {within[name] if name in within else json.dumps(value, default=default)}"
        for name, value in fields.items()
    )
    return f"{{{', '.join(pairs)}}}"


def _is_packed(text: str) -> bool:
    """Say whether a text is a JSON object or a list; one that is nested too deep to tell is none."""
    if text.lstrip()[:1] not in {"{", "["}:
        return False
    try:
        json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(word: str) -> NoReturn:
    """Refuse NaN and the infinities: they are no JSON, whatever Python says."""
    raise ValueError(word)
