"""Propose a problem file from a sample of a log: columns, types, keys, the event time, what must hold, what to predict.

    make problem FROM=file [NAME=name] [LABEL=column] [ALSO="other files"]
    python -m scripts.propose_problem FILE [--name NAME] [--label COLUMN] [--also FILE ...] [--print]

Whatever was guessed has a comment. A file that is there is never overwritten. What belongs here: the command. What
does not: the guesses (`problem_files/`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from include.errors import BadLanding, BadProblem, MulgilError
from include.problems.reading import read_problem_file
from include.problems.sections.base import ProblemName
from include.settings import read_settings
from scripts.problem_files.columns import guard_requests, profile_fields
from scripts.problem_files.proposal import Log, Proposal, name_problem, propose
from scripts.problem_files.sample import read_sample


def propose_from(path: Path, name: str | None = None, label: str | None = None, also: Sequence[Path] = ()) -> Proposal:
    """Propose a problem from a file, and from those of its other logs.

    Raises:
        BadLanding: nothing in one of them can be read; two are of one log, or one is called as a column of the first;
            the first has no column of the label's name, nor is it that of a log whose rows name rows of the first.
        BadProblem: the name is none of a problem.
    """
    if name is not None:
        _require_name(name)
    if path.resolve() in {other.resolve() for other in also}:
        raise BadLanding(f"{path} is FROM= and in ALSO=, too; ALSO= takes the files of the problem's other logs.")
    log, others = _read_log(path), [_read_log(other) for other in also]
    logs = [name_problem(other.name) for other in also]
    if twice := next((one for one in logs if logs.count(one) > 1), None):
        raise BadLanding(f"{logs.count(twice)} files of ALSO= are of one log, {twice!r}. Name one file of each log.")
    columns = {name for profile in log.profiles for name in (profile.name, profile.field)}
    if same := next((own for own in logs if own in {profile.name for profile in log.profiles}), None):
        raise BadLanding(f"A log of ALSO= would be called {same!r}, as a column of {path} is. Rename its file.")
    if label is not None and label not in {*logs, *columns}:
        known = ", ".join(profile.name for profile in log.profiles[:20])
        beside = f", and there are the logs {', '.join(logs)}" if logs else ""
        raise BadLanding(f"{path} has no column {label!r} to predict. It has {known}{beside}.")
    proposal = propose(log, others, name, label)
    if label in logs and "\nlabel:" not in proposal.text:
        raise BadLanding(
            f"The log {label!r} names no row of {path}: no column of both holds the same keys in the same type. Where "
            "one file has them as numbers and the other as text, propose without LABEL= and write type: string in both."
        )
    return proposal


def _require_name(name: str) -> None:
    """Refuse what is no name of a problem, before anything is read or written."""
    try:
        TypeAdapter(ProblemName).validate_python(name)
    except ValidationError:
        raise BadProblem(
            f"NAME={name} is no name of a problem: write at most 48 small letters, digits and single _, a letter "
            "first and no _ last."
        ) from None


def _read_log(path: Path) -> Log:
    """Read a sample of one log.

    Raises:
        BadLanding: nothing in it can be read.
    """
    sample = read_sample(path)
    profiles, n_left_out = profile_fields(sample.records)
    if sample.read_as == "access_log":
        guard_requests(profiles)
    if not profiles:
        raise BadLanding(f"{path}: {sample.n_seen} records without a single field. There is nothing to propose from.")
    return Log(sample, tuple(profiles), n_left_out)


def write_proposal(proposal: Proposal, folder: Path) -> Path:
    """Write a problem file where none is.

    Raises:
        BadProblem: there is one of this name; or what was guessed does not fit together, which is a fault of ours: the
            file stays, and the message says what to mend in it.
    """
    path = folder / f"{proposal.name}.yaml"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(proposal.text)
    except FileExistsError:
        raise BadProblem(
            f"{path} is there already, and is not overwritten. Take another NAME=, or move it away first."
        ) from None
    read_problem_file(path)
    return path


def main(arguments: list[str]) -> int:
    """Propose, and say what to do next; 0 done, 1 refused with a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.propose_problem", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", help="of the problem; made of the file's name without it")
    parser.add_argument("--label", help="column to predict, or the log that says what became")
    parser.add_argument("--also", nargs="+", type=Path, default=[], help="files of other logs of the same problem")
    parser.add_argument("--print", action="store_true", dest="is_printed", help="show it and write nothing")
    asked = parser.parse_args(arguments)
    try:
        proposal = propose_from(asked.file, asked.name, asked.label, asked.also)
        if asked.is_printed:
            print(proposal.text, end="")
            return 0
        path = write_proposal(proposal, read_settings().problems_dir)
    except MulgilError as error:
        print(error, file=sys.stderr)
        return 1
    for note in proposal.notes:
        print(note)
    print(
        f"Wrote {path}. Look over what stands behind #, then:\n"
        f"  make check-problem NAME={proposal.name} FROM={asked.file}\n"
        + "".join(
            f"  mkdir -p .mulgil/landing/{landing} && cp {file} .mulgil/landing/{landing}/\n"
            for landing, file in [
                (proposal.name, asked.file),
                *((f"{proposal.name}_{name_problem(other.name)}", other) for other in asked.also),
            ]
        )
        + "  make up"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
