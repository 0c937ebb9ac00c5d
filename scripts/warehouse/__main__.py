"""Write everything that is made from the warehouse's own words: `make warehouse`.

The contract is held against its history first: what breaks it without a major version is refused, and nothing is
written.
"""

import sys

from include.settings import REPOSITORY
from scripts.warehouse import contract, dbt, page, semantic


def main() -> int:
    """Write the files; return 1 and say why where the contract is broken."""
    try:
        promised = contract.read_contract()
        contract.require_views(promised)
        history = contract.add_version(contract.read_history(), promised)
    except contract.ContractBroken as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in (
        (contract.HISTORY, contract.render_history(history)),
        (page.PAGE, page.render()),
        (semantic.MODEL, semantic.render()),
        (dbt.SOURCES, dbt.render_sources()),
        (dbt.EXPOSURES, dbt.render_exposures()),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"Wrote {path.relative_to(REPOSITORY)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
