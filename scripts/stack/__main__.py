"""`python -m scripts.stack <word>`."""

import sys

try:
    from scripts.stack.cli import main

    sys.exit(main(sys.argv[1:]))
except KeyboardInterrupt:
    # While still importing: nothing was started yet, and a traceback would only frighten.
    sys.exit(130)
