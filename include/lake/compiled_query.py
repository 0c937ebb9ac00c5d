"""Says what becomes of the records of some partitions, as a query: made by Ibis, or filled into a text that was kept.

What belongs here: what differs from one staging to the next. What does not: the rules (`row_expressions.py`), and in
what order records are gone through (`partition_staging.py`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import ibis

from include.engine.compiled_sql import compile_once
from include.engine.duckdb_sql import text_literal
from include.engine.formats.object_records import Records
from include.engine.formats.object_times import ObjectTime
from include.engine.object_store.objects import LocalObject
from include.engine.relations import relation_of_records
from include.engine.session import is_spark
from include.lake.erasure.subjects import Erased
from include.lake.row_expressions import partition_start_text, prepare_rows, select_partitions
from include.problems.sections.source import Source
from include.row_key import derived_keys

Choose = Callable[[ibis.Table, Source], ibis.Table]
Select = Callable[[ibis.Table, Source, Sequence[str], Mapping[str, str]], ibis.Table]
_RECORDS = "raw_records"
# Stand in the kept text for what differs: no log is so old, no object has such a name, nobody has such a key.
_KEYS = {"hour": "0007-07-07T07", "day": "0007-07-07", "month": "0007-07"}
_OBJECT, _HOME = "an object that stands for others", "a partition that stands for others"
_SECRET = "a key that stands for another"  # noqa: S105 - it is none


@dataclass(frozen=True)
class Sorting:
    """What is to be sorted out, and by which rules.

    Attributes:
        problem, partition_keys: which partitions.
        source: the declared columns.
        objects: those that feed the partitions, in the order that decides which of two equal rows came first.
        homes: object key to the partition, of these, that its records without a usable time belong to.
        given_up: object key to why an object is not read; it counts as one record.
        pii_key: secret of the keyed hash.
        erased: subjects whose rows are counted, and not kept.
        times: object key to what holds for the time of all of its records.
    """

    problem: str
    partition_keys: Sequence[str]
    source: Source
    objects: Sequence[LocalObject]
    homes: Mapping[str, str]
    given_up: Mapping[str, str]
    pii_key: str
    erased: Erased = field(default_factory=dict)
    times: Mapping[str, ObjectTime] = field(default_factory=dict)


def rows_of(
    engine: ibis.BaseBackend,
    records: Records,
    sorting: Sorting,
    choose: Choose,
    select: Select = select_partitions,
    name: str | None = None,
) -> ibis.Table:
    """Say what becomes of records, as far as `choose` is concerned with them.

    Args:
        choose: `accepted_rows`, `quarantined_rows` or `stray_rows`.
        select: which records it is asked about: those of the partitions, or the strays.
        name: that the query knows the records by, from `relation_of_records`.
    """
    raw = relation_of_records(engine, records, name)
    here = select(raw, sorting.source, sorting.partition_keys, sorting.homes)
    return choose(prepare_rows(here, sorting.source, sorting.pii_key, sorting.erased), sorting.source)


def query_of(engine: ibis.BaseBackend, records: Records, sorting: Sorting, choose: Choose) -> ibis.Table | str:
    """Say what becomes of records as `rows_of` does, on DuckDB by a text that is compiled once for a definition.

    Where somebody was erased, their hashes stand in the query; such a text is not kept.

    Raises:
        BadSettings: identifiers are to be hashed, and there is no key.
    """
    if is_spark(engine) or sorting.erased:
        return rows_of(engine, records, sorting, choose)
    source = sorting.source
    stand_in = replace(
        sorting, partition_keys=[_KEYS[source.grain]], homes={_OBJECT: _HOME}, objects=(), given_up={}, pii_key=_SECRET
    )

    def write() -> ibis.Table:
        return rows_of(engine, Records((), source.format), stand_in, choose, name=_RECORDS)

    text = compile_once(f"{sorting.problem}.{choose.__name__}", source.model_dump_json(), write)
    values = _values(sorting, text)
    stands = re.compile("|".join(re.escape(text_literal(name)) for name in values))
    left = stands.sub("", text)
    if any(name in left for name in values):  # it stands inside of another text, where nothing can be put in
        return rows_of(engine, records, sorting, choose)
    relation_of_records(engine, records, _RECORDS)
    written = {text_literal(name): ", ".join(text_literal(value) for value in some) for name, some in values.items()}
    # In one pass: what an object's name holds is never taken for a stand-in.
    return stands.sub(lambda found: written[found[0]], text)


def _values(sorting: Sorting, text: str) -> dict[str, Sequence[str]]:
    """Say for each stand-in what is to be put in its place.

    Raises:
        BadSettings: as `query_of`.
    """
    grain, keys = sorting.source.grain, sorting.partition_keys
    values: dict[str, Sequence[str]] = {
        _KEYS[grain]: keys,
        partition_start_text(_KEYS[grain], grain): [partition_start_text(key, grain) for key in keys],
        _OBJECT: list(sorting.homes),
        _HOME: list(sorting.homes.values()),
    }
    stand_ins = derived_keys(_SECRET)
    if any(name in text for name in stand_ins):
        values |= {name: [own] for name, own in zip(stand_ins, derived_keys(sorting.pii_key), strict=True)}
    return values
