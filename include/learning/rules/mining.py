"""Mines the labels of people for a rule "contains X", and writes the question that a person answers about it.

A store file around `rules/keywords.py`. Nothing here changes what the rule baseline is: a person does
(`data/active_rule.py`).
"""

from dataclasses import asdict
from datetime import UTC, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from include.lake.reading import current_snapshot
from include.learning.contracts import Question
from include.learning.data import active_rule
from include.learning.data.columns import IS_POSITIVE, IS_RANDOM, IS_RULE
from include.learning.data.dataset import label_of, training_of, value_of
from include.learning.data.labels import newest_batch, read_answers, settle_answers
from include.learning.data.near_duplicates import group_rows
from include.learning.errors import CannotExplain
from include.learning.fit_version import join_answers
from include.learning.rules.keywords import (
    ANY_CHOSEN,
    KeywordRule,
    broken_promises,
    choose_keywords,
    measure_keywords,
    suggest_keywords,
    write_predicate,
)
from include.names import Stage, events_table
from include.problems.decision_policy import earning_threshold
from include.problems.schema import Problem
from include.warehouse.coverage import done_partitions
from include.warehouse.database import open_warehouse
from include.warehouse.loading import replace_rows
from include.warehouse.tables.explaining import KEYWORD_RULE, RULE_VERSION

MEASURED_SHARE = 0.5  # of the rows that chance chose; the others, and all that uncertainty chose, suggest

Row = dict[str, object]
Flags = NDArray[np.bool_]


def mine(problem: Problem, run_id: str) -> Question:
    """Propose a rule of keywords, and measure it on rows that neither suggested nor chose them.

    A keyword that those rows show to be right less often than acting on it needs is dropped again.

    Returns:
        the question about the rule, about nothing where there is nothing to propose.
    """
    rows = _read_labelled(problem)
    if rows.empty:
        return _nothing("Nobody has labelled anything yet.")
    training, is_whole = training_of(problem), bool(problem.baseline and problem.baseline.whole_words)
    texts = _texts_of(rows, training.features.text)
    is_measured = hold_out(rows, training.features.text, training.group, training.seed)
    is_positive = rows[IS_POSITIVE].to_numpy(dtype=np.bool_)
    pays_from = earning_threshold(value_of(problem))
    mined, measured = (
        [text for text, held in zip(texts, is_measured, strict=True) if bool(held) is is_held]
        for is_held in (False, True)
    )
    words = suggest_keywords(mined, is_positive[~is_measured])
    chosen = choose_keywords(words, mined, is_positive[~is_measured], pays_from, is_whole=is_whole)
    if not chosen:
        share = f"{100 * pays_from:.0f} of 100"
        return _nothing(f"No keyword of {len(words)} is surely right often enough: acting pays from {share} on.")
    try:
        found = measure_keywords(words, chosen, measured, is_positive[is_measured], is_whole=is_whole)
        dropped = broken_promises(found, pays_from)
        chosen = [word for word in chosen if word not in dropped]
        found = measure_keywords(words, chosen, measured, is_positive[is_measured], is_whole=is_whole)
    except CannotExplain as error:
        return _nothing(str(error))
    whole_rule = next((one for one in found if one.keyword == ANY_CHOSEN), None)
    if whole_rule is None:
        wrong = f" Wrong too often on those rows: {', '.join(dropped)}." if dropped else ""
        left = ", ".join(chosen) or "a word that is left"
        return _nothing(f"None of {len(measured):,} rows to measure on contains {left}; label more items.{wrong}")
    if whole_rule.precision_high < pays_from:
        return _nothing(f"The words {', '.join(chosen)} together are right too seldom to pay.")
    counts = {"n_mined": len(mined), "n_measured": len(measured)}
    return _propose(problem, run_id, chosen, dropped, found, counts, rows[is_measured])


def hold_out(rows: pd.DataFrame, text: list[str], entity: str | None, seed: int) -> Flags:
    """Choose the rows that measure: half of those that chance chose, whole groups of nearly equal texts together.

    Args:
        rows: labelled rows with their texts and whether chance chose them.
        text: text columns.
        entity: column whose rows stay together, if any.
        seed: fixes the choice.

    Returns:
        shape (n_rows,).
    """
    group = np.unique(group_rows(rows, text, entity, seed), return_inverse=True)[1]
    n_groups = int(group.max()) + 1
    is_chance = np.bincount(group, ~rows[IS_RANDOM].to_numpy(dtype=np.bool_), n_groups) == 0
    is_drawn = np.random.default_rng([seed, 11]).random(n_groups) < MEASURED_SHARE
    return np.asarray((is_chance & is_drawn)[group], dtype=np.bool_)


def _read_labelled(problem: Problem) -> pd.DataFrame:
    """Read every row that people have labelled so far."""
    with open_warehouse().connect() as connection:
        answers = read_answers(connection, problem.name, newest_batch(connection, problem.name))
        partitions = done_partitions(connection, problem.name, Stage.INGEST)
    if answers.empty:
        return answers
    settled = settle_answers(answers, label_of(problem))
    return join_answers(problem, settled, partitions, current_snapshot(events_table(problem.name)))


