"""Reads rows of the lake the way models want them: with their label, and with what the old rule said.

A store file: what is done with the rows is in `training/fit.py` and `scoring/predict.py`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

import ibis
import pandas as pd

from include.engine.predicates import add_predicates, add_quantity, add_words
from include.errors import BadProblem
from include.lake.reading import LogState, open_events
from include.learning.data.active_rule import predicate_in_force
from include.learning.data.columns import BLOCK, IS_KNOWN, IS_POSITIVE, IS_RULE, LABELS
from include.learning.data.corrections import correct_labels
from include.learning.data.features import TEXT_LIMIT, FeatureSpec
from include.learning.errors import BadFeatures
from include.names import PARTITION_KEY, ROW_KEY, events_table
from include.problems.schema import Problem
from include.problems.sections.learning import Label, Training, Value
from include.warehouse.database import open_warehouse

EVENT_AT = "_event_at"
# Where each question stands in the problem file.
_FIELDS = {IS_RULE: "baseline.positive_when", IS_KNOWN: "label.known_when", IS_POSITIVE: "label.positive_when"}


def training_of(problem: Problem) -> Training:
    """Give the training section.

    Raises:
        BadProblem: the problem has none.
    """
    if problem.training is None:
        raise BadProblem(f"{problem.name}: there is no section training, so no model can be fitted or asked.")
    return problem.training


def label_of(problem: Problem) -> Label:
    """Give the label section.

    Raises:
        BadProblem: the problem has none.
    """
    if problem.label is None:
        raise BadProblem(f"{problem.name}: there is no section label, so there is nothing to predict.")
    return problem.label


def value_of(problem: Problem) -> Value:
    """Give the value section.

    Raises:
        BadProblem: the problem has none.
    """
    if problem.value is None:
        raise BadProblem(f"{problem.name}: there is no section value, so nobody knows what a mistake costs.")
    return problem.value


def is_of_several(problem: Problem) -> bool:
    """Say whether a row is of one of several classes, or of any number of them: two sides do not say it all."""
    return problem.label is not None and problem.label.kind in ("several_classes", "several_labels")


def is_of_a_quantity(problem: Problem) -> bool:
    """Say whether the label is a number."""
    return problem.label is not None and problem.label.kind == "quantity"


def is_labelled_by_log(problem: Problem) -> bool:
    """Say whether the log itself knows the answer, later; else people give it."""
    return problem.label is not None and problem.label.source == "log"


def has_reviewers(problem: Problem) -> bool:
    """Say whether there are people to ask about a row."""
    return problem.review is not None


def read_rows(
    problem: Problem,
    partitions: Sequence[str],
    *,
    snapshot_id: str | None = None,
    row_keys: Sequence[str] | None = None,
    is_known_only: bool = False,
    spec: FeatureSpec | None = None,
    known_at: datetime | None = None,
    logs: Mapping[str, LogState] | None = None,
) -> pd.DataFrame:
    """Read published rows with all that training and scoring need, in the order of their keys.

    Args:
        partitions: which to read.
        snapshot_id: the table as it was; as it is now when None.
        row_keys: only these rows; all when None.
        is_known_only: leave out rows whose label the log does not know.
        spec: read the features of a model that was trained on other ones than the problem names today.
        known_at: the moment whose knowledge counts: a row younger than label.delay has no label yet. Without it every
            row is old enough.
        logs: the problem's other logs as a model has read them; as they are now where one is missing.

    Returns:
        the feature columns, those that group and protect rows, _row_key, _partition_key, _event_at, _block (day
        number; where the time is the object's, a number of each row's own), _is_rule, and for labels from the log
        _is_known and _is_positive, or _labels where there are several classes or labels, or a quantity. Text is cut
        to what a model reads.

    Raises:
        BadProblem: there is no section training, or a question of the file is no SQL over the columns.
        BadFeatures: the table lacks a feature column.
        NotInLake: the table does not exist.
    """
    plain, text = _columns_of(training_of(problem), spec)
    table = open_events(problem, partitions, snapshot_id, logs)
    _require_columns(table, [*plain, *text], problem.name)
    if row_keys is not None:
        table = table.filter(table[ROW_KEY].isin(list(row_keys)))
    predicates = _predicates(problem)
    table = correct_labels(_withhold_young(_ask(table, predicates, problem), problem, known_at), problem)
    if is_known_only and IS_KNOWN in predicates:
        table = table.filter(table[IS_KNOWN])
    table = table.order_by(PARTITION_KEY, ROW_KEY)
    event_at = table[problem.source.event_time]
    frame: pd.DataFrame = (
        table.select(
            ROW_KEY,
            PARTITION_KEY,
            *plain,
            *(table[name].substr(0, TEXT_LIMIT).name(name) for name in text),
            *predicates,
            *_answers_in(table),
            event_at.name(EVENT_AT),
            # Days since 1970, as a whole number: rows of one day are resampled together.
            (event_at.cast("timestamp('UTC')").epoch_seconds() // 86_400).cast("int64").name(BLOCK),
        )
        .to_pyarrow()
        .to_pandas()
    )
    rule = problem.source.event_time_rule
    if rule is not None and rule.from_what is not None:
        # All rows of an object share its time: it does not say which of them hang together, and each stands for itself.
        frame[BLOCK] = range(len(frame))
    return frame


def open_scorable(problem: Problem, partitions: Sequence[str], spec: FeatureSpec, known_at: datetime) -> ibis.Table:
    """Open what a model is asked about, and no more; nothing is read yet, and the rows are in the order of their files.

    Args:
        partitions, spec, known_at: as of `read_rows`.

    Returns:
        _row_key, _partition_key, of a quantity _event_at, the columns of `spec` with text cut to what a model reads,
        and for labels from the log _is_known and _is_positive, or _labels.

    Raises:
        BadProblem: a question of the problem file is no SQL over the columns.
        BadFeatures: the table lacks a feature column.
        NotInLake: the table does not exist.
    """
    table = open_events(problem, partitions)
    _require_columns(table, spec.columns, problem.name)
    asked = {name: text for name, text in _predicates(problem).items() if name != IS_RULE}
    table = correct_labels(_withhold_young(_ask(table, asked, problem), problem, known_at), problem)
    plain = dict.fromkeys(name for name in [*spec.numeric, *spec.categories] if name not in spec.text)
    text = (table[name].substr(0, TEXT_LIMIT).name(name) for name in spec.text)
    moment = [table[problem.source.event_time].name(EVENT_AT)] if is_of_a_quantity(problem) else []
    rows = table.select(ROW_KEY, PARTITION_KEY, *moment, *plain, *text, *asked, *_answers_in(table))
    # Windows and joins give rows in the order of their keys; files are written partition by partition.
    is_corrected = problem.label is not None and problem.label.corrections
    is_joined = is_corrected or problem.source.lags or problem.joined_logs
    return rows.order_by(PARTITION_KEY, ROW_KEY) if is_joined else rows


def _withhold_young(table: ibis.Table, problem: Problem, known_at: datetime | None) -> ibis.Table:
    """Say of a row that is younger than the label's delay that its label is not known yet."""
    label = problem.label
    if IS_KNOWN not in table.columns or label is None or not label.delay or known_at is None:
        return table
    is_old_enough = table[problem.source.event_time] <= known_at - label.delay
    return table.mutate(**{IS_KNOWN: table[IS_KNOWN] & is_old_enough})


