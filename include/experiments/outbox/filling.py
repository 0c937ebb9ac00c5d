"""Fills the outbox from a partition of an audience: remember who is listed, then write the file.

What belongs here: the order of things, so that a run that is killed anywhere lists nobody twice and forgets nobody.
What does not: any of them.

Units are chosen and remembered in one transaction, with the file that they will stand in. The file is written
afterwards, whole, under a name that is never used again, and then marked as there. Killed between, the next run writes
it from what is remembered; a file that is marked is the mailer's, who may remove it, and is never written again.
"""

from datetime import UTC, datetime

import pyarrow as pa
from sqlalchemy import Connection

from include.errors import BadExperiment, MulgilError
from include.experiments.analysis import ENDED, HOLD, PAUSED
from include.experiments.outbox import store
from include.experiments.outbox.audience import Rows, read_audience, reasons_not_to_take_part
from include.experiments.outbox.choosing import Chosen, choose_units
from include.experiments.outbox.files import encode_list, open_outbox
from include.experiments.outbox.standing import Standing, read_standing
from include.names import Coverage, Stage, owner_of_log
from include.problems.reading import load_problem
from include.problems.schema import Problem
from include.row_key import hash_identifier
from include.settings import read_settings
from include.warehouse import coverage
from include.warehouse.database import open_warehouse
from include.warehouse.steps import Outcome, run_each


def fill(log_name: str, partition_key: str, run_id: str, *, now: datetime) -> Outcome:
    """List a partition of an audience for each experiment that it is the audience of.

    Args:
        log_name: as its stages name it.
        partition_key: of the log.
        run_id: Airflow run.
        now: UTC.

    Returns:
        `n_rows`, units listed now; `counts`, of each experiment its rows by reason; `files`, written now; `reason`.

    Raises:
        BadExperiment: some experiments were refused; which, and why. The others are listed by then.
    """
    definition = load_problem(owner_of_log(log_name))
    names = definition.experiments_sent_to(log_name.partition(".")[2])
    done, refused = run_each(names, lambda name: _fill_one(definition, name, (log_name, partition_key), now))
    if refused:
        told = " ".join(f"{name}: {why}" for name, why in refused.items())
        rule = "list nobody of it; the others are done"
        raise BadExperiment(f"{log_name} {partition_key}: {len(refused)} of {len(names)} experiments {rule}. {told}")
    reason = " ".join(f"{name}: {one['reason']}" for name, one in done.items())
    with open_warehouse().begin() as connection:
        coverage.mark(connection, log_name, Stage.OUTBOX, partition_key, Coverage.DONE, detail=reason, run_id=run_id)
    return {
        "n_rows": sum(one["n_listed"] for one in done.values()),
        "counts": {name: one["counts"] for name, one in done.items()},
        "files": [file for one in done.values() for file in one["files"]],
        "reason": reason,
    }


def _fill_one(definition: Problem, name: str, source: tuple[str, str], now: datetime) -> Outcome:
    """List a partition of an audience for one experiment."""
    problem, alone = definition.name, definition.alone_with(name)
    with open_warehouse().begin() as connection:
        store.hold_outbox(connection, problem, name)
        standing = read_standing(connection, alone, name, now)
        rows = _read_rows(definition, name, source[1], standing.design.eligible)
        chosen = _choose(connection, definition, name, source, standing, rows, now)
        if len(chosen.places):
            listed = (rows.stored[chosen.places], rows.item_ids[chosen.places], chosen.variants)
            lists = tuple(values.tolist() for values in listed)
            store.add_batch(connection, problem, name, source, standing, lists, now=now)
        store.write_counts(connection, problem, name, source, chosen.counts, now=now)
    files = _write_files(definition, name)
    counts = dict(sorted(chosen.counts.items()))
    told = ", ".join(f"{reason} {n:,}" for reason, n in counts.items()) or "no row"
    return {
        "n_listed": len(chosen.places),
        "counts": counts,
        "files": files,
        "reason": f"{standing.told} Of {len(rows.raw):,} rows: {told}.",
    }


