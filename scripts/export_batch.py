"""Write a batch for a team that labels elsewhere, or every label there is; as JSON lines, and as CSV beside them.

    python -m scripts.export_batch PROBLEM BATCH        # of the running stack, or of what MULGIL_WAREHOUSE_URL names
    python -m scripts.export_batch PROBLEM              # all labels: who, when, what chose the item, what was shown

The team fills `label` and `labelled_by` of each line and drops the file below `labels/PROBLEM/` in landing.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from scripts.stack.home import find_home
from scripts.stack.stack import open_stack


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the file, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problem")
    parser.add_argument("batch", nargs="?")
    asked = parser.parse_args(arguments)
    if not os.environ.get("MULGIL_WAREHOUSE_URL"):
        os.environ |= open_stack(find_home()).environment(is_demo_reviewer_on=False)
    from include.errors import MulgilError
    from include.review.contracts import ExportedBatch
    from include.review.steps import export_batch, export_labels

    try:
        if asked.batch is None:
            written = ExportedBatch.from_xcom(export_labels(problem=asked.problem))
        else:
            written = ExportedBatch.from_xcom(export_batch(problem=asked.problem, partition_key=asked.batch))
    except MulgilError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{written.n_lines} {'labels' if asked.batch is None else 'items'}: {written.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
