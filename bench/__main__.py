"""Every measurement, one after the other: `python -m bench`. Fails where one misses its bar."""

import sys

from bench import parse_dags

MEASUREMENTS = (parse_dags.main,)

if __name__ == "__main__":
    sys.exit(max(measure() for measure in MEASUREMENTS))
