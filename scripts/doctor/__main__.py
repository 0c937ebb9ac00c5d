"""`python -m scripts.doctor [--format json]`: exit code 0 where nothing is wrong, 1 where something is."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from include.errors import MulgilError
from scripts.doctor.examine import LIMIT_S, examine
from scripts.doctor.finding import format_json, format_text
from scripts.doctor.place import find_place
from scripts.stack.errors import StackError


def main(arguments: list[str]) -> int:
    """Print the page; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.doctor", description=__doc__)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds that all looks together may take")
    parsed = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)  # libraries log what the page says
    try:
        place = find_place()
    except (StackError, MulgilError) as error:
        print(error, file=sys.stderr)
        return 1
    os.environ.update(place.environment)  # the lake's reader takes its settings from there
    report = examine(place, parsed.limit)
    print(format_json(report) if parsed.format == "json" else format_text(report))
    return report.exit_code


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # a look that hangs would keep the process