def _read_rows(definition: Problem, name: str, partition_key: str, eligible: str | None) -> Rows:
    """Read a partition of an experiment's audience.

    Raises:
        BadExperiment: it has none.
    """
    audience = definition.named_experiments[name].audience
    if audience is None:
        raise BadExperiment(f"{definition.name}: {name} has no audience (audience:), so that nobody can be listed.")
    return read_audience(definition.log(audience.from_log), partition_key, audience.unit, eligible)


def _choose(
    connection: Connection,
    definition: Problem,
    name: str,
    source: tuple[str, str],
    standing: Standing,
    rows: Rows,
    now: datetime,
) -> Chosen:
    """Say what becomes of each row."""
    listed = _find_listed(connection, definition, name, source, rows)
    moment = pa.scalar(now.astimezone(UTC).replace(tzinfo=None), pa.timestamp("us"))
    return choose_units(
        rows.raw,
        reasons_not_to_take_part(rows, standing.design, moment),
        salt=standing.design.salt,
        ranges=standing.ranges,
        listed=listed,
        idle=standing.phase if standing.phase in (HOLD, PAUSED, ENDED) else None,
        held_variant=standing.held_variant,
    )


def _find_listed(
    connection: Connection, definition: Problem, name: str, source: tuple[str, str], rows: Rows
) -> dict[str, bool]:
    """Say which raw ids were listed before, and whether by this partition; under older keys of masking, too."""
    known, found = _names_of(rows), dict[str, bool]()
    for unit, where in store.find_listed(connection, definition.name, name, known).items():
        found[known[unit]] = found.get(known[unit], False) or where == source
    return found


def _names_of(rows: Rows) -> dict[str, str]:
    """Give raw ids by every name that the warehouse may know them by: the file may have masked them then, or not."""
    is_there = rows.raw != None  # noqa: E711 - elementwise
    raw, stored = rows.raw[is_there].tolist(), rows.stored[is_there].tolist()
    hashes = {hash_identifier(one, key): one for key in read_settings().pii_keys if key for one in raw}
    return hashes | dict(zip(raw, raw, strict=True)) | dict(zip(stored, raw, strict=True))


def _write_files(definition: Problem, name: str) -> list[str]:
    """Write every file of an experiment that was not written yet, also those of runs that were killed.

    Raises:
        BadExperiment, BadLanding, OSError: of the first that could not be written; the others are there by then.
    """
    written, errors = list[str](), list[Exception]()
    with open_warehouse().connect() as connection:
        numbers = [int(str(batch["batch"])) for batch in store.read_unwritten(connection, definition.name, name)]
    for number in numbers:
        try:
            written += _write_file(definition, name, number)
        except (MulgilError, OSError) as error:
            errors.append(error)
    if errors:
        raise errors[0]
    return written


def _write_file(definition: Problem, name: str, number: int) -> list[str]:
    """Write a file and mark it as there; nothing where somebody else did meanwhile."""
    problem, outbox = definition.name, open_outbox(read_settings())
    with open_warehouse().begin() as connection:
        store.hold_outbox(connection, problem, name)
        open_batches = [one for one in store.read_unwritten(connection, problem, name) if one["batch"] == number]
        for batch in open_batches:
            listed = store.read_batch(connection, problem, name, number)
            raw_ids = _find_raw_ids(definition, name, str(batch["log"]), str(batch["partition_key"]))
            outbox.write(str(batch["file"]), encode_list(listed, raw_ids))
            store.mark_written(connection, problem, name, number, datetime.now(UTC))
    return [str(batch["file"]) for batch in open_batches]


def _find_raw_ids(definition: Problem, name: str, log_name: str, partition_key: str) -> dict[str, str]:
    """Give the raw ids of units by their names, from where their rows lie; one whose row is gone has none.

    A row's key says nothing of whose it is: where another object landed in its place, it is somebody else's.

    Raises:
        BadExperiment: the file names another audience by now.
    """
    audience = definition.named_experiments[name].audience
    if audience is None or audience.from_log != log_name.partition(".")[2]:
        rule = f"was listed from {log_name}, which the file does not name as its audience any more; its list waits"
        raise BadExperiment(f"{definition.name}: {name} {rule}. Name it again, and clear the run.")
    return _names_of(read_audience(definition.log(audience.from_log), partition_key, audience.unit))
