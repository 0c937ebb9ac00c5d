"""Measurements by name, or all of them, one after the other: `python -m bench [NAME ...]`.

Each file of this folder that has a `main` is one. Fails where one misses its bar.
"""

import sys
from importlib import import_module
from pathlib import Path

NOT_MEASUREMENTS = {"__main__", "__init__", "event_log", "house", "peer_environment"}
NAMES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in NOT_MEASUREMENTS)


def main(names: list[str]) -> int:
    """Run the measurements asked for; return the worst exit code."""
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        print(f"There is no measurement {', '.join(unknown)}; there are {', '.join(NAMES)}.", file=sys.stderr)
        return 2
    return max(import_module(f"bench.{name}").main() for name in names or NAMES)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
