"""Which problems `make run` carries to the end: built-in ones, and whichever else it was told to.

What somebody else declared runs or rests as its own file and Airflow's switch say; nobody waits for it, and it fails
nobody's run.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

from include.problems.reading import load_problems
from include.settings import read_settings
from scripts.stack.errors import StackError

# What is carried without being asked for: a loop with people, one with labels of the log, an experiment.
BY_DEFAULT = ("ad_review", "campaign", "flight_delay")
EVERY = "all"
BETWEEN_PROBLEM_AND_STAGE = "__"


@dataclass(frozen=True)
class Selection:
    """Some problems.

    Attributes:
        names: theirs, in order; None where every DAG counts, as in tests of the stack with DAGs of their own.
    """

    names: tuple[str, ...] | None = None

    def holds(self, dag_id: str) -> bool:
        """Say whether a DAG belongs to one of them; a DAG with a form belongs to no problem."""
        log, between, _ = dag_id.partition(BETWEEN_PROBLEM_AND_STAGE)
        problem = log.partition(".")[0]  # of another log of a problem: `cards.returns__land`
        return self.names is None or (bool(between) and problem in self.names)

    def names_problem(self, name: str) -> bool:
        """Say whether a problem is one of them."""
        return self.names is None or name in self.names

    @classmethod
    def of(cls, wanted: str, known: Collection[str], built_in: Collection[str]) -> Self:
        """Choose problems.

        Args:
            wanted: names with commas or blanks between them; `all` for every built-in one; empty for the default.
            known: problems that have a file.
            built_in: those that ship with data.

        Raises:
            StackError: a name is unknown; the message says which are known.
        """
        shipped = [name for name in sorted(built_in) if name in known]
        if wanted.strip() == EVERY:
            return cls(tuple(shipped or sorted(known)))
        asked = wanted.replace(",", " ").split()
        if not asked:
            return cls(tuple(name for name in BY_DEFAULT if name in shipped) or tuple(shipped or sorted(known)))
        unknown = [name for name in asked if name not in known]
        if unknown:
            raise StackError(
                f"{len(unknown)} of {len(asked)} problems are unknown, the first is {unknown[0]!r}. Known are "
                f"{', '.join(sorted(known))}; PROBLEMS={EVERY} takes every one that ships with data."
            )
        return cls(tuple(dict.fromkeys(asked)))


EVERYTHING = Selection()


def select_problems(wanted: str) -> Selection:
    """Choose among the problem files of this clone, those that cannot be used included: their faults are told.

    Raises:
        StackError: a name is unknown.
    """
    from scripts import drop_logs

    known = sorted(path.stem for path in read_settings().problems_dir.glob("*.yaml"))
    return Selection.of(wanted, known, list(drop_logs.REPLAYS))


def broken_problems(selection: Selection) -> list[str]:
    """Say what is wrong with the files of selected problems; those of others are told on Airflow's pages."""
    _, errors = load_problems()
    return [str(error) for error in errors if selection.names_problem(str(error).partition(".")[0])]
