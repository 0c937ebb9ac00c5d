"""Writes columns and values of a log as SQL."""

from __future__ import annotations

from functools import cache

import duckdb

from scripts.problem_files.columns import Profile


def literal(profile: Profile, text: str) -> str:
    """Write a value as SQL."""
    return text if profile.type in {"integer", "number", "boolean"} else "'" + text.replace("'", "''") + "'"


def quote(column: str) -> str:
    """Write a column as SQL."""
    return f'"{column}"' if column in reserved_words() else column


@cache
def reserved_words() -> frozenset[str]:
    """List the words that SQL keeps for itself, and that columns are called all the same."""
    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    with duckdb.connect() as connection:
        return frozenset(word for (word,) in connection.execute(query).fetchall())
