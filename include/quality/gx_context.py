"""Great Expectations as this house uses it: imported once for each process, quiet, and never on the network.

Importing this module takes seconds; `steps.py` does so inside its functions. What does not belong here: what is asked.
"""

import logging
import os
import warnings
from functools import lru_cache

# Hundreds of INFO lines for each partition once Airflow has set up logging; the import itself writes thousands.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

with warnings.catch_warnings():
    # It imports modules that Python 3.11 deprecates, and Spark, where it is installed, which warns of pandas 3; nobody
    # here can mend that.
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.simplefilter("ignore", FutureWarning)
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import EphemeralDataContext
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

__all__ = [
    "DefaultJinjaSectionView",
    "ExpectationSuiteValidationResult",
    "ExpectationValidationResult",
    "ValidationResultsPageRenderer",
    "gx",
    "gxe",
    "open_context",
    "shared_context",
]


def shared_context() -> EphemeralDataContext:
    """Give the context of this process; an audit puts its own data in the place of those of the one before."""
    return _context_of(os.getpid())


# By process id: a forked task starts with a context of its own, not with what its parent's held.
@lru_cache(maxsize=2)
def _context_of(_process: int) -> EphemeralDataContext:
    """Open a context that does not write itself down at each change: nobody would read it again."""
    context = open_context()
    context._save_project_config = lambda: None  # type: ignore[method-assign]
    return context


def open_context() -> EphemeralDataContext:
    """Open a context that leaves no file and sends nothing: usage statistics are off before it exists."""
    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)
