"""Writes what PostgreSQL takes: a text holds no U+0000, and no half of a character; neither does JSON.

Other people's texts hold both. Where one of them names something it is quarantined before it comes here; everywhere
else it is written with the replacement character in its place, and never stops what is written with it.
"""

import json
import re

from psycopg import Connection
from psycopg.types import string

_REPLACEMENT = "\ufffd"
_SUSPECT = re.compile(r"\\u(?:0000|d[89a-f])")


def storable_text(text: str) -> str:
    """Replace what no text of PostgreSQL may hold."""
    text = text.replace("\0", _REPLACEMENT)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def storable_json(value: object) -> str:
    """Write a value as JSON that PostgreSQL takes.

    Raises:
        TypeError: it is not made of what JSON has.
    """
    written = json.dumps(value)
    # Hardly any is looked at twice: what is escaped so may be harmless, an emoji or a backslash before a u.
    return json.dumps(_clean(value)) if _SUSPECT.search(written) else written


def _clean(value: object) -> object:
    """Replace it in every text of a value, names too."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_clean(name): _clean(held) for name, held in value.items()}
    return [_clean(held) for held in value] if isinstance(value, list | tuple) else value


class _CleanText(string.StrDumperUnknown):
    """Sends a text, without what PostgreSQL does not take."""

    def dump(self, obj: str) -> bytes | None:
        """Write it."""
        sent = super().dump(storable_text(obj) if "\0" in obj or not obj.isascii() else obj)
        return None if sent is None else bytes(sent)


def send_clean_texts(connection: Connection) -> None:
    """Let a connection send texts so."""
    connection.adapters.register_dumper(str, _CleanText)