def _columns_of(training: Training, spec: FeatureSpec | None) -> tuple[list[str], list[str]]:
    """Name the columns that are read as they are, and the texts; each once."""
    features = training.features
    plain = [*spec.numeric, *spec.categories] if spec else [*features.numeric, *features.categorical]
    text = list(spec.text) if spec else features.text
    beside = [*([training.group] if training.group else []), *(segment.column for segment in training.protected)]
    return list(dict.fromkeys([*plain, *(name for name in beside if name not in text)])), text


def _answers_in(table: ibis.Table) -> list[str]:
    """Name the column with what the log says of several classes, where it says something."""
    return [LABELS] if LABELS in table.columns else []


def _ask(table: ibis.Table, predicates: dict[str, str], problem: Problem) -> ibis.Table:
    """Add the answers to the problem file's questions; a question that cannot be asked is named by its field.

    Raises:
        BadProblem: a question is no SQL over the table's columns.
    """
    try:
        return _ask_classes(add_predicates(table, predicates), problem)
    except BadProblem as error:
        message = str(error)
        for name, field in _FIELDS.items():
            message = message.replace(f"The predicate {name!r}", field)
        message = message.replace("The expression", "label.value")
        raise BadProblem(f"{problem.name}: {message} Mend the problem file; the model in production stays.") from error


def _ask_classes(table: ibis.Table, problem: Problem) -> ibis.Table:
    """Add what the log says of several classes, or of a quantity; a row without any class is not known."""
    label = problem.label
    if label is None or label.source != "log" or label.value_sql is None:
        return table
    if label.quantity is not None:
        # What is no finite number is left to the training, which counts it, and to scoring, which does not know it.
        return add_quantity(table, LABELS, label.value_sql)
    table = add_words(table, LABELS, label.value_sql, is_list=label.multiple)
    return table.mutate(**{IS_KNOWN: table[IS_KNOWN] & table[LABELS].notnull()})


def _predicates(problem: Problem) -> dict[str, str]:
    """Name the questions that the problem file asks of each row."""
    predicates = {IS_RULE: _rule_of(problem)}
    label = problem.label
    if label and label.source == "log" and label.known_sql:
        predicates |= {IS_KNOWN: label.known_sql}
        predicates |= {IS_POSITIVE: label.positive_sql} if label.positive_sql else {}
    return predicates


def _rule_of(problem: Problem) -> str:
    """Give the rule that models must beat; only where rules are mined can it be another than the file's."""
    if problem.baseline is None:
        return "FALSE"
    if problem.baseline.mine == "none":
        return problem.baseline.positive_when
    with open_warehouse().connect() as connection:
        return predicate_in_force(connection, problem)


def _require_columns(table: ibis.Table, names: Sequence[str], problem: str) -> None:
    """Refuse a table that lacks a feature.

    Raises:
        BadFeatures: it does.
    """
    missing = [name for name in names if name not in table.columns]
    if missing:
        raise BadFeatures(
            f"{len(missing)} of {len(names)} feature columns are missing from {events_table(problem)}: "
            f"{', '.join(missing)}. Ingest the partitions again after adding a column to the problem file."
        )
