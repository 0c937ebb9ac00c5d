"""Moves rows of a staged partition to the quarantine; what is left is to be audited again.

What does not belong here: which rows, and why (the quality room says so).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from include.engine.formats.field_extraction import pack_json
from include.engine.relations import relation_of_arrow
from include.engine.session import open_engine
from include.errors import CountsDoNotAddUp
from include.lake import files
from include.lake.masking import mask_free_text
from include.lake.reading import open_files
from include.lake.row_expressions import QUARANTINE_SCHEMA, events_schema
from include.names import BYTE_OFFSET, LINE_NUMBER, OBJECT_KEY, events_table, quarantine_table
from include.problems.schema import Problem
from include.quality.contracts import LeftRows

_FAULT, _RECORD = "_fault", "_packed_record"
_PLACE = [OBJECT_KEY, LINE_NUMBER]
_SHOWN_CHARACTERS = 80


@dataclass(frozen=True)
class Fault:
    """What is wrong with some rows.

    Attributes:
        check_index: position of the expectation that found them.
        reason: the sentence they are counted by.
        field: the column; None when it is about several.
        is_shown: whether the value may stand in the detail.
        places: object key and line number of each row.
    """

    check_index: int
    reason: str
    field: str | None
    is_shown: bool
    places: pa.Table


def quarantine_rows(
    problem: Problem, partition_key: str, staged: Sequence[str], n_staged: int, faults: Sequence[Fault]
) -> LeftRows:
    """Write a partition's staged rows again, those at fault into a file of their own.

    Args:
        staged: Parquet files relative to the lake.
        n_staged: their rows.
        faults: no row stands in two of them.

    Returns:
        the files of the rest and the file of the others, and how many rows they hold.

    Raises:
        CountsDoNotAddUp: a row would be lost or doubled.
    """
    engine = open_engine()
    rows = open_files(staged, events_schema(problem.source))
    named = relation_of_arrow(engine, _number_faults(faults))
    home, quarantine = events_table(problem.name), quarantine_table(problem.name)
    kept, n_kept = files.write_files(
        engine, rows.anti_join(named, _PLACE), files.partition_folder(home, partition_key), _PLACE
    )
    quarantined = _as_quarantined(rows.inner_join(named, _PLACE), problem, faults)
    moved, n_moved = files.write_files(engine, quarantined, files.partition_folder(quarantine, partition_key), _PLACE)
    n_named = sum(fault.places.num_rows for fault in faults)
    if n_kept + n_moved != n_staged or n_moved != n_named:
        raise CountsDoNotAddUp(
            f"{problem.name} {partition_key}: of {n_staged} staged rows, {n_named} were to be quarantined; {n_moved} "
            f"are, and {n_kept} are left. Clear `stage_partition`; if it happens again, it is a fault of Mulgil."
        )
    return LeftRows(tuple(kept), tuple(moved), n_kept, n_moved)


def _number_faults(faults: Sequence[Fault]) -> pa.Table:
    """List the places of all faults, each with the number of its fault."""
    return pa.concat_tables(
        fault.places.append_column(_FAULT, pa.array([number] * fault.places.num_rows, pa.int64()))
        for number, fault in enumerate(faults)
    )


def _as_quarantined(rows: ibis.Table, problem: Problem, faults: Sequence[Fault]) -> ibis.Table:
    """Give rows the columns of the quarantine table; they were typed and masked when they were staged."""
    rows = pack_json(rows, {name: name for name in problem.source.columns}, _RECORD)
    numbered = list(enumerate(faults))
    described = {
        "record": rows[_RECORD],
        "reason": ibis.cases(*((rows[_FAULT] == number, ibis.literal(fault.reason)) for number, fault in numbered)),
        "field": ibis.cases(
            *((rows[_FAULT] == number, ibis.literal(fault.field, "string")) for number, fault in numbered)
        ),
        "detail": ibis.cases(*((rows[_FAULT] == number, _detail(rows, fault)) for number, fault in numbered)),
        # What is staged was read by line; the offset is kept of records that could not be read.
        BYTE_OFFSET: ibis.null("int64"),
    }
    ordered = rows.order_by(_PLACE)
    return ordered.select(
        **{name: described[name] if name in described else ordered[name] for name in QUARANTINE_SCHEMA.names}
    )


def _detail(rows: ibis.Table, fault: Fault) -> ir.StringValue:
    """Write the reason with the value in it, where that identifies nobody."""
    if fault.field is None or not fault.is_shown:
        return ibis.literal(fault.reason)
    value = mask_free_text(rows[fault.field].cast("string")).substr(0, _SHOWN_CHARACTERS)
    shown = ibis.literal(f"{fault.reason} (it holds '") + value + ibis.literal("')")
    return ibis.coalesce(shown, ibis.literal(fault.reason))
