"""Check a problem file without Airflow, and say what ingest would make of a sample of what lies in its landing folder.

    make check-problem NAME=name [FROM=file]
    python -m scripts.check_problem NAME [--from FILE]

Says which DAGs the file calls for, how many records of the sample would be published, how many quarantined and why, and
what the label looks like. Nothing is stored. What belongs here: the command and its words. What does not: the reading
(`problem_files/dry_run.py`), and the file's own rules (`include/problems/`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from include.errors import MulgilError
from include.names import Stage, dag_id, log_name
from include.problems.reading import load_problem, require_sound_sql
from include.problems.schema import Problem
from include.problems.stages import stages_of, with_logs
from include.settings import read_settings

if TYPE_CHECKING:
    from scripts.problem_files.dry_run import DryRun

_MOST_SHOWN = 8


def describe_file(problem: Problem) -> Iterator[str]:
    """Say what the file calls for."""
    stages = {log.name: stages_of(log, is_demo_reviewer_on=False) for log in with_logs([problem])}
    dags = [dag_id(name, stage) for name, held in stages.items() for stage in Stage if stage in held]
    begun = "which begin by themselves" if problem.active else "which somebody unpauses in Airflow (or active: true)"
    yield f"{problem.name}.yaml is sound. It calls for {len(dags)} DAGs, {begun}:"
    yield f"  {', '.join(dags)}"


def describe_samples(problem: Problem, given: Path | None) -> Iterator[str]:
    """Say what ingest would make of samples of a problem's logs, and whether its labels find their rows.

    Args:
        given: a file of the problem's own log, and of no other; without it, what has landed.

    Raises:
        BadLanding: the file is not there, or landing cannot be reached.
        BadProblem: an expression of the file cannot be computed.
    """
    # Not before the file is sound: the engine takes as long to import as all the rest.
    from scripts.problem_files.dry_run import dry_run

    settings = read_settings()
    logs = with_logs([problem]) if given is None else [problem]
    found = {log.name: dry_run(log, settings, given) for log in logs}
    for log in logs:
        yield from _describe_sample(log, found[log.name], settings.landing_url)
    if problem.label is not None and problem.label.from_log is not None:
        yield from _describe_matches(problem, problem.label.from_log, found)


def _describe_sample(problem: Problem, found: DryRun | None, landing_url: str) -> Iterator[str]:
    """Say what ingest would make of a sample of one log."""
    from scripts.problem_files.dry_run import MOST_RECORDS

    if found is None:
        place = f"{landing_url}/{problem.source.landing}"
        command = f"make check-problem NAME={problem.name} FROM=file"
        yield f"{problem.name}: nothing lies in {place} yet. Put files there, or name one: {command}"
        return
    read = ", ".join(f"{key} as {read_as}" for key, read_as in found.objects.items())
    yield f"Sample of {problem.name}: {found.n_in:,} records, the first {MOST_RECORDS:,} of each file ({read})."
    yield f"  {found.n_published:,} would be published{_in_partitions(found.partitions)}."
    yield f"  {found.n_quarantined:,} would go to quarantine{':' if found.reasons else '.'}"
    for _, n, detail in found.reasons[:_MOST_SHOWN]:
        yield f"    {n:,} times: {detail}"
    if len(found.reasons) > _MOST_SHOWN:
        yield f"    and {len(found.reasons) - _MOST_SHOWN} more reasons"
    if found.n_duplicate:
        key = ", ".join(problem.source.key)
        yield f"  {found.n_duplicate:,} would be left out as duplicates: an earlier row has the same {key}."
    if found.unknown:
        shown = ", ".join(f"{name} in {n:,} rows" for name, n in list(found.unknown.items())[:_MOST_SHOWN])
        yield f"  {len(found.unknown)} fields are not declared, and are kept in _unknown_fields: {shown}."
    yield from _describe_label(problem, found)


def _in_partitions(partitions: dict[str, int]) -> str:
    """Name partitions."""
    if not partitions:
        return ""
    first, last = next(iter(partitions)), list(partitions)[-1]
    span = first if first == last else f"{first} to {last}"
    return f", in {len(partitions)} partition{'s' if len(partitions) > 1 else ''} ({span})"


def _describe_label(problem: Problem, found: DryRun) -> Iterator[str]:
    """Say what the label looks like, and whether a model can be fitted."""
    if found.trouble is not None:
        yield f"  The label cannot be read: {found.trouble}."
    if found.classes is None or problem.label is None:
        return
    known = {name: n for name, n in found.classes.items() if name is not None}
    said = ", ".join(f"{name} {n:,} times" for name, n in known.items()) or "known of no row"
    yield f"  Label: {said}; unknown of {found.classes.get(None, 0):,} rows."
    if foreign := [name for name in known if name not in problem.label.classes]:
        yield f"  {len(foreign)} of these are none of label.classes: {', '.join(foreign[:_MOST_SHOWN])}."
    if len(known) < 2:
        yield "  A model needs two classes at least, and the sample shows fewer."
    if problem.training is not None and len(found.partitions) < problem.training.first:
        waits = f"The first model waits for {problem.training.first} partitions (training.first)"
        yield f"  {waits}; the sample has {len(found.partitions)}."


def _describe_matches(problem: Problem, log: str, found: Mapping[str, DryRun | None]) -> Iterator[str]:
    """Say whether the rows of a label log name rows of the problem."""
    from include.lake.joins.label_matches import say_no_match
    from scripts.problem_files.dry_run import SAMPLE, match_labels

    rows, labels = found[problem.name], found.get(log_name(problem.name, log))
    if rows is None or labels is None:
        yield f"  Label: it comes in {log}; whether it finds its rows is said, without FROM=, of what landed of both."
        return
    matches = match_labels(problem, rows.rows, labels.rows)
    if matches.is_foreign:
        yield f"  {say_no_match(problem, SAMPLE, matches)}"
        yield "  (Files of different times have none in common, either: then land the ones that belong together.)"
        return
    n = matches.counts
    parts = {
        "came later": "n_late",
        "before their row": "n_before",
        "name no row": "n_unmatched",
        "have no key": "n_without_key",
    }
    others = ", ".join(f"{n[name]:,} {what}" for what, name in parts.items() if n[name])
    yield (
        f"  Label: {n['n_matched']:,} of {n['n_labels']:,} rows of {log} {SAMPLE} name a row {SAMPLE} and came "
        f"within label.within{f'; {others}' if others else ''}."
    )


def main(arguments: list[str]) -> int:
    """Check; 0 all is well, 1 the file is broken, or no record of the sample can be used."""
    about = (__doc__ or "").splitlines()[0]
    parser = argparse.ArgumentParser(prog="python -m scripts.check_problem", description=about)
    parser.add_argument("name", help="of the problem")
    parser.add_argument("--from", dest="given", type=Path, help="file to try instead of what has landed")
    asked = parser.parse_args(arguments)
    try:
        problem = require_sound_sql(load_problem(asked.name))
        for line in describe_file(problem):
            print(line)
        lines = list(describe_samples(problem, asked.given))
    except MulgilError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 1 if any(line.startswith("  0 would be published") for line in lines) else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the engine would say on its way out that it leaks, which is the system's to free
