"""`python -m scripts.stack <word>`."""

import os
import sys

INTERRUPTED = 130


def leave(code: int) -> None:
    """End the process; after Ctrl-C without waiting for a thread that still prepares the warehouse."""
    sys.stdout.flush()
    sys.stderr.flush()
    if code == INTERRUPTED:
        os._exit(code)
    sys.exit(code)


try:
    from scripts.stack.cli import main

    leave(main(sys.argv[1:]))
except BrokenPipeError:
    os._exit(1)  # whoever read the answer has read enough; flushing what is left would fail again
except KeyboardInterrupt:
    leave(INTERRUPTED)  # while still importing: nothing was started yet, and a traceback would only frighten