def _texts_of(rows: pd.DataFrame, columns: list[str]) -> list[str]:
    """Join the text columns of each row, as the predicate does."""
    parts = [rows[name].astype("object").where(rows[name].notna(), "").map(str) for name in columns]
    return [" ".join(row) for row in zip(*parts, strict=True)]


def _propose(
    problem: Problem,
    run_id: str,
    chosen: list[str],
    dropped: list[str],
    found: list[KeywordRule],
    counts: dict[str, int],
    measured: pd.DataFrame,
) -> Question:
    """Write a proposal down, with every keyword's numbers, and the question about it."""
    is_whole = bool(problem.baseline and problem.baseline.whole_words)
    positive_when = write_predicate(chosen, training_of(problem).features.text, is_whole=is_whole)
    with open_warehouse().begin() as connection:
        if active_rule.predicate_in_force(connection, problem) == positive_when:
            return _nothing("The rule in force is already what the labels suggest.")
        name = active_rule.name_proposal(connection, problem.name, run_id)
        where = {"problem": problem.name, "rule_version": name}
        row: Row = {**where, **counts, "positive_when": positive_when, "keywords": chosen}
        row |= {"status": active_rule.PROPOSED, "proposed_at_utc": datetime.now(UTC), "proposed_by": run_id}
        replace_rows(connection, RULE_VERSION, where, [row | {"decided_at_utc": None, "decided_by": None}])
        ranked = [one for one in found if one.keyword != ANY_CHOSEN]
        keywords = [
            where | asdict(one) | {"rank": 0 if one.keyword == ANY_CHOSEN else 1 + ranked.index(one)} for one in found
        ]
        replace_rows(connection, KEYWORD_RULE, where, keywords)
    subject = f"{problem.title}: may {name} be the rule from now on?"
    body = write_question(problem, chosen, dropped, found, _say_rule_in_force(measured))
    return Question((name,), subject, body, n_rows=counts["n_measured"])


def write_question(
    problem: Problem, chosen: list[str], dropped: list[str], found: list[KeywordRule], today: str
) -> str:
    """Write what a person reads before approving a rule, as Markdown.

    Args:
        chosen: keywords of the proposed rule.
        dropped: keywords that were chosen, and then measured to be wrong too often.
        found: measured keywords, the whole rule first.
        today: how good the rule in force is on the same rows.
    """
    positive = label_of(problem).positive
    pays_from = 100 * earning_threshold(value_of(problem))
    words = ", ".join(f"`{word}`" for word in chosen)
    lines = [
        f"| contains | hits | of 100 hits {positive} | of 100 {positive} caught |",
        "|---|---|---|---|",
        *(_line(one) for one in found if one.is_chosen),
    ]
    how = "as a word of its own" if problem.baseline and problem.baseline.whole_words else "also inside longer words"
    left_out = (
        f"Left out again, because these rows show them to be right less often than that: {', '.join(dropped)}. The "
        "whole rule was measured without them on the same rows, which flatters it a little."
    )
    return "\n\n".join(
        [
            f"A row is taken for **{positive}** when its text contains any of {words}, {how}, whatever the case.",
            f"Measured on rows that chance chose and that did not suggest the words, with 95 % intervals. {today} "
            f"Acting on a hit pays where {pays_from:.0f} of 100 or more are {positive}.",
            "\n".join(lines),
            *([left_out] if dropped else []),
            "**Approve** makes it the rule that every model must beat; nothing is blocked by it. **Reject**, or no "
            "answer in time, leaves the rule as it is.",
        ]
    )


def _say_rule_in_force(measured: pd.DataFrame) -> str:
    """Say how the rule in force does on the measured rows."""
    hit, is_positive = measured[IS_RULE].to_numpy(dtype=np.bool_), measured[IS_POSITIVE].to_numpy(dtype=np.bool_)
    n_right = int((hit & is_positive).sum())
    return (
        f"The rule in force hits {int(hit.sum())} of them, {n_right} rightly, and so catches {n_right} of "
        f"{int(is_positive.sum())}."
    )


def _line(rule: KeywordRule) -> str:
    """Write one keyword as a line of the table."""
    precision = _of_100(rule.precision_ratio, rule.precision_low, rule.precision_high)
    coverage = _of_100(rule.coverage_ratio, rule.coverage_low, rule.coverage_high)
    return f"| {rule.keyword} | {rule.n_hits} of {rule.n_rows} | {precision} | {coverage} |"


def _of_100(ratio: float, low: float, high: float) -> str:
    """Write a share with its interval."""
    return f"{100 * ratio:.0f} ({100 * low:.0f} to {100 * high:.0f})"


def _nothing(reason: str) -> Question:
    """Say that there is nothing to propose."""
    return Question((), reason=reason)
