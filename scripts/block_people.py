"""Take out what people said, hundreds at once if need be, or let it count again; as a lead does at the desk.

    python -m scripts.block_people PROBLEM --by LEAD --reason "a script" NAME [NAME ...]
    python -m scripts.block_people PROBLEM --by LEAD --reason "a script" --names FILE    # one name a line
    python -m scripts.block_people PROBLEM --by LEAD --reason "it was none" --lift NAME

Of the running stack, or of what MULGIL_WAREHOUSE_URL names. Answers stay as history; settled labels, agreement and
estimates are measured without them before this ends, models that learned from them are marked.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.stack.home import find_home
from scripts.stack.stack import open_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Block them, and say how many of how many; 1 where somebody was left as they are."""
    asked = _read_arguments(arguments)
    if not os.environ.get("MULGIL_WAREHOUSE_URL"):
        os.environ |= open_stack(find_home()).environment(is_demo_reviewer_on=False)
    from include.errors import DeskRefused, MulgilError
    from include.problems.reading import load_problem
    from include.review.desk.blocking import block_people
    from include.review.desk.permissions import Person
    from include.warehouse.database import open_warehouse

    names = [*asked.people, *(Path(asked.names).read_text(encoding="utf-8").split("\n") if asked.names else [])]
    people = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    try:
        problem = load_problem(asked.problem)
        told = list(
            block_people(
                open_warehouse(), problem, people, Person(asked.by), reason=asked.reason, is_blocked=not asked.lift
            )
        )
    except MulgilError as error:
        print(error, file=sys.stderr)
        return 1
    refused = [(name, one) for name, one in zip(people, told, strict=True) if isinstance(one, DeskRefused)]
    n_answers = sum(one for one in told if isinstance(one, int))
    done = "count again" if asked.lift else "count nowhere"
    print(f"{len(people) - len(refused)} of {len(people)} people: their {n_answers:,} answers {done}.")
    for name, why in refused:
        print(f"{name}: {why}", file=sys.stderr)
    return 1 if refused or not people else 0


def _read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem")
    parser.add_argument("people", nargs="*", metavar="NAME")
    parser.add_argument("--names", metavar="FILE", help="a file with one name a line")
    parser.add_argument("--by", required=True, metavar="LEAD", help="owner, escalation or one of review.leads")
    parser.add_argument("--reason", required=True)
    parser.add_argument("--lift", action="store_true", help="let their answers count again")
    return parser.parse_intermixed_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
